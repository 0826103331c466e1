// Each protocol with a mistake is caught by some schedule. Where this fails, the schedules have become blind to something that the
// product promises.

import { expect, test } from "vitest";
import { loadWorkloads } from "./batch.ts";
import { mutants } from "./mutants.ts";
import { runSchedule } from "./schedule.ts";

/** A mistake that takes more schedules than these to be seen is not seen. */
const seedsMax = 2_000;

/** Seeds that showed a mistake when somebody last looked. They are tried first; where they show it no longer, all are. */
const lastSeen: Readonly<Record<string, number>> = {
  "failed sync forgotten": 35,
  "tail guessed": 222,
  "cuts not noticed": 24,
  "lost answers are good answers": 83,
  "incarnation ignored": 21,
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
  async (name, { seams, adjust = (plan) => plan }) => {
    for (const seed of seedsOf(name)) {
      const { verdict } = await runSchedule({ seed, workloads: await workloads, seams, adjust });
      if (verdict.isGood) continue;
      // The mistake is what is seen, not the faults.
      const control = await runSchedule({ seed, workloads: await workloads, adjust });
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
