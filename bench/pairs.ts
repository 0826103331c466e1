// Tasks timed against each other in turns, A B B A, so that what slows the machine for a while slows
// all of them. Times and compares; does not know what the tasks do.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { stopwatch } from "../runtime/clock.ts";

/** What one run took: as the clock on the wall says, and as much of it as this thread had a processor. */
export interface Timing {
  readonly wall_ms: number;
  readonly cpu_ms: number;
}

/** Two runs, one after the other. */
export interface Pair {
  readonly a: Timing;
  readonly b: Timing;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A task: prepares, untimed, and returns what is timed. */
export type Task = () => () => void;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function timed(task: Task): Timing {
  const run = task();
  // Neither pays for what the other left behind.
  collect();
  const cpu = process.threadCpuUsage();
  const before = stopwatch();
  run();
  const wall_ms = stopwatch() - before;
  const { user, system } = process.threadCpuUsage(cpu);
  return { wall_ms, cpu_ms: (user + system) / 1000 };
}

/** Times every task once in each of `rounds`, after `warmups` rounds that do not count; every other round goes backwards. By task, its timings. */
export function timeRounds(
  tasks: readonly Task[],
  rounds: number,
  warmups: number,
): readonly (readonly Timing[])[] {
  const taken: Timing[][] = tasks.map(() => []);
  for (let round = -warmups; round < rounds; round++) {
    const places = [...tasks.keys()];
    for (const place of round % 2 === 0 ? places : places.toReversed()) {
      const timing = timed(tasks[place]!);
      if (round >= 0) taken[place]!.push(timing);
    }
  }
  return taken;
}

/** Times `pairs` pairs, after `warmups` that do not count: A B, B A, A B, … */
export function timePairs(a: Task, b: Task, pairs: number, warmups: number): readonly Pair[] {
  const [first, second] = timeRounds([a, b], pairs, warmups) as [readonly Timing[], readonly Timing[]];
  return first.map((timing, pair) => ({ a: timing, b: second[pair]! }));
}

function totalOf(timings: readonly Timing[], name: keyof Timing): number {
  return timings.reduce((sum, timing) => sum + timing[name], 0);
}

/** How often the processor time of `a` goes into that of `b`; over all pairs, as systems count it in steps of some ms. */
export function processorRatio(pairs: readonly Pair[]): number {
  const [a, b] = [pairs.map((pair) => pair.a), pairs.map((pair) => pair.b)];
  return totalOf(b, "cpu_ms") / totalOf(a, "cpu_ms");
}

/** The share of the time that this thread had a processor: well below 1 on a machine that does other work. */
export function processorShare(timings: readonly Timing[]): number {
  return totalOf(timings, "cpu_ms") / totalOf(timings, "wall_ms");
}

/** Median, smallest and largest of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
