// What `weir status` shows of partitions: one line for all of them, why they have so many workers, and what is wrong.

import { expect, test } from "vitest";
import type { PipelineBeat } from "../heartbeat.ts";
import type { PipelineStatusLine, SupervisorStatus } from "../supervisor/status.ts";
import { unknownName } from "./supervised-names.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { lackingLines } from "./run-status.ts";
import { statusLines } from "./status.ts";

const beat: PipelineBeat = {
  name: "",
  revision: "r",
  attempt: 1,
  phase: "running",
  fault: null,
  since: 1_000,
  records: 100,
  rows: 10,
  held: 0,
  state_bytes: 1_200_000,
  pending: 0,
  dropped: 0,
  lag: 7,
  watermark: null,
  busy: 0.25,
  true_rate: null,
};

function line(name: string, more: Partial<PipelineStatusLine> = {}): PipelineStatusLine {
  return { name, wanted: "r", runs: "r", state: "running", reason: null, worker: "w", beat, ...more };
}

const status: SupervisorStatus = {
  host: "gateway",
  driver: "process",
  driver_fault: "",
  since: 0,
  now: 61_000,
  drained: false,
  pipelines: [
    line("climate~0"),
    line("climate~1"),
    line("climate~2", { state: "failed", reason: "it is out of luck", beat: null }),
    line("other"),
  ],
  workers: [],
  scales: {
    climate: {
      workers: 2,
      most: 4,
      saturated: "its file allows no more",
      decision: { workers: 2, reason: "9 records wait", saturated: false, at: 31_000 },
    },
  },
  happenings: [],
};

const shown = (of: SupervisorStatus): string[] =>
  // oxlint-disable-next-line no-control-regex -- colours
  statusLines(of).map((each) => each.replaceAll(/\u001b\[\d+m/g, "").replaceAll(/ {2,}/g, " | "));

test("a host that is drained, and a file that cannot be used, are shown as what they are", () => {
  const none = { wanted: null, runs: null, worker: null, beat: null };
  const refused = line("b.yaml", { ...none, state: "refused", reason: "p/b.yaml:3:1: no YAML" });
  const text = shown({
    ...status,
    drained: true,
    pipelines: [line("a", { state: "drained", beat: null, runs: null }), refused],
  });
  expect(text.slice(1, 6)).toEqual([
    " | drained: nothing is to run here until weir drain --undo --host gateway lets it",
    "PIPELINE | STATE | REVISION | WORKER | FOR | RECORDS | ROWS | LAG | KEPT | BUSY",
    "a | drained | - | wants r | w | - | - | - | - | - | -",
    "b.yaml | refused | - | - | - | - | - | - | - | -",
    " | p/b.yaml:3:1: no YAML",
  ]);
});

test("one that starts says what it waits for", () => {
  const waits_for = "the server of the connection cloud";
  const starting = line("a", { state: "starting", beat: { ...beat, phase: "starting", waits_for } });
  expect(shown({ ...status, pipelines: [starting] })[3]).toBe(
    " | waits for the server of the connection cloud",
  );
});

test("a full disk is told, of a pipeline's state and of the supervisor's own", () => {
  const full: PipelineBeat = { ...beat, lacks_room: "state: no room to write a commit" };
  const lines = [line("climate~1", { beat: full }), line("climate~2")];
  const text = shown({ ...status, pipelines: lines, unkept: "what is wanted cannot be kept: no room" });
  expect(text).toContain(" | climate~1: nothing new is taken: state: no room to write a commit");
  expect(text).toContain(
    " | the supervisor's own disk does not take all: what is wanted cannot be kept: no room",
  );
  const alone = shown({ ...status, scales: {}, pipelines: [line("a", { beat: full })] });
  expect(alone[3]).toBe(" | nothing new is taken: state: no room to write a commit");
  expect(lackingLines([{ name: "a", lacks_room: "full" } as WorkerStatus])).toEqual([
    "a: nothing new is taken: full",
  ]);
});

test("partitions that wait are named where others do not", () => {
  const starting: PipelineBeat = { ...beat, phase: "starting", waits_for: "a stream" };
  const waiting = ["climate~0", "climate~1"].map((name) => line(name, { state: "starting", beat: starting }));
  const shownOf = (pipelines: PipelineStatusLine[]): string | undefined =>
    shown({ ...status, pipelines }).find((each) => each.includes("for a stream"));
  expect(shownOf(waiting)).toBe(" | waits for a stream");
  expect(shownOf([...waiting, line("climate~2")])).toBe(" | climate~0, climate~1 wait for a stream");
  expect(shownOf([...waiting.slice(1), line("climate~2")])).toBe(" | climate~1 waits for a stream");
});

test("of one that is put aside it is said how it is let go again", () => {
  const aside = line("a", { state: "quarantined", reason: "it has other steps; --forget a", runs: null });
  expect(shown({ ...status, pipelines: [aside] }).slice(3, 5)).toEqual([
    " | it has other steps; --forget a",
    " | weir release a lets it go again",
  ]);
});

test("partitions share a line, with their workers, why so many, and what is wrong", () => {
  expect(shown(status)).toEqual([
    "gateway: driver process, for 1m 1s",
    "PIPELINE | STATE | REVISION | WORKER | FOR | RECORDS | ROWS | LAG | KEPT | BUSY",
    "climate | 2 running, 1 failed | r | 2 of at most 4 | 1m | 200 | 20 | 14 | 2.4 MB | 50 %",
    " | 2 since 30s: 9 records wait",
    " | needs more workers and gets none: its file allows no more",
    " | climate~2:",
    " | it is out of luck",
    "other | running | r | w | 1m | 100 | 10 | 7 | 1.2 MB | 25 %",
    "WORKER | STATE | PROCESS | MEMORY | FOR | PIPELINES",
  ]);
});

test("a name that nothing has is told with those there are, and where to look when there are none", () => {
  expect(unknownName("othr", [status]).remedy).toBe("did you mean other?");
  expect(unknownName("climate", [{ ...status, pipelines: [], workers: [] }]).remedy).toBe(
    "nothing runs here; weir devices --json says what the devices of a fleet run",
  );
});
