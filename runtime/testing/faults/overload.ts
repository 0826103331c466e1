// Whether memory stays as it is where far more comes than can be sent, for a long time: the source is fed as fast as it takes
// records, and the sink is away.

import { sleep, stopwatch, wallClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { Random } from "../simulation/random.ts";
import type { Measurement } from "./measurement.ts";
import { pipelineText } from "./pipeline.ts";
import { residentBytes } from "./process-figures.ts";
import { World } from "./world.ts";

const sample_ms = 500;
const short_ms = 20_000;
const long_ms = 600_000;
/** So much of the time is for warming up. */
const warm = 0.3;
const slices = 10;

/** How far the means of equal parts of `values` go above the first of them, as a share of it, once warming up is left out. */
export function growthOf(values: readonly number[]): number {
  const rest = values.slice(Math.floor(values.length * warm));
  const size = Math.max(1, Math.floor(rest.length / slices));
  const first = mean(rest.slice(0, size));
  let most = first;
  for (let at = size; at + size <= rest.length; at += size)
    most = Math.max(most, mean(rest.slice(at, at + size)));
  return (most - first) / first;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export const overload: Measurement = {
  name: "overload",
  about: "resident memory while far more comes than can be sent, the sink being away",
  async run({ seed, isShort, for_ms, say }) {
    const world = await World.make({
      random: new Random(seed),
      say,
      pipeline: `${pipelineText}outbox: { bytes: 64MiB }\n`,
      ahead: Number.MAX_SAFE_INTEGER,
      every_ms: limits.faults_message_ms / 2,
      // What the worker does not take, the source's stream drops.
      sourceMessages: 4_000,
    });
    try {
      const worker = world.startWorker();
      world.publisher.start();
      await world.flows();
      world.link.set({ kind: "cut" });
      const duration = for_ms ?? (isShort ? short_ms : long_ms);
      const resident: number[] = [];
      for (const start = stopwatch(); stopwatch() - start < duration && !worker.hasEnded; ) {
        await sleep(wallClock, sample_ms);
        resident.push(residentBytes(worker.pid ?? 0));
        if (resident.length % 20 === 0)
          say(`  ${Math.round(resident.at(-1)! / 1e6)} MB, ${world.publisher.published} records`);
      }
      if (worker.hasEnded) throw new Error(`the worker ended:\n${worker.said()}`);
      const growth = growthOf(resident);
      const megabytes = Math.round(mean(resident.slice(-slices)) / 1e6);
      const records = world.publisher.published;
      return {
        ok: growth <= 0.05,
        seconds: Math.round(duration / 1_000),
        records,
        megabytes,
        growth,
        text: `overload: ${Math.round(duration / 1_000)} s, ${records} records published, ${megabytes} MB resident, ${(growth * 100).toFixed(1)} % more than when it was warm`,
      };
    } finally {
      await world.close();
    }
  },
};
