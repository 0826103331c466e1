// What the benchmarks say: a table for people, or one JSON object a line for programs.

import { availableParallelism, cpus } from "node:os";
import { wallClock } from "../runtime/clock.ts";
import { processorShare, type Timing } from "./pairs.ts";

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

/** What a record costs in one operator or aggregate. */
export interface Cost {
  readonly suite: string;
  readonly workload: string;
  readonly records: number;
  /** Processor time of a record, over all runs together, and in the run that took least of it. */
  readonly ns_per_record: number;
  readonly ns_per_record_min: number;
  readonly output_hash: string;
  /** The most that it is to cost; null where nothing was promised. */
  readonly want: number | null;
  readonly met: boolean;
}

/** What was to be reached: a factor between two that were timed in turns. */
export interface Verdict {
  readonly target: string;
  /** The median of the pairs' ratios, and how far they spread. */
  readonly ratio: number;
  readonly ratio_min: number;
  readonly ratio_max: number;
  readonly pairs: number;
  readonly want: number;
  /** Whether the ratio is to be at least or at most that. */
  readonly bound: "least" | "most";
  readonly met: boolean;
}

export interface Report {
  /** A line for people only. */
  note(text: string): void;
  result(result: Result): void;
  cost(cost: Cost): void;
  verdict(verdict: Verdict): void;
}

/** Below this share of a processor the timings say more about the machine's other work than about weir. */
const quietShare = 0.95;

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
  cost({ workload, ns_per_record, ns_per_record_min, want, met, output_hash }) {
    const figures = `${ns_per_record.toFixed(1).padStart(8)} ns (${ns_per_record_min.toFixed(1)} at least)`;
    const judged = want === null ? "" : `   wanted ${want}: ${met ? "met" : "NOT met"}`;
    write(`  ${workload.padEnd(28)} ${figures.padEnd(32)} output ${output_hash}${judged}`);
  },
  verdict({ target, ratio, ratio_min, ratio_max, pairs, want, bound, met }) {
    const spread = `${ratio_min.toFixed(2)} to ${ratio_max.toFixed(2)} in ${pairs} pairs`;
    const wanted = `wanted at ${bound} ${want}×: ${met ? "met" : "NOT met"}`;
    write(`  ${target}: ${ratio.toFixed(2)}× (${spread}); ${wanted}`);
  },
};

export const jsonReport: Report = {
  note: () => {
    // Notes are for people.
  },
  result: (result) => write(JSON.stringify(result)),
  cost: (cost) => write(JSON.stringify(cost)),
  verdict: (verdict) => write(JSON.stringify(verdict)),
};

/** Says so when the machine did other work while these were taken. */
export function noteBusy(timings: readonly Timing[], report: Report): void {
  const share = processorShare(timings);
  if (share >= quietShare) return;
  const percent = Math.round(share * 100);
  report.note(
    `  the machine was busy: ${percent} % of a processor for this thread. Take these for no measurement.`,
  );
}
