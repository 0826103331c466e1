// Two tasks timed against each other in turns, A B B A, so that what slows the machine for a while slows
// both. Times and compares; does not know what the tasks do.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { stopwatch } from "../runtime/clock.ts";

/** How long both took in one pair. */
export interface Pair {
  readonly a_ms: number;
  readonly b_ms: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A task: prepares, untimed, and returns what is timed. */
export type Task = () => () => void;

/** Which of the two goes first in each pair: A B, B A, A B, B A, … */
export function firstIsA(pair: number): boolean {
  return pair % 2 === 0;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function timed(task: Task): number {
  const run = task();
  // Neither pays for what the other left behind.
  collect();
  const before = stopwatch();
  run();
  return stopwatch() - before;
}

/** Times `pairs` pairs, after `warmups` that do not count. */
export function timePairs(a: Task, b: Task, pairs: number, warmups: number): readonly Pair[] {
  const taken: Pair[] = [];
  for (let pair = -warmups; pair < pairs; pair++) {
    let a_ms: number;
    let b_ms: number;
    if (firstIsA(Math.abs(pair))) {
      a_ms = timed(a);
      b_ms = timed(b);
    } else {
      b_ms = timed(b);
      a_ms = timed(a);
    }
    if (pair >= 0) taken.push({ a_ms, b_ms });
  }
  return taken;
}

/** Median, smallest and largest of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
