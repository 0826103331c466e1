// Records on their way out, in the order of the calls, each with the watermark that was in force: rows of the present
// batch and kept ones. Decides nothing, and allocates nothing for a record.

import type { Batch, Collector, RecordStore } from "weir/sdk";
import { longer } from "../longer.ts";
import { isRow, rowOf } from "./record-reference.ts";
import type { SettledRows } from "./settled-rows.ts";

/** Records that there is room for at first. */
const recordsFirst = 64;

export class SentRecords {
  readonly #store: RecordStore;
  readonly #settled: SettledRows;
  #references = new Int32Array(recordsFirst);
  #watermarks = new Float64Array(recordsFirst);
  #count = 0;
  /** Whether they are rows of the batch alone, in their order. */
  #inOrder = true;
  #rows = new Uint32Array(0);
  /** By row of the batch. */
  #rowWatermarks = new Float64Array(0);

  constructor(store: RecordStore, settled: SettledRows) {
    this.#store = store;
    this.#settled = settled;
  }

  add(reference: number, watermark: number): void {
    const place = this.#count++;
    if (place === this.#references.length) {
      this.#references = longer(this.#references);
      this.#watermarks = longer(this.#watermarks);
    }
    if (!isRow(reference) || (place > 0 && reference >= this.#references[place - 1]!)) this.#inOrder = false;
    this.#references[place] = reference;
    this.#watermarks[place] = watermark;
  }

  /** Sends rows of the batch as they are where they are alone and in order; else all goes out as a batch of its own. */
  flush(batch: Batch | null, out: Collector): void {
    const count = this.#count;
    if (count === 0) return;
    const references = this.#references.subarray(0, count);
    const watermarks = this.#watermarks.subarray(0, count);
    this.#settled.sent(references);
    if (this.#inOrder) this.#emit(references, watermarks, batch!, out);
    else out.release(this.#store, references, watermarks, batch);
    this.#count = 0;
    this.#inOrder = true;
  }

  #emit(references: Int32Array, watermarks: Float64Array, batch: Batch, out: Collector): void {
    if (this.#rowWatermarks.length < batch.rows) {
      this.#rowWatermarks = new Float64Array(batch.rows);
      this.#rows = new Uint32Array(batch.rows);
    }
    const [watermark, selection] = [this.#rowWatermarks, this.#rows];
    for (let i = 0; i < references.length; i++) {
      const row = rowOf(references[i]!);
      selection[i] = row;
      watermark[row] = watermarks[i]!;
    }
    out.emit({ ...batch, selection, count: references.length, watermark });
  }
}
