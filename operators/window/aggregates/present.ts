// The rows of a batch that have a value in a column. Nulls are left out here, once a call, so that the
// loops of the aggregates need not ask for every value: that alone doubles what adding one costs.

import type { Column } from "weir/sdk";

/** Rows and their slots, side by side. Valid until the next call of `present`. */
export interface Present {
  readonly slots: Uint32Array;
  readonly rows: Uint32Array;
  readonly count: number;
}

let slotsWithValue = new Uint32Array(0);
let rowsWithValue = new Uint32Array(0);

/** Those of the first `count` rows of `rows`, and of their slots, that are not null in `column`; all of them without a column. */
export function present(
  slots: Uint32Array,
  rows: Uint32Array,
  count: number,
  column: Column | null,
): Present {
  const valid = column === null ? null : column.valid;
  if (valid === null) return { slots, rows, count };
  if (rowsWithValue.length < count) {
    slotsWithValue = new Uint32Array(count * 2);
    rowsWithValue = new Uint32Array(count * 2);
  }
  let kept = 0;
  for (let i = 0; i < count; i++) {
    slotsWithValue[kept] = slots[i]!;
    rowsWithValue[kept] = rows[i]!;
    kept += valid[rows[i]!]!;
  }
  return { slots: slotsWithValue, rows: rowsWithValue, count: kept };
}
