// One record of a batch as an operator's function sees it, and its values. Reads only.

import type { Column } from "./batch.ts";
import type { ColumnReference } from "./expression.ts";

/** What a field may hold, seen one record at a time. `json` is its text. */
export type Scalar = number | bigint | boolean | string | null;

/** One record, valid only inside the call that it was passed to. */
export interface RecordView {
  /** Event time, ms since the epoch. */
  readonly time: number;
  /** The value of a column; null when it is null. */
  get(column: ColumnReference): Scalar;
  /** The value of a number or time column; NaN when it is null. */
  number(column: ColumnReference): number;
  /** The value of a string column; empty when it is null. */
  text(column: ColumnReference): string;
}

/** The value of one row of a column. */
export function valueAt(column: Column, row: number): Scalar {
  if (column.valid !== null && column.valid[row] === 0) return null;
  switch (column.type) {
    case "bool":
      return column.values[row] === 1;
    case "string":
    case "json":
      return column.dictionary.text(column.values[row]!);
    default:
      return column.values[row]!;
  }
}
