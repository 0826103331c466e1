// weir/testing: whole pipelines and single operators in microseconds, without a server.

export { Harness, type HarnessOptions, lawFaults } from "./harness.ts";
export { exampleLimits, runExample } from "./example.ts";
export { runTest, type TestResult } from "./pipeline-tests.ts";
