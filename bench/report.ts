// What the benchmarks say: a table for people, or one JSON object a line for programs, and all of it for the
// page of results.

import { availableParallelism, cpus } from "node:os";
import { wallClock } from "../runtime/clock.ts";
import { processorShare, spreadOf, type Timing } from "./pairs.ts";

/** One engine on one workload. */
export interface Result {
  readonly suite: string;
  readonly workload: string;
  readonly engine: string;
  readonly threads: number;
  readonly records: number;
  readonly records_per_s: number;
  /** Processor time of all its processes; absent where it is not known. */
  readonly cpu_s_per_m_records?: number;
  /** The most memory that all its processes had resident. */
  readonly peak_rss_mb?: number;
  /** Names what it made; equal where the output is. */
  readonly output_hash?: string;
  /** From when a record was meant to be sent until its row was there. */
  readonly p50_ms?: number;
  readonly p99_ms?: number;
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

/** That a single figure is at most `want`. */
export function atMost(target: string, ratio: number, want: number): Verdict {
  const spread = { ratio, ratio_min: ratio, ratio_max: ratio };
  return { target, ...spread, pairs: 1, want, bound: "most", met: ratio <= want };
}

export interface Report {
  /** A line for people only. */
  note(text: string): void;
  result(result: Result): void;
  cost(cost: Cost): void;
  verdict(verdict: Verdict): void;
}

/** Says how values compare with what is wanted of them at most. */
export function judge(
  report: Report,
  what: string,
  unit: string,
  values: readonly number[],
  want: number,
): void {
  const { median, min, max } = spreadOf(values);
  report.note(`  ${what}: ${median.toFixed(1)} ${unit}`);
  report.verdict({
    target: `${what}, of ${want} ${unit}`,
    ratio: median / want,
    ratio_min: min / want,
    ratio_max: max / want,
    pairs: values.length,
    want: 1,
    bound: "most",
    met: median <= want,
  });
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

function detailsOf({ cpu_s_per_m_records, peak_rss_mb, p50_ms, p99_ms, output_hash }: Result): string {
  const details: string[] = [];
  if (cpu_s_per_m_records !== undefined) details.push(`${cpu_s_per_m_records.toFixed(3)} cpu s/M`);
  if (peak_rss_mb !== undefined) details.push(`${peak_rss_mb.toFixed(0)} MB`);
  if (p50_ms !== undefined) details.push(`p50 ${p50_ms.toFixed(1)} ms`);
  if (p99_ms !== undefined) details.push(`p99 ${p99_ms.toFixed(1)} ms`);
  if (output_hash !== undefined) details.push(`output ${output_hash}`);
  return details.map((each) => `   ${each}`).join("");
}

function millions(perSecond: number): string {
  return `${(perSecond / 1e6).toFixed(2)} M records/s`;
}

export const tableReport: Report = {
  note: write,
  result(result) {
    write(`  ${result.engine.padEnd(28)} ${millions(result.records_per_s).padStart(20)}${detailsOf(result)}`);
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

/** All that was reported. */
export interface Kept {
  readonly results: Result[];
  readonly costs: Cost[];
  readonly verdicts: Verdict[];
}

/** The same report, kept as well. */
export function keeping(report: Report, { results, costs, verdicts }: Kept): Report {
  return {
    note: report.note,
    result: (result) => {
      results.push(result);
      report.result(result);
    },
    cost: (cost) => {
      costs.push(cost);
      report.cost(cost);
    },
    verdict: (verdict) => {
      verdicts.push(verdict);
      report.verdict(verdict);
    },
  };
}

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
