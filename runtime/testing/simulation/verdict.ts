// What a schedule came to: what is in the cloud beside what must be there. Counts faults by kind and says the first of each.

import { type ExpectedRow, keyOf } from "./expected-rows.ts";
import type { Row } from "./message-entries.ts";
import type { SinkPlan } from "./workload.ts";

export type Fault = "lost" | "duplicated" | "out_of_order" | "wrong";

export class Verdict {
  readonly counts: Record<Fault, number> = { lost: 0, duplicated: 0, out_of_order: 0, wrong: 0 };
  readonly said: string[] = [];

  add(fault: Fault, what: string): void {
    this.counts[fault]++;
    if (this.said.length < 20) this.said.push(`${fault}: ${what}`);
  }

  get isGood(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }
}

/** A row of the cloud. */
export interface DeliveredRow {
  readonly row: Row;
  readonly isBacklog: boolean;
}

/** What is promised of the rows of one sink. */
export interface RowRules {
  /** Rows of one device come in their order; backlog and what is not backlog each in its own. */
  readonly ordered: boolean;
  /** Whether a row may come twice, for a reason that was judged elsewhere. */
  readonly mayRepeat: (key: string) => boolean;
  /** How many the outbox says that it has dropped. */
  readonly dropped: number;
}

/** Holds the rows of one sink, by the incarnations of its stream, against what is expected of it. */
export function judgeRows(
  verdict: Verdict,
  sink: SinkPlan,
  incarnations: readonly (readonly DeliveredRow[])[],
  expected: readonly ExpectedRow[],
  rules: RowRules,
): void {
  const wanted = new Map(expected.map((each, place) => [each.key, { ...each, place }]));
  const seen = new Set<string>();
  for (const rows of incarnations) {
    const here = new Set<string>();
    const places = new Map<string, number>();
    for (const { row, isBacklog } of rows) {
      const key = keyOf(sink.kind, row);
      const place = `${sink.stream} ${key}`;
      const isRepeat = here.has(key);
      if (isRepeat && !rules.mayRepeat(key)) verdict.add("duplicated", place);
      here.add(key);
      seen.add(key);
      const want = wanted.get(key);
      if (want === undefined) {
        verdict.add("wrong", `${place}: no such row is expected: ${JSON.stringify(row)}`);
        continue;
      }
      judgeRow(verdict, place, want.row, row);
      if (!rules.ordered || (isRepeat && rules.mayRepeat(key))) continue;
      const line = `${want.device} ${isBacklog}`;
      if (want.place < (places.get(line) ?? -1)) verdict.add("out_of_order", place);
      places.set(line, want.place);
    }
  }
  const missing = expected.filter(({ key }) => !seen.has(key));
  judgeMissing(verdict, sink, missing, rules.dropped);
}

/** As many are missing as were dropped, to the row. */
export function judgeMissing(
  verdict: Verdict,
  { stream }: SinkPlan,
  missing: readonly ExpectedRow[],
  dropped: number,
): void {
  if (missing.length < dropped)
    verdict.add("wrong", `${stream}: ${dropped} rows are said to be dropped, and ${missing.length} are`);
  for (const { key, row } of missing.slice(dropped))
    verdict.add("lost", `${stream} ${key}: ${JSON.stringify(row)} (${dropped} are said to be dropped)`);
}

export function judgeRow(verdict: Verdict, place: string, want: Row, row: Row): void {
  const differs = Object.keys(want).some((name) => want[name] !== row[name]);
  if (differs) verdict.add("wrong", `${place}: expected ${JSON.stringify(want)}, got ${JSON.stringify(row)}`);
}
