// Each protocol with a mistake is caught by some schedule. Where this fails, the schedules have become blind to something that the
// product promises.

import { expect, test } from "vitest";
import { loadWorkloads } from "./batch.ts";
import { mutants, protocolShape } from "./mutants.ts";
import { runSchedule } from "./schedule.ts";

/** A mistake that takes more schedules than these to be seen is not seen. */
const seedsMax = 2_000;

/** Seeds that showed a mistake when somebody last looked. They are tried first; where they show it no longer, all are. */
const lastSeen: Readonly<Record<string, number>> = {
  "failed sync forgotten": 86,
  "commits without state": 8,
  "tail guessed": 423,
  "confirmed out of order": 47,
  "epoch used again": 10,
  "last commit forgotten": 10,
  "lanes not compared": 16,
  "lanes judged by length": 16,
  "what was dropped is not said": 30,
};

const workloads = loadWorkloads();

function seedsOf(name: string): number[] {
  const all = Array.from({ length: seedsMax }, (_, place) => place + 1);
  const seen = lastSeen[name];
  return seen === undefined ? all : [seen, ...all];
}

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  "%s",
  { timeout: 240_000 },
  async (name, { seams, shape = protocolShape, adjust = (plan) => plan }) => {
    for (const seed of seedsOf(name)) {
      const { verdict } = await runSchedule({ seed, workloads: await workloads, shape, seams, adjust });
      if (verdict.isGood) continue;
      // The mistake is what is seen, not the faults.
      const control = await runSchedule({ seed, workloads: await workloads, shape, adjust });
      expect(control.verdict.said).toEqual([]);
      return;
    }
    expect.unreachable(`not caught by ${seedsMax} schedules`);
  },
);

test("there are at least twelve, each with a name of its own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(12);
});
