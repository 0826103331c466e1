// Each protocol with a mistake is caught by some schedule. Where this fails, the schedules have become blind to something that the
// product promises.

import { expect, test } from "vitest";
import { loadWorkloads } from "./batch.ts";
import { mutants, protocolShape } from "./mutants.ts";
import { runSchedule } from "./schedule.ts";

/** A mistake that takes more schedules than these to be seen is not seen. */
const seedsMax = 2_000;

const workloads = loadWorkloads();

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  "%s",
  { timeout: 240_000 },
  async (_name, { seams, shape = protocolShape, adjust = (plan) => plan }) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
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
