// Rows of windows that may have been condensed while they waited: each is held against the rows that it stands for, which are
// those of its device within its time, merged by the plainest code there is. None of those stands in two rows.

import type { ExpectedRow } from "./expected-rows.ts";
import type { Row } from "./message-entries.ts";
import { type DeliveredRow, judgeMissing, judgeRow, type RowRules, type Verdict } from "./verdict.ts";
import type { SinkPlan } from "./workload.ts";

export interface CondensedRules extends RowRules {
  /** How many rows the outbox says that there are fewer by condensing. */
  readonly condensed: number;
}

export function judgeCondensed(
  verdict: Verdict,
  sink: SinkPlan,
  incarnations: readonly (readonly DeliveredRow[])[],
  expected: readonly ExpectedRow[],
  { mayRepeat, dropped, condensed }: CondensedRules,
): void {
  const seen = new Set<ExpectedRow>();
  const kinds = new Set<string>();
  for (const rows of incarnations) {
    const here = new Set<ExpectedRow>();
    for (const { row } of rows) {
      const place = `${sink.stream} ${String(row["device"])} ${String(row["window_start"])}`;
      const parts = expected.filter((each) => isPart(each, row));
      if (parts.length === 0)
        verdict.add("wrong", `${place}: it stands for no row that is expected: ${JSON.stringify(row)}`);
      else judgeRow(verdict, place, merged(parts), row);
      for (const part of parts) {
        if (here.has(part) && !mayRepeat(part.key)) verdict.add("duplicated", `${place}: ${part.key}`);
        here.add(part);
        seen.add(part);
      }
      kinds.add(`${place} ${String(row["window_end"])}`);
    }
  }
  const missing = expected.filter((each) => !seen.has(each));
  judgeMissing(verdict, sink, missing, dropped);
  const fewer = seen.size - kinds.size;
  if (fewer !== condensed)
    verdict.add(
      "wrong",
      `${sink.stream}: ${condensed} rows fewer are counted by condensing, and ${fewer} are`,
    );
}

const numberIn = (row: Row, name: string): number => Number(row[name]);

function isPart({ device, row }: ExpectedRow, whole: Row): boolean {
  return (
    device === whole["device"] &&
    numberIn(row, "window_start") >= numberIn(whole, "window_start") &&
    numberIn(row, "window_end") <= numberIn(whole, "window_end")
  );
}

function merged(parts: readonly ExpectedRow[]): Row {
  const all = (name: string): number[] => parts.map(({ row }) => numberIn(row, name));
  const sum = (name: string): number => all(name).reduce((total, value) => total + value, 0);
  return {
    window_start: Math.min(...all("window_start")),
    window_end: Math.max(...all("window_end")),
    records: sum("records"),
    total: sum("total"),
    newest: Math.max(...all("newest")),
    oldest: Math.min(...all("oldest")),
  };
}
