// weir/testing: whole pipelines and single operators in microseconds, without a server.

export {
  type ConformanceCase,
  conformanceCases,
  conformanceFaults,
  type ConformanceOptions,
} from "./conformance.ts";
export { type Happening, type Trial } from "./conformance-streams.ts";
export { Harness, type HarnessOptions, lawFaults } from "./harness.ts";
export { exampleLimits, runExample } from "./example.ts";
export { runTest, type TestResult } from "./pipeline-tests.ts";
