// Where batches run, as a table; and the average that the choice rests on.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlacementSpec } from "../pipeline/pipeline.ts";
import {
  Average,
  type BatchCosts,
  choosePlace,
  gatherGuessShare,
  hopGuess_ms,
  poolThreads,
  PoolTrial,
  threadsFor,
} from "./placement.ts";

const costs = (
  stateless_ms: number,
  home_ms: number,
  hop_ms: number = hopGuess_ms,
  gather_ms: number = stateless_ms * gatherGuessShare,
  aggregated: BatchCosts["aggregated"] = null,
  source_ms: number = 0,
): BatchCosts => ({ source_ms, stateless_ms, home_ms, hop_ms, gather_ms, aggregated });

describe("choosePlace", () => {
  test.each([
    ["nothing is measured yet", costs(0, 0), 4, "home"],
    ["there is no thread", costs(50, 1), 0, "home"],
    ["a batch costs less than a hop", costs(0.1, 0.01), 4, "home"],
    ["a batch costs as much as a hop", costs(0.15, 0), 4, "home"],
    ["decoding is dear and home is cheap", costs(5, 0.1), 2, "pool"],
    ["decoding is dear, and one thread only moves it", costs(5, 0.1), 1, "home"],
    ["one thread takes half of the work", costs(5, 5), 1, "pool"],
    ["home is the bottleneck in any case", costs(1, 20), 8, "home"],
    ["gathering what goes back costs as much as making it", costs(5, 0.1, 0.1, 5), 2, "home"],
    ["taking back costs home as much as doing it", costs(2, 0.1, 2, 0.1), 4, "home"],
    [
      "home is the bottleneck, and threads aggregate for it",
      costs(1, 20, 0.1, 0.1, { thread_ms: 22, home_ms: 2 }),
      2,
      "pool",
    ],
    [
      "one thread that aggregates has all of the work",
      costs(1, 20, 0.1, 0.1, { thread_ms: 22, home_ms: 2 }),
      1,
      "home",
    ],
    [
      "one thread that aggregates has all of the work, and home reads meanwhile",
      costs(1, 20, 0.1, 0.1, { thread_ms: 22, home_ms: 2 }, 10),
      1,
      "pool",
    ],
    ["merging costs as much as adding", costs(1, 20, 0.1, 0.1, { thread_ms: 22, home_ms: 20 }), 8, "home"],
  ] as const)("%s", (_when, given, threads, expected) => {
    expect(choosePlace(given, threads)).toBe(expected);
  });

  test("more threads never speak against the pool", () => {
    const cost = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(cost, cost, cost, cost, fc.integer({ min: 1, max: 31 }), (s, h, hop, gather, threads) => {
        const given = costs(s, h, hop, gather);
        if (choosePlace(given, threads) === "pool") expect(choosePlace(given, threads + 1)).toBe("pool");
      }),
      { seed: 1 },
    );
  });
});

describe("Average", () => {
  test("is the guess before the first value, the first value then, and follows slowly", () => {
    const average = new Average();
    expect(average.value(7)).toBe(7);
    average.add(16);
    expect(average.value(7)).toBe(16);
    average.add(0);
    expect(average.value(7)).toBe(15);
    for (let i = 0; i < 200; i++) average.add(3);
    expect(average.value(7)).toBeCloseTo(3, 3);
  });
});

describe("the pool on trial", () => {
  /** Batches in the pool until it is closed; at most `most`. */
  function batchesUntilClosed(trial: PoolTrial, ms_per_record: number, most = 10_000): number {
    let batches = 0;
    for (; trial.open && batches < most; batches++) trial.add("pool", ms_per_record);
    return batches;
  }
  /** One that knows how fast home is. */
  function known(): PoolTrial {
    const trial = new PoolTrial();
    for (let batch = 0; batch < 24; batch++) trial.add("home", 1);
    return trial;
  }
  function batchesUntilOpen(trial: PoolTrial, ms_per_record: number): number {
    let batches = 0;
    for (; !trial.open; batches++) trial.add("home", ms_per_record);
    return batches;
  }

  test("rests when it gained nothing, each time longer, up to a bound", () => {
    const trial = known();
    expect(batchesUntilClosed(trial, 2)).toBe(64);
    const rests: number[] = [];
    for (let times = 0; times < 6; times++) {
      rests.push(batchesUntilOpen(trial, 1));
      batchesUntilClosed(trial, 1.5);
    }
    expect(rests).toEqual([512, 2_048, 8_192, 32_768, 65_536, 65_536]);
  });

  test("is not believed before home is known", () => {
    const trial = new PoolTrial();
    trial.add("home", 4);
    expect(batchesUntilClosed(trial, 2)).toBe(64);
    expect(batchesUntilOpen(trial, 1)).toBe(24);
    expect(batchesUntilClosed(trial, 2)).toBe(64);
    expect(batchesUntilOpen(trial, 1)).toBe(512);
  });

  test("stays open while it gains, whatever its first batches took", () => {
    const trial = known();
    for (let batch = 0; batch < 24; batch++) trial.add("pool", 50);
    expect(batchesUntilClosed(trial, 0.6)).toBe(10_000);
  });
});

const plan = (name: string, threads: number | null): Parameters<typeof threadsFor>[0][number] => ({
  name,
  spec: { placement: { threads } as PlacementSpec } as Parameters<typeof threadsFor>[0][number]["spec"],
});

describe("threads of a source", () => {
  test.each([
    ["what is spare, where nobody says anything", [plan("a", null)], null, 3, 3],
    ["none for partitions, which would have a pool each", [plan("a~0", null)], null, 3, 0],
    ["what the device says", [plan("a", null), plan("b", null)], 2, 3, 2],
    ["what the device says of partitions as well", [plan("a~0", null)], 2, 3, 2],
    ["what the file says, before the device", [plan("a", 1)], 2, 3, 1],
    ["none where the file says so", [plan("a", 0)], 2, 3, 0],
    ["the most that pipelines of one source say", [plan("a", 1), plan("b", 4), plan("c", null)], 2, 3, 4],
  ])("%s", (_what, plans, device, spare, threads) => {
    expect(threadsFor(plans, device, spare)).toBe(threads);
  });

  test("two processors are home's and its nats-server's", () => {
    expect([1, 2, 4].map(poolThreads)).toEqual([0, 0, 2]);
  });
});
