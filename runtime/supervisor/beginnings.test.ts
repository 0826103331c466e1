// Workers that were started before the clock was set: never later than they were first seen.

import { expect, test } from "vitest";
import { type Clock, VirtualClock } from "../clock.ts";
import { Beginnings } from "./beginnings.ts";
import type { ObservedWorker } from "./driver.ts";

const worker = (id: string, started: number): ObservedWorker => ({
  id,
  name: id,
  revision: "r",
  state: "running",
  started,
  exitCode: null,
  outOfMemory: false,
});

test("a time that lies ahead, of a clock that was put back, is that of the first sight", () => {
  const passing = new VirtualClock(1_000_000);
  let ahead = 0;
  const clock: Clock = {
    now: () => passing.now() + ahead,
    elapsed: () => passing.now(),
    after: (ms, task) => passing.after(ms, task),
    every: (ms, task) => passing.every(ms, task),
  };
  const beginnings = new Beginnings(clock);
  const started = (at: number, ...workers: readonly ObservedWorker[]): number[] => {
    passing.advanceTo(at);
    return beginnings.told(workers).map((each) => each.started);
  };
  // By a clock that went otherwise, and before this one began to look.
  expect(started(1_001_000, worker("old", 5_000_000))).toEqual([1_000_000]);
  const two = [worker("old", 5_000_000), worker("new", 1_001_900)];
  expect(started(1_002_000, ...two)).toEqual([1_000_000, 1_001_900]);
  ahead = -500_000;
  expect(started(1_003_000, ...two, worker("newer", 502_900))).toEqual([1_000_000, 1_002_000, 1_002_900]);
  ahead = 500_000;
  expect(started(1_004_000, worker("newer", 502_900), worker("newest", 1_503_950))).toEqual([
    2_900, 1_003_950,
  ]);
});
