// Timings of a run to what a record costs. Arithmetic only.

import { spreadOf, type Timing } from "../pairs.ts";
import type { Cost } from "../report.ts";

/**
 * The cost by processor time, all runs together, because systems count it in steps of some ms. The least
 * is by the clock on the wall, which is finer, and which other programs can only make longer.
 */
export function costOf(run: {
  readonly workload: string;
  /** Handled by one run. */
  readonly records: number;
  readonly hash: string;
  readonly timings: readonly Timing[];
  readonly want: number | null;
}): Cost {
  const { workload, records, hash, timings, want } = run;
  const cpu_ms = timings.reduce((total, timing) => total + timing.cpu_ms, 0);
  const ns_per_record = (cpu_ms * 1e6) / (records * timings.length);
  const least_ms = spreadOf(timings.map(({ wall_ms }) => wall_ms)).min;
  return {
    suite: "state",
    workload,
    records,
    ns_per_record,
    ns_per_record_min: (least_ms * 1e6) / records,
    output_hash: hash,
    want,
    met: want === null || ns_per_record <= want,
  };
}
