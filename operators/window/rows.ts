// The rows of windows, from slots to the columns that go out. Frees no slot.

import type { AggregateState, Collector, KeyTable, WritableColumn } from "weir/sdk";
import type { Grouping } from "./kind.ts";

/** The table that the slots are in. */
export interface SlotTable {
  readonly keys: KeyTable;
  readonly states: readonly AggregateState[];
}

/** What stands between the window's end and the key: a name, yes or no, a number; one value for all rows, or one a row. */
export type Label = string | boolean | Float64Array;

/** Rows side by side; a single number stands for all of them. */
export interface WindowRows {
  readonly count: number;
  readonly keys: Uint32Array;
  readonly slots: Uint32Array;
  readonly start: number | Float64Array;
  readonly end: number | Float64Array;
  readonly time: number | Float64Array;
  /** How many input records a row stands for. */
  readonly weight: number | Float64Array;
  readonly labels: readonly Label[];
}

/** Sends the rows, if there are any. `keys` knows the keys, and `table` holds the slots. */
export function sendRows(
  out: Collector,
  grouping: Grouping,
  keys: KeyTable,
  { states }: Pick<SlotTable, "states">,
  rows: WindowRows,
): void {
  const { calls, shared } = grouping;
  sendResults(out, grouping, keys, rows, (column, call) =>
    calls[call]!.aggregate.finish(states[shared.places[call]!]!, rows.slots, rows.count, column),
  );
}

/** Sends rows whose results are written, column by column, by `write`. */
export function sendResults(
  out: Collector,
  { by, calls }: Grouping,
  keys: KeyTable,
  rows: Omit<WindowRows, "slots">,
  write: (column: WritableColumn, call: number) => void,
): void {
  const { count } = rows;
  if (count === 0) return;
  const draft = out.draft(count);
  put(draft.time, rows.time, count);
  put(draft.weight, rows.weight, count);
  // Rows go out in order of their times. So what follows is told the same time whichever batch brought them.
  put(draft.watermark, rows.time, count);
  put(draft.columns[0]!.values as Float64Array, rows.start, count);
  put(draft.columns[1]!.values as Float64Array, rows.end, count);
  let column = 2;
  for (const label of rows.labels) {
    const values = draft.columns[column]!.values;
    if (typeof label === "object") (values as Float64Array).set(label.subarray(0, count));
    else values.fill((typeof label === "string" ? draft.text(column, label) : Number(label)) as never);
    column++;
  }
  by.forEach((_column, part) => keys.write(part, rows.keys, count, draft.columns[column++]!));
  calls.forEach((_call, call) => write(draft.columns[column++]!, call));
  out.append(draft);
}

function put(target: Float64Array, values: number | Float64Array, count: number): void {
  if (typeof values === "number") target.fill(values);
  else target.set(values.subarray(0, count));
}
