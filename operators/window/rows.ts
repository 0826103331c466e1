// The rows of windows, from slots to the columns that go out. Frees no slot.

import type { AggregateState, Collector, KeyTable } from "weir/sdk";
import type { Grouping } from "./kind.ts";

/** The table that the slots are in. */
export interface SlotTable {
  readonly keys: KeyTable;
  readonly states: readonly AggregateState[];
}

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
  /** What stands between the window's end and the key: its name, or whether this is its last row; null for nothing. */
  readonly label: string | boolean | null;
}

/** Sends the rows, if there are any. `keys` knows the keys, and `table` holds the slots. */
export function sendRows(
  out: Collector,
  { by, calls, shared }: Grouping,
  keys: KeyTable,
  { states }: Pick<SlotTable, "states">,
  rows: WindowRows,
): void {
  const { count, label } = rows;
  if (count === 0) return;
  const draft = out.draft(count);
  put(draft.time, rows.time, count);
  put(draft.weight, rows.weight, count);
  put(draft.columns[0]!.values as Float64Array, rows.start, count);
  put(draft.columns[1]!.values as Float64Array, rows.end, count);
  let column = 2;
  if (label !== null) {
    const value = typeof label === "string" ? draft.text(column, label) : Number(label);
    draft.columns[column]!.values.fill(value as never);
    column++;
  }
  by.forEach((_column, part) => keys.write(part, rows.keys, count, draft.columns[column++]!));
  calls.forEach(({ aggregate }, call) =>
    aggregate.finish(states[shared.places[call]!]!, rows.slots, count, draft.columns[column++]!),
  );
  out.append(draft);
}

function put(target: Float64Array, values: number | Float64Array, count: number): void {
  if (typeof values === "number") target.fill(values);
  else target.set(values.subarray(0, count));
}
