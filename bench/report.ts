// What the benchmarks say: a table for people, or one JSON object a line for programs. Computes nothing.

import { availableParallelism, cpus } from "node:os";
import { wallClock } from "../runtime/clock.ts";

/** One engine on one workload. */
export interface Result {
  readonly suite: string;
  readonly workload: string;
  readonly engine: string;
  readonly threads: number;
  readonly records: number;
  readonly records_per_s: number;
  /** Names what it made; equal where the output is. */
  readonly output_hash: string;
}

/** What was to be reached, as a factor of the slower engine's throughput. */
export interface Verdict {
  readonly target: string;
  /** The median of the pairs' ratios, and how far they spread. */
  readonly ratio: number;
  readonly ratio_min: number;
  readonly ratio_max: number;
  readonly pairs: number;
  readonly want: number;
  readonly met: boolean;
}

export interface Report {
  /** A line for people only. */
  note(text: string): void;
  result(result: Result): void;
  verdict(verdict: Verdict): void;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The machine, in one line. */
export function machineText(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const date = new Date(wallClock.now()).toISOString().slice(0, 10);
  return `${model}, ${availableParallelism()} cores, ${process.arch}, node ${process.versions.node}, ${date}`;
}

function millions(perSecond: number): string {
  return `${(perSecond / 1e6).toFixed(2)} M records/s`;
}

export const tableReport: Report = {
  note: write,
  result({ engine, records_per_s, output_hash }) {
    write(`  ${engine.padEnd(28)} ${millions(records_per_s).padStart(20)}   output ${output_hash}`);
  },
  verdict({ target, ratio, ratio_min, ratio_max, pairs, want, met }) {
    const spread = `${ratio_min.toFixed(2)} to ${ratio_max.toFixed(2)} in ${pairs} pairs`;
    write(`  ${target}: ${ratio.toFixed(2)}× (${spread}); wanted ${want}×: ${met ? "met" : "NOT met"}`);
  },
};

export const jsonReport: Report = {
  note: () => {
    // Notes are for people.
  },
  result: (result) => write(JSON.stringify(result)),
  verdict: (verdict) => write(JSON.stringify(verdict)),
};
