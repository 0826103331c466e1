// Worker, log, outbox and chains through faults by chance, on virtual time. A short form of `npm run sim`, which also replays
// a seed.

import { expect, test } from "vitest";
import { emptySum, loadWorkloads, runSeeds } from "./batch.ts";
import { faultKinds } from "./nemesis.ts";

/** In tests of so many, so that each is short. */
const seedsOfTest = 50;
const firsts = [1, 51, 201] as const;

const workloads = loadWorkloads();
const struck = new Set<string>();

test.each(firsts)(`${seedsOfTest} seeds from %i on`, { timeout: 120_000 }, async (first) => {
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
  for (const fault of sum.kinds.keys()) struck.add(fault);
});

test("every kind of fault was among them", () => {
  expect(faultKinds.filter((kind) => !struck.has(kind))).toEqual([]);
});
