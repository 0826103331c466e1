// When a worker that failed before counts as well again, and when one that is silent hangs.

import { expect, test } from "vitest";
import type { Heartbeat, PipelineBeat } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import { lookAt, unknownWorker } from "./life-signs.ts";
import { afterFailure, neverFailed } from "./restart.ts";

const now = 1_000_000;
const good = limits.restart_good_ms;
const { record: failed } = afterFailure(neverFailed, now - 60_000, 0.5);

/** What is remembered of a worker that was started `age` ms ago and said `heard` ms ago how long each of its pipelines has run. */
function restartOf(age: number, heard: number, running: readonly number[]): unknown {
  const pipelines = running.map((ms) => ({ since: now - ms }) as PipelineBeat);
  const handle = { id: "w.1", name: "w", revision: "1", exitCode: null, outOfMemory: false };
  const sight = {
    handles: [{ ...handle, state: "running" as const, started: now - age }],
    heard: { at: now - heard, beat: { pipelines } as unknown as Heartbeat },
    refused: undefined,
    since: 0,
    late: 0,
    revision: "1",
  };
  return lookAt({ ...unknownWorker, restart: failed, living: "w.1" }, sight, now).memory.restart;
}

test.each([
  ["all has run for long enough", good + 5_000, 0, [good, good + 1_000], neverFailed],
  ["it took long to start, and runs since a moment", good + 5_000, 0, [1_000], failed],
  ["one of its pipelines runs since a moment", good + 5_000, 0, [good, 1_000], failed],
  ["it has not said yet what it runs", good + 5_000, 0, [], failed],
  ["the last word is its predecessor's", 1_000, 1_500, [good + 5_000], failed],
])("%s", (_what, age, heard, running, restart) => {
  expect(restartOf(age, heard, running)).toEqual(restart);
});

/** What ends a worker that was started 10 s ago, and whose only heartbeat came half a second later. */
function endOf(beat: Partial<Heartbeat>): unknown {
  const handle = { id: "w.1", name: "w", revision: "1", exitCode: null, outOfMemory: false };
  const sight = {
    handles: [{ ...handle, state: "running" as const, started: now - 10_000 }],
    heard: { at: now - 9_500, beat: beat as Heartbeat },
    refused: undefined,
    since: 0,
    late: 0,
    revision: "1",
  };
  return lookAt({ ...unknownWorker, living: "w.1" }, sight, now).memory.doomed["w.1"];
}

test.each([
  ["has not come to what it is to run", null, [], undefined],
  ["is opening it", "m", ["running", "starting"], undefined],
  ["has opened it all", "m", ["running", "failed"], "no heartbeat for 9.5 s"],
  ["has nothing to run", "m", [], "no heartbeat for 9.5 s"],
] as const)("one that said once that it %s, and then nothing", (_what, assignment, phases, end) => {
  const pipelines = phases.map((phase) => ({ phase }) as PipelineBeat);
  expect(endOf({ assignment, pipelines })).toBe(end);
});
