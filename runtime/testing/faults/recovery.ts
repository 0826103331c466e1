// How long it takes from the SIGKILL of a worker with much state until its next row is in the cloud.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { stopwatch } from "../../clock.ts";
import { Random } from "../simulation/random.ts";
import type { Measurement } from "./measurement.ts";
import { processorTime } from "./process-figures.ts";
import { sourceStream, sourceSubject } from "./publisher.ts";
import { recordAt, sampledBelow } from "./records.ts";
import { World } from "./world.ts";

const keys = 1_000_000;
const kills = 20;

/** A window a day long that no run ends: all its keys are state. */
const pipeline = `name: faults
source:
  nats: { subject: "${sourceSubject}", stream: ${sourceStream} }
  framing: lines
  format: json
  schema: { device: string, seq: float64, ts: time, value: float64 }
  time: { field: ts, unit: ms, lateness: 2s }
limits: { keys: { max: ${keys} }, memory: 1GiB }
steps:
  - branch:
      raw:
        - filter: value < ${sampledBelow}
        - sink: { nats: { subject: "raw.rows", stream: RAW, to: cloud }, format: json }
      windows:
        - window: { tumbling: 1d, by: device, select: { n: count(), total: sum(value), least: min(value), most: max(value) } }
        - sink: { nats: { subject: "win.{device}", stream: WIN, to: cloud }, format: json }
`;

function keyedLines(first: number, end: number): string {
  const lines: string[] = [];
  for (let seq = first; seq < end; seq++)
    lines.push(JSON.stringify({ ...recordAt(seq), device: `device-${seq % keys}` }));
  return `${lines.join("\n")}\n`;
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

export interface RecoveryTimes {
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** Of few values the 99th percentile is the largest. */
export function recoveryTimes(values: readonly number[]): RecoveryTimes {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return { p50_ms: at(0.5), p99_ms: at(0.99) };
}

export const recovery: Measurement = {
  name: "recovery",
  about: `from SIGKILL to the next row in the cloud, with the state of ${keys} keys, ${kills} times`,
  async run({ seed, isShort, say }) {
    const random = new Random(seed);
    const world = await World.make({
      random,
      say,
      pipeline,
      lines: 2_000,
      ahead: 60_000,
      every_ms: 0,
      text: keyedLines,
    });
    try {
      world.begin();
      const all = isShort ? keys / 10 : keys;
      await world.alive(`state of ${all} keys`, () => world.cloud.arrived >= all);
      const times: number[] = [];
      const busy: number[] = [];
      for (let kill = 0; kill < kills; kill++) {
        await world.flows(random.between(5_000, 20_000));
        const start = stopwatch();
        await world.killWorker();
        const row = world.cloud.nextRow();
        const { pid = 0 } = world.startWorker();
        await row;
        times.push(stopwatch() - start);
        busy.push(processorTime(pid));
        say(`  ${kill + 1}: ${Math.round(times.at(-1)!)} ms, ${busy.at(-1)} ms of processor time`);
      }
      const state_bytes = bytesBelow(world.state);
      const { p50_ms, p99_ms } = recoveryTimes(times);
      const processor_ms = recoveryTimes(busy).p50_ms;
      return {
        ok: p99_ms <= 2_000,
        keys: all,
        kills,
        state_bytes,
        p50_ms,
        p99_ms,
        processor_ms,
        text: `recovery: ${all} keys, ${Math.round(state_bytes / 1e6)} MB on disk, ${kills} kills: p50 ${p50_ms} ms, p99 ${p99_ms} ms; ${processor_ms} ms of processor time`,
      };
    } finally {
      await world.close();
    }
  },
};
