// Schedules by their seeds as tests, a part of them in each file so that files run side by side.

import { expect, test } from "vitest";
import { emptySum, loadWorkloads, runSeeds } from "./batch.ts";

/** As many tests as it takes for each to be short. */
const seedsOfTest = 50;

export function testSeeds(from: number, count: number): void {
  const workloads = loadWorkloads();
  for (let first = from; first < from + count; first += seedsOfTest) {
    test(`seeds ${first} to ${first + seedsOfTest - 1}`, { timeout: 120_000 }, async () => {
      const sum = await runSeeds(await workloads, first, seedsOfTest, emptySum());
      expect(sum.failures).toEqual([]);
      expect(sum.runs).toBe(seedsOfTest);
      expect(sum.crashes).toBeGreaterThan(seedsOfTest);
      const { lost, duplicated, out_of_order, wrong } = sum;
      expect({ lost, duplicated, out_of_order, wrong }).toEqual({
        lost: 0,
        duplicated: 0,
        out_of_order: 0,
        wrong: 0,
      });
    });
  }
}
