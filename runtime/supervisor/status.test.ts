// What a supervisor says of a pipeline of which its worker says nothing: why that worker could not be started, or had to be
// started again. Pure.

import { expect, it } from "vitest";
import { neverFailed } from "./restart.ts";
import { type Known, statusOf } from "./status.ts";
import { wantedPipeline } from "./wanted.ts";

const boiler = wantedPipeline("boiler.yaml", "name: boiler\nsource: { host: { every: 1s } }\n");

const known: Known = {
  host: "gateway",
  driver: "container",
  driverFault: "",
  since: 0,
  now: 1_000,
  held: false,
  wanted: [boiler],
  refused: [],
  workers: [],
  heard: new Map(),
  unplaced: [],
  told: [
    { what: "failed", name: "shared-1", reason: "a signal ended it", at: 1 },
    { what: "failed", name: "shared-1", reason: "the engine has no network weir", at: 2 },
    { what: "failed", name: "shared-2", reason: "it hangs", at: 3 },
  ],
  memory: {
    pipelines: {
      boiler: {
        wanted: boiler.revision,
        good: null,
        refused: {},
        restart: neverFailed,
        attempt: 1,
        judged: 0,
        apart: false,
        worker: "shared-1",
        holder: "shared-1",
      },
    },
    workers: {},
    scales: {},
  },
};

function afterStarts(attempt: number, more: Partial<Known> = {}): Known {
  const restart = { failures: [], attempt, notBefore: 0 };
  const worker = { restart, living: null, settled: [], doomed: {}, lifeless: null, quarantine: null };
  return { ...known, memory: { ...known.memory, workers: { "shared-1": worker } }, ...more };
}

it.each([
  ["the last failure of its worker", afterStarts(2), "waiting", "the engine has no network weir"],
  ["nothing where its worker has not failed since it ran well", afterStarts(0), "waiting", null],
  ["nothing where its worker is not known yet", known, "waiting", null],
  ["nothing where that was before this supervisor", afterStarts(2, { told: [] }), "waiting", null],
  ["nothing where nothing is to run", afterStarts(2, { held: true }), "drained", null],
])("a pipeline that waits says %s", (_what, at, state, reason) => {
  expect(statusOf(at).pipelines).toMatchObject([{ name: "boiler", state, reason }]);
});
