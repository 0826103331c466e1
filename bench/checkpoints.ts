// The `checkpoints` benchmark: what it costs to tell how the state of an engine has changed since the last time, by how
// many keys there are and how many of them had a reading; and what is left of throughput where that is asked for all
// the time. Before anything is timed, what was told is held to the engine.

import { ownedPayloads } from "../runtime/batch/payloads.ts";
import { stopwatch } from "../runtime/clock.ts";
import { Checkpoints } from "../runtime/engine/checkpoints.ts";
import { drawn, KeyedEngine, readingsOf, shuffled } from "./keyed-load.ts";
import { processorRatio, spreadOf, type Task, timePairs } from "./pairs.ts";
import { atMost, noteBusy, type Report } from "./report.ts";

/** How many of the keys had a reading since the last checkpoint, in percent. */
const touched = [100, 1, 0];
const keysQuick = [1_000, 10_000, 100_000];
const keysAll = [...keysQuick, 1_000_000];
/** What a checkpoint may take, ms of the processor, by keys and touched. */
const wanted: Readonly<Record<string, number>> = { "10000 100": 1, "1000000 1": 30 };
/** Checkpoints of one case: so many that the processor's clock is fine enough, and that readings do not take too long. */
const checkpointsMin = 4;
const checkpointsMax = 100;
const readingsMax = 2_000_000;

/** As many devices as the Theodolite use case has on a gateway, and how often state is asked for. */
const shareKeys = 1_000;
const every_ms = 100;
/** A run has to last for some checkpoints. */
const shareRepeats = 12;
const costWanted = 1 / 0.95;

export interface CheckpointOptions {
  readonly records: number;
  readonly pairs: number;
  readonly quick: boolean;
}

/** Returns false when what was told is not the state; then nothing was timed. */
export function benchCheckpoints({ records, pairs, quick }: CheckpointOptions, report: Report): boolean {
  const fault = restoringFault();
  if (fault !== null) {
    process.stderr.write(`${fault}\n`);
    return false;
  }
  report.note("a checkpoint of count, sum, min and max of each key in one open window");
  for (const keys of quick ? keysQuick : keysAll) benchKeys(keys, report);
  benchShare(records, pairs, report);
  return true;
}

/** What is wrong with an engine that goes on from checkpoints; null when it is as the other one. */
function restoringFault(): string | null {
  const [engine, other] = [new KeyedEngine(), new KeyedEngine()];
  const changes: Uint8Array[] = [];
  const checkpoints = new Checkpoints(engine.engine);
  for (const share of [1, 0.01, 1]) {
    for (const batch of readingsOf(drawn(3_000 * share, 3_000, changes.length))) engine.feed(batch);
    changes.push(checkpoints.take(0)!);
  }
  new Checkpoints(other.engine).restore(changes, 0);
  const [expected, found] = [engine.engine.snapshot(0), other.engine.snapshot(0)];
  return Buffer.from(expected).equals(found) ? null : "what goes on from checkpoints is not what it was";
}

function benchKeys(keys: number, report: Report): void {
  const engine = new KeyedEngine();
  for (const batch of readingsOf(shuffled(keys))) engine.feed(batch);
  const checkpoints = new Checkpoints(engine.engine);
  const whole = checkpoints.take(0)!.length;
  report.note(`${keys} keys, ${(whole / 1e6).toFixed(2)} MB as a whole`);
  for (const percent of touched) {
    const readings = (keys * percent) / 100;
    const rounds = Math.floor(readingsMax / Math.max(1, readings));
    const count = Math.max(checkpointsMin, Math.min(checkpointsMax, rounds));
    const [cpu_ms, wall_ms]: number[][] = [[], []];
    let bytes = 0;
    for (let round = 0; round < count; round++) {
      const devices = percent === 100 ? shuffled(keys, round) : drawn(readings, keys, round * 3 + percent);
      for (const batch of readingsOf(devices)) engine.feed(batch);
      const [cpu, started] = [process.threadCpuUsage(), stopwatch()];
      bytes = checkpoints.take(0)?.length ?? 0;
      wall_ms!.push(stopwatch() - started);
      const { user, system } = process.threadCpuUsage(cpu);
      cpu_ms!.push((user + system) / 1000);
    }
    // The first ones are run by code that is not yet compiled.
    const mean_ms = meanOf(cpu_ms!.slice(count >>> 2));
    reportCost(keys, percent, { mean_ms, least_ms: spreadOf(wall_ms!).min, bytes }, report);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

interface CheckpointCost {
  /** Of the processor. */
  readonly mean_ms: number;
  /** By the clock on the wall. */
  readonly least_ms: number;
  readonly bytes: number;
}

function reportCost(keys: number, percent: number, cost: CheckpointCost, report: Report): void {
  const { mean_ms, least_ms, bytes } = cost;
  const figures = `${mean_ms.toFixed(3)} ms of the processor (${least_ms.toFixed(3)} at least), ${bytes} bytes`;
  report.note(`  ${`${percent} % of them touched`.padEnd(24)} ${figures}`);
  const want = wanted[`${keys} ${percent}`];
  if (want === undefined) return;
  const target = `a checkpoint of ${keys} keys, ${percent} % touched, against ${want} ms`;
  report.verdict(atMost(target, mean_ms / want, 1));
}

/** A whole run with a checkpoint every 100 ms, against one with none. */
function benchShare(records: number, pairs: number, report: Report): void {
  report.note(`${shareKeys} keys, a checkpoint every ${every_ms} ms against none`);
  const taken = timePairs(taskOf(records, false), taskOf(records, true), pairs, 1);
  const spread = spreadOf(taken.map(({ a, b }) => b.cpu_ms / a.cpu_ms));
  report.note(`  all pairs together: ${processorRatio(taken).toFixed(3)}×`);
  report.verdict({
    target: `cost of a record with a checkpoint every ${every_ms} ms against none`,
    ratio: spread.median,
    ratio_min: spread.min,
    ratio_max: spread.max,
    pairs,
    want: Number(costWanted.toFixed(3)),
    bound: "most",
    met: spread.median <= costWanted,
  });
  noteBusy(
    taken.flatMap(({ a, b }) => [a, b]),
    report,
  );
}

function taskOf(records: number, asks: boolean): Task {
  const batches = Array.from(readingsOf(drawn(records, shareKeys)), (batch) => ownedPayloads(batch));
  const engine = new KeyedEngine();
  const checkpoints = new Checkpoints(engine.engine);
  let fed = 0;
  return () => () => {
    let next = stopwatch() + every_ms;
    for (let repeat = 0; repeat < shareRepeats; repeat++)
      for (const batch of batches) {
        engine.feed(batch);
        if (!asks || stopwatch() < next) continue;
        checkpoints.take(0);
        next += every_ms;
      }
    engine.held((fed += records * shareRepeats));
  };
}
