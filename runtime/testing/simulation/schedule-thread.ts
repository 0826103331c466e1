// A thread that runs schedules by their seeds: takes orders, and answers each with what it came to. Knows of no other thread.

import { parentPort } from "node:worker_threads";
import { addSum, emptySum, loadWorkloads, runEveryCrash, runSeeds, type Sum } from "./batch.ts";

/** Some seeds, or every crash of one small schedule of each workload. */
export type Order =
  | { readonly kind: "seeds"; readonly from: number; readonly count: number }
  | {
      readonly kind: "every crash";
      readonly workload: number;
      readonly seed: number;
      readonly every: number;
    };

const workloads = loadWorkloads();

parentPort?.on("message", (order: Order) => {
  void obey(order).then((sum) => parentPort?.postMessage(sum));
});

// Whatever nobody waited for is a fault of the schedule in which it happened.
let unhandled: string[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(String(reason)));

async function obey(order: Order): Promise<Sum> {
  const sum = emptySum();
  unhandled = [];
  const all = await workloads;
  if (order.kind === "seeds") addSum(sum, await runSeeds(all, order.from, order.count));
  else {
    const workload = all[order.workload];
    if (workload !== undefined) addSum(sum, await runEveryCrash(workload, order.seed, order.every));
  }
  for (const said of unhandled) {
    sum.wrong++;
    const seed = order.kind === "seeds" ? order.from : order.seed;
    sum.failures.push({
      seed,
      workload: "",
      isSmall: false,
      crashAt: null,
      said: [`nobody waited for what failed: ${said}`],
    });
  }
  return sum;
}
