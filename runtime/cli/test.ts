// weir test: runs the tests that pipeline files carry. Exit code 1 when one fails.

import { runTest } from "../testing/pipeline-tests.ts";
import { type CheckedPipeline, exitConfig, filesOf, isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { print, styled } from "./terminal.ts";

export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly faults: readonly string[];
  readonly waiting: readonly string[];
}

/** Runs the tests of pipelines in which nothing is wrong. */
export function testResults(
  files: readonly string[],
  pipelines: readonly CheckedPipeline[],
): readonly TestResult[] {
  return pipelines.flatMap(({ plan, contents }, place) =>
    plan!.spec.tests.map((each) => ({ file: files[place]!, ...runTest(plan!, each, 1, contents) })),
  );
}

export function printResult({ file, name, faults, waiting }: TestResult): void {
  print(`${faults.length === 0 ? styled("green", "ok") : styled("red", "failed")} ${file}: ${name}`);
  for (const fault of faults) print(`     ${fault}`);
  if (faults.length > 0) print(`     when the input was over: ${waiting.join("\n       ")}`);
}

export async function test(names: readonly string[], options: { readonly json?: boolean }): Promise<number> {
  const files = filesOf(names);
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  if (isWrong(pipelines)) return exitConfig;
  const results = testResults(files, pipelines);
  const failed = results.filter(({ faults }) => faults.length > 0);
  if (options.json === true) {
    print(JSON.stringify({ passed: results.length - failed.length, failed: failed.length, tests: results }));
    return failed.length === 0 ? 0 : 1;
  }
  for (const result of results) printResult(result);
  for (const [place, { plan }] of pipelines.entries()) {
    if (plan!.spec.tests.length === 0) print(`${styled("yellow", "none")} ${files[place]}: no tests`);
  }
  print(`${results.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}
