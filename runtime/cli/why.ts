// weir why: asks the workers of this machine what their pipelines wait for, or whether all of them run. Changes nothing.

import { awayText } from "../connect/connector-log.ts";
import { nothingWaits, waitingText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { instanceOf } from "../instance.ts";
import { didYouMean } from "../pipeline/nearest.ts";
import { askWorkers, probeWorkers } from "../worker/control-client.ts";
import { runFolder } from "../worker/settings.ts";
import type { WaitingAnswer } from "../worker/waiting-answers.ts";
import { countText } from "./amounts.ts";
import { askedSupervisors, nothingHere, withoutWorker } from "./supervised-names.ts";
import { print, styled } from "./terminal.ts";

/** Of one that is not open: what is not there yet, or why it never will be, as far as its worker knows. */
export function notOpen({ failed, waits_for }: WaitingAnswer): string {
  if (failed !== undefined) return failed;
  const what =
    waits_for === undefined ? "the log of its worker says what it waits for" : `it waits for ${waits_for}`;
  return `is not open yet: ${what}`;
}

function nobody(folder: string): WeirError {
  return new WeirError("WEIR_NO_WORKER", `no worker of this user answers in ${folder}`, {
    remedy: "weir run starts one; WEIR_RUN_FOLDER names another folder",
  });
}

async function pipelinesOf(folder: string): Promise<readonly WaitingAnswer[]> {
  const answers = await askWorkers(folder, "/pipelines");
  if (answers.length === 0) throw nobody(folder);
  return answers.flatMap(({ answer }) => (answer === null ? [] : (answer as readonly WaitingAnswer[])));
}

/** What an orchestrator asks to know whether to go on with a rollout. */
async function checkReady(folder: string): Promise<number> {
  const answers = await probeWorkers(folder, "/readyz");
  if (answers.length === 0) throw nobody(folder);
  // A supervisor tells of its workers' pipelines as well.
  const reasons = [...new Set(answers.filter(({ ok }) => !ok).flatMap((each) => each.reasons))];
  if (answers.every(({ ok }) => ok)) return 0;
  throw new WeirError("WEIR_NO_WORKER", `not ready: ${reasons.join("; ")}`, {
    remedy: "weir status says more, and the log what a pipeline waits for or why it failed",
  });
}

export async function why(
  pipeline: string | undefined,
  options: { readonly json?: boolean; readonly ready?: boolean },
): Promise<number> {
  if (options.ready === true) return checkReady(runFolder(process.env));
  const running = await pipelinesOf(runFolder(process.env));
  const asked =
    pipeline === undefined
      ? running
      : running.filter(({ name }) => name === pipeline || instanceOf(name).pipeline === pipeline);
  if (asked.length === 0 && pipeline !== undefined) {
    const supervisors = await askedSupervisors();
    const aside = withoutWorker(
      pipeline,
      supervisors.map((each) => each.status),
    );
    if (aside !== null) throw aside;
    const names = [...new Set(running.map(({ name }) => name))];
    throw new WeirError("WEIR_USAGE", `no worker here runs a pipeline ${pipeline}`, {
      remedy:
        didYouMean(pipeline, names) ?? (names.length === 0 ? nothingHere : `running: ${names.join(", ")}`),
    });
  }
  if (options.json === true) {
    print(JSON.stringify(asked));
    return 0;
  }
  if (asked.length === 0) print("no pipeline was given to the workers that run here");
  for (const answer of asked) {
    const { name, waiting, unsent = [] } = answer;
    print(styled("bold", name));
    if (answer.lacks_room !== undefined) print(styled("red", `  it takes nothing new: ${answer.lacks_room}`));
    const lines = waiting === null ? notOpen(answer).split("\n") : waitingText(waiting);
    const { away } = answer;
    // Rows that wait for that say so themselves.
    if (away !== undefined && unsent.every(({ hindrance }) => hindrance !== awayText(away)))
      print(`  the server of its connection ${away} is away`);
    if (waiting !== null && answer.waits_for !== undefined) print(`  it waits for ${answer.waits_for}`);
    for (const line of unsent.length === 0 ? lines : lines.filter((each) => each !== nothingWaits))
      print(`  ${line}`);
    for (const { branch, rows, hindrance } of unsent) {
      const wait = rows === 1 ? "row waits" : "rows wait";
      const why = hindrance === undefined ? "" : `: ${hindrance}`;
      print(`  ${branch}: ${countText(rows)} ${wait} for the sink to confirm${why}`);
    }
  }
  return 0;
}
