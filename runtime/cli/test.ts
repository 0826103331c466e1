// weir test: runs the tests that pipeline files carry. Exit code 1 when one fails.

import { runTest } from "../testing/pipeline-tests.ts";
import { exitConfig, filesOf, isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { print, styled } from "./terminal.ts";

export async function test(names: readonly string[], options: { readonly json?: boolean }): Promise<number> {
  const files = filesOf(names);
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  if (isWrong(pipelines)) return exitConfig;
  const results = pipelines.flatMap(({ plan, contents }, place) =>
    plan!.spec.tests.map((each) => ({ file: files[place]!, ...runTest(plan!, each, 1, contents) })),
  );
  const failed = results.filter(({ faults }) => faults.length > 0);
  if (options.json === true) {
    print(JSON.stringify({ passed: results.length - failed.length, failed: failed.length, tests: results }));
    return failed.length === 0 ? 0 : 1;
  }
  for (const { file, name, faults, waiting } of results) {
    print(`${faults.length === 0 ? styled("green", "ok") : styled("red", "failed")} ${file}: ${name}`);
    for (const fault of faults) print(`     ${fault}`);
    if (faults.length > 0) print(`     when the input was over: ${waiting.join("\n       ")}`);
  }
  for (const [place, { plan }] of pipelines.entries()) {
    if (plan!.spec.tests.length === 0) print(`${styled("yellow", "none")} ${files[place]}: no tests`);
  }
  print(`${results.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}
