// The numbers of one column that came before, of float64, time or bool: one cell a slot holds the last. The arrays are used again
// from batch to batch. Keeps nothing itself: the state is the caller's table.

import type { Aggregate, AggregateState, Batch, Column, ColumnReference } from "weir/sdk";
import { present } from "../window/aggregates/present.ts";
import { writeNumber } from "../window/aggregates/result.ts";

/** The number of a slot that came last, whatever its time. One cell: NaN before the first. */
export const lastNumber: Aggregate = {
  initial: [Number.NaN],
  add({ cells }, allSlots, allRows, total, input) {
    const kept = cells[0]!;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) kept[slots[i]!] = Number(input!.values[rows[i]!]);
  },
  merge(target, into, source, from) {
    const later = source.cells[0]![from]!;
    if (!Number.isNaN(later)) target.cells[0]![into] = later;
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) writeNumber(out, i, cells[0]![slots[i]!]!);
  },
};

export class EarlierNumber {
  readonly #column: ColumnReference;
  #values: Float64Array | Uint8Array;
  #valid = new Uint8Array(0);

  constructor(column: ColumnReference) {
    this.#column = column;
    this.#values = column.type === "bool" ? new Uint8Array(0) : new Float64Array(0);
  }

  /** By row of the batch, for `rows[i]` what its slot `slots[i]` had before it; the rows' own values are kept from then on. */
  take(
    batch: Batch,
    { cells }: AggregateState,
    slots: Uint32Array,
    rows: Uint32Array,
    count: number,
  ): Column {
    const { type, index } = this.#column;
    const { values: given, valid: there } = batch.columns[index]!;
    if (this.#valid.length < batch.rows) {
      this.#values = type === "bool" ? new Uint8Array(batch.rows) : new Float64Array(batch.rows);
      this.#valid = new Uint8Array(batch.rows);
    }
    const [kept, values, valid] = [cells[0]!, this.#values, this.#valid];
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const slot = slots[i]!;
      const before = kept[slot]!;
      values[row] = before;
      // Only NaN is not itself.
      valid[row] = before === before ? 1 : 0;
      if (there === null || there[row] === 1) kept[slot] = given[row] as number;
    }
    return { type, values, valid, dictionary: null } as Column;
  }
}
