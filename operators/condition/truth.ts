// The truth of a condition, null being neither true nor false: of a row, or of all rows of a batch as marks of
// which each is 1 or 0. Decides nothing.

import type { Batch, Column } from "weir/sdk";

function isThere(column: Column, row: number): boolean {
  return column.valid === null || column.valid[row] === 1;
}

export function isTrue(column: Column, row: number): boolean {
  return column.values[row] === 1 && isThere(column, row);
}

/** Marks by row, in an array that is used again. Of rows that are not selected they are unspecified. */
export class Marks {
  #marks = new Uint8Array(0);

  /** 1 where a condition is true. */
  ofTrue({ values, valid }: Column, batch: Batch): Uint8Array {
    if (valid === null) return values as Uint8Array;
    return this.#of(values as Uint8Array, valid, 1, batch);
  }

  /** 1 where it is false. */
  ofFalse({ values, valid }: Column, batch: Batch): Uint8Array {
    return this.#of(values as Uint8Array, valid, 0, batch);
  }

  #of(
    values: Uint8Array,
    valid: Uint8Array | null,
    wanted: number,
    { rows, selection, count }: Batch,
  ): Uint8Array {
    if (this.#marks.length < rows) this.#marks = new Uint8Array(rows);
    const marks = this.#marks;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      marks[row] = values[row] === wanted && (valid === null || valid[row] === 1) ? 1 : 0;
    }
    return marks;
  }
}
