// What has become of the rows of a batch, for the ledger: those that were neither sent nor kept nor left out for
// another reason are filtered, so that nothing has to be done for each of them. Decides nothing.

import type { Batch, Collector, Reason } from "weir/sdk";
import { isRow, rowOf } from "./record-reference.ts";

export class SettledRows {
  #batch: Batch | null = null;
  /** How many were sent or kept. */
  #count = 0;
  /** By row, 1 for these: asked for only where rows have weights. */
  #marks = new Uint8Array(0);
  readonly #left: { readonly row: number; readonly reason: Reason }[] = [];

  /** Null when there are no rows. */
  begin(batch: Batch | null): void {
    this.#batch = batch;
    this.#count = 0;
    this.#left.length = 0;
    if (batch !== null && batch.weight !== null) this.#marks = new Uint8Array(batch.rows);
  }

  /** The first `count` of `rows` are kept. */
  kept(rows: Uint32Array, count: number): void {
    this.#count += count;
    if (this.#batch!.weight !== null) for (let i = 0; i < count; i++) this.#marks[rows[i]!] = 1;
  }

  /** Rows among these references are sent. */
  sent(references: Int32Array): void {
    if (this.#batch === null) return;
    const isWeighed = this.#batch.weight !== null;
    for (let i = 0; i < references.length; i++) {
      if (!isRow(references[i]!)) continue;
      this.#count++;
      if (isWeighed) this.#marks[rowOf(references[i]!)] = 1;
    }
  }

  leave(row: number, reason: Reason): void {
    this.#left.push({ row, reason });
  }

  /** Counts all that is left out. */
  book(out: Collector): void {
    const [batch, left] = [this.#batch, this.#left];
    if (batch === null) return;
    const count = batch.count - this.#count - left.length;
    if (count > 0) {
      // Where each stands for one, it does not matter which they are.
      const selection = batch.weight === null ? batch.selection : this.#others(batch);
      out.select({ ...batch, selection, count }, selection, 0);
    }
    for (const { row, reason } of left) out.drop(batch, row, reason);
  }

  #others({ selection, count }: Batch): Uint32Array {
    const marks = this.#marks;
    for (const { row } of this.#left) marks[row] = 1;
    return selection.subarray(0, count).filter((row) => marks[row] === 0);
  }
}
