// The statistics that Theodolite's use cases ask for, as the program by hand keeps them, and what makes two
// answers the same.

import { type Row, rounded } from "../../side-by-side/workload.ts";

export interface Statistics {
  count: number;
  sum: number;
  min: number;
  max: number;
  /** Welford's: the mean so far, and the sum of squared distances from it. */
  mean: number;
  squares: number;
}

export function begin(): Statistics {
  return { count: 0, sum: 0, min: Infinity, max: -Infinity, mean: 0, squares: 0 };
}

export function add(to: Statistics, value: number): void {
  to.count++;
  to.sum += value;
  if (value < to.min) to.min = value;
  if (value > to.max) to.max = value;
  const distance = value - to.mean;
  to.mean += distance / to.count;
  to.squares += distance * (value - to.mean);
}

/** The members of a result row. */
export function members({ count, sum, min, max, mean, squares }: Statistics): Row {
  return { count, sum, min, max, mean, variance: squares / count };
}

export function canonicalStatistics({ count, sum, min, max, mean, variance }: Row): string {
  const decimals = 4;
  return [Number(count), ...[sum, min, max, mean, variance].map((each) => rounded(each, decimals))].join();
}
