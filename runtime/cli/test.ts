// weir test: runs the tests that pipeline files carry. Exit code 1 when one fails.

import { Worker } from "node:worker_threads";
import { type Clock, stopwatch, wallClock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { hungFault } from "../engine/strangers.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { runTest, type TestResult } from "../testing/pipeline-tests.ts";
import { type CheckedPipeline, filesOf, loadFilesShown, progress_ms, refusalOf } from "./load.ts";
import { print, progress, styled } from "./terminal.ts";
import type { TestThreadData, TestThreadMessage } from "./test-thread.ts";

export interface FileTestResult extends TestResult {
  readonly file: string;
}

/** The tests of a pipeline in a thread, for as long as each comes to an end; those that it did not come to have failed. */
async function resultsOfThread(pipeline: CheckedPipeline, clock: Clock): Promise<readonly TestResult[]> {
  const { tests } = pipeline.plan!.spec;
  const data: TestThreadData = { input: pipeline.input, contents: pipeline.contents };
  const thread = new Worker(partUrl("test-thread.js"), { workerData: data, stdout: true });
  // What an operator prints is no result.
  thread.stdout.on("data", (text: Buffer) => process.stderr.write(text));
  const results: TestResult[] = [];
  const fault = await new Promise<string | null>((ended) => {
    const hung = (ms: number) => clock.after(ms, () => ended(hungFault(pipeline.plan!, ms)));
    let cancel = hung(limits.operator_load_ms_max);
    thread.on("message", (message: TestThreadMessage) => {
      cancel();
      cancel = hung(limits.operator_hang_ms_max);
      if (message !== null) results.push(message);
    });
    thread.on("error", (error) => ended(messageOf(error)));
    thread.on("exit", () => {
      cancel();
      ended(results.length === tests.length ? null : "an operator ended the thread that it ran in");
    });
  });
  await thread.terminate();
  const missing = tests.slice(results.length).map(({ name }, place) => ({
    name,
    faults: [place === 0 ? String(fault) : "not run: an earlier test did not come to its end"],
    leftOut: [],
    waiting: [],
    rows: {},
  }));
  return [...results, ...missing];
}

/** Runs the tests of pipelines in which nothing is wrong. */
export async function testResults(
  files: readonly string[],
  pipelines: readonly CheckedPipeline[],
  clock: Clock = wallClock,
): Promise<readonly FileTestResult[]> {
  const results: FileTestResult[] = [];
  let due = stopwatch() + progress_ms;
  for (const [place, pipeline] of pipelines.entries()) {
    if (stopwatch() >= due) {
      progress(`ran the tests of ${place} of ${files.length} pipeline files`);
      due = stopwatch() + progress_ms;
    }
    const { plan, contents, custom } = pipeline;
    const { tests } = plan!.spec;
    const own =
      custom && tests.length > 0
        ? await resultsOfThread(pipeline, clock)
        : tests.map((each) => runTest(plan!, each, 1, contents));
    results.push(...own.map((each) => ({ file: files[place]!, ...each })));
  }
  progress("");
  return results;
}

/** What a test says in lines; how it came about only where it failed. */
export function resultLines({ file, name, faults, leftOut, waiting }: FileTestResult): string[] {
  if (faults.length === 0) return [`${styled("green", "ok")} ${file}: ${name}`];
  const indented = (text: string, by: number): string => text.replaceAll("\n", `\n${" ".repeat(by)}`);
  const lines = [`${styled("red", "failed")} ${file}: ${name}`];
  for (const fault of faults) lines.push(`     ${indented(fault, 5)}`);
  if (leftOut.length > 0)
    lines.push(`     left out:`, ...leftOut.map((each) => `       ${indented(each, 7)}`));
  if (waiting.length > 0)
    lines.push(`     when the input was over:`, ...waiting.map((each) => `       ${each}`));
  return lines;
}

/** The rows of a test by branch, as they may stand in its `expect`. */
function rowLines({ rows }: FileTestResult): string[] {
  return Object.entries(rows).flatMap(([branch, texts]) => [
    `     ${branch}:${texts.length === 0 ? " []" : ""}`,
    ...texts.map((text) => `       - ${text}`),
  ]);
}

export interface TestOptions {
  readonly json?: boolean;
  readonly rows?: boolean;
}

export async function test(names: readonly string[], options: TestOptions): Promise<number> {
  const files = filesOf(names);
  const pipelines = await loadFilesShown(files);
  const refusal = refusalOf(files, pipelines, options.json === true);
  if (refusal !== null) return refusal;
  const results = await testResults(files, pipelines);
  const failed = results.filter(({ faults }) => faults.length > 0);
  if (options.json === true) {
    const tests = results.map(({ rows, ...result }) =>
      options.rows === true ? { ...result, rows } : result,
    );
    print(JSON.stringify({ passed: results.length - failed.length, failed: failed.length, tests }));
    return failed.length === 0 ? 0 : 1;
  }
  for (const result of results) {
    const lines = [...resultLines(result), ...(options.rows === true ? rowLines(result) : [])];
    for (const line of lines) print(line);
  }
  for (const [place, { plan }] of pipelines.entries()) {
    if (plan!.spec.tests.length === 0) print(`${styled("yellow", "none")} ${files[place]}: no tests`);
  }
  print(`${results.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}
