// The entry of a thread that runs the tests of one pipeline with operators of the user's own, so that one which
// never returns can be ended. Says that it has begun, then each result. Never judges how long something takes.

import { parentPort, workerData } from "node:worker_threads";
import { loadPlans, type PipelineInput } from "../engine/loader.ts";
import { type ReferenceContents, runTest, type TestResult } from "../testing/pipeline-tests.ts";

export interface TestThreadData {
  readonly input: PipelineInput;
  readonly contents: ReferenceContents;
}

/** `null`: the operators are loaded, and tests begin. */
export type TestThreadMessage = TestResult | null;

function say(message: TestThreadMessage): void {
  parentPort!.postMessage(message);
}

const { input, contents } = workerData as TestThreadData;
const [plan] = await loadPlans([input]);
say(null);
for (const test of plan!.spec.tests) say(runTest(plan!, test, 1, contents));
