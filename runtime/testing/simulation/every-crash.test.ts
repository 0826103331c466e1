// A small schedule of each workload, with a power cut at each of many of its calls to disk and servers. `npm run sim` does it at
// every one of them.

import { beforeAll, expect, test } from "vitest";
import { emptySum, loadWorkloads, runEveryCrash } from "./batch.ts";
import { type Workload, workloadNames } from "./workload.ts";

/** One call of so many; the script takes all. */
const every = 60;
/** One for each workload. They decide the shape as well: a full outbox, lanes with backlog, a journal, a budget, a work queue. */
const seeds = [4, 16, 21, 8, 18];

let workloads: readonly Workload[];

beforeAll(async () => {
  workloads = await loadWorkloads();
});

test.each(workloadNames.map((name, place) => [name, place] as const))(
  "%s, cut from its power at any call",
  { timeout: 120_000 },
  async (_name, place) => {
    const sum = await runEveryCrash(workloads[place]!, seeds[place]!, every, emptySum());
    expect(sum.failures).toEqual([]);
    expect(sum.runs).toBeGreaterThan(6);
    // All but the schedule that tells how many calls there are.
    expect(sum.crashes).toBe(sum.runs - 1);
  },
);
