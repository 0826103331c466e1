// What a fault run says at its end, for people and for machines. Pure.

import { type Counts, isClean, type Verdict } from "./verdict.ts";

/** One scenario that ran. */
export interface Outcome {
  readonly name: string;
  readonly seed: number;
  /** It ran in the form for a run that has little time. */
  readonly isShort: boolean;
  readonly crashes: number;
  readonly verdict: Verdict;
  /** What did not happen as it must; null where all did. */
  readonly fault: string | null;
}

export interface Report extends Counts {
  runs: number;
  crashes: number;
  readonly skipped: readonly string[];
}

/** A scenario that did not end as it must counts as wrong, whatever its rows are. */
export function reportOf(outcomes: readonly Outcome[], skipped: readonly string[]): Report {
  const report: Report = {
    runs: outcomes.length,
    crashes: 0,
    records: 0,
    lost: 0,
    duplicated: 0,
    out_of_order: 0,
    wrong: 0,
    skipped,
  };
  for (const { crashes, verdict, fault } of outcomes) {
    report.crashes += crashes;
    report.records += verdict.records;
    report.lost += verdict.lost;
    report.duplicated += verdict.duplicated;
    report.out_of_order += verdict.out_of_order;
    report.wrong += verdict.wrong + (fault === null ? 0 : 1);
  }
  return report;
}

/** Something ran, and all of it is as it must be. */
export function isPassed(report: Report): boolean {
  return report.runs > 0 && isClean(report);
}

/** One scenario in a few lines; one that failed says how it is run again. */
export function outcomeText({ name, seed, isShort, crashes, verdict, fault }: Outcome): string {
  const { records, lost, duplicated, out_of_order, wrong, notes } = verdict;
  const figures = `${records} records, ${crashes} crashes, ${lost} lost, ${duplicated} duplicated, ${out_of_order} out of order, ${wrong} wrong`;
  if (fault === null && isClean(verdict)) return `${name}  ok: ${figures}`;
  const reasons = [...(fault === null ? [] : [fault]), ...notes];
  return [
    `${name}  FAILED: ${figures}`,
    ...reasons.map((reason) => reason.replaceAll(/^/gm, "    ")),
    `  again: npm run faults -- --seed ${seed} --only ${name}${isShort ? " --short" : ""}`,
  ].join("\n");
}

export function reportText(report: Report): string {
  const { runs, crashes, records, lost, duplicated, out_of_order, wrong, skipped } = report;
  const left = skipped.length === 0 ? "" : `; skipped ${skipped.join(", ")}`;
  return `${isPassed(report) ? "ok" : "NOT as it must be"}: ${runs} scenarios, ${crashes} crashes, ${records} records: ${lost} lost, ${duplicated} duplicated, ${out_of_order} out of order, ${wrong} wrong${left}`;
}
