// Memory of batches that are made, sent and forgotten within one call: one piece for all arrays of a batch, lent,
// given back and lent again, so that it stays near to the processor and leaves nothing to collect. Knows no values.

import type { Column, ColumnType } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { arrayOf } from "./columns.ts";

type Values = Column["values"];

/** Arrays begin at multiples of this, in bytes. */
const alignment = 8;

/** Pieces that nobody has, of one thread; the smallest first. */
const spares: ArrayBuffer[] = [];

export class BatchMemory {
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Uint8Array;
  #used = 0;
  #isLent = true;

  /** For batches of `rows` rows with columns of the types `types`, and three numbers a row beside them. */
  constructor(types: readonly ColumnType[], rows: number) {
    let bytes = 3 * lengthOf(8 * rows);
    for (const type of types) bytes += lengthOf(arrayOf[type].BYTES_PER_ELEMENT * rows) + lengthOf(rows);
    const place = spares.findIndex(({ byteLength }) => byteLength >= bytes);
    this.#buffer = place < 0 ? new ArrayBuffer(bytes) : spares.splice(place, 1)[0]!;
    this.#bytes = new Uint8Array(this.#buffer);
  }

  /** Zeros; of memory of their own where there is no room. */
  values(type: ColumnType, rows: number): Values {
    const ArrayOfType = arrayOf[type];
    const bytes = rows * ArrayOfType.BYTES_PER_ELEMENT;
    const from = this.#used;
    if (from + bytes > this.#bytes.length) return new ArrayOfType(rows);
    this.#used += lengthOf(bytes);
    this.#bytes.fill(0, from, from + bytes);
    return new ArrayOfType(this.#buffer, from, rows);
  }

  numbers(rows: number): Float64Array<ArrayBuffer> {
    return this.values("float64", rows) as Float64Array<ArrayBuffer>;
  }

  marks(rows: number): Uint8Array<ArrayBuffer> {
    return this.values("bool", rows) as Uint8Array<ArrayBuffer>;
  }

  /** Nobody reads or writes any of the arrays from now on. */
  giveBack(): void {
    if (!this.#isLent || this.#bytes.length > limits.batch_memory_bytes_max) return;
    this.#isLent = false;
    const place = spares.findIndex(({ byteLength }) => byteLength >= this.#bytes.length);
    spares.splice(place < 0 ? spares.length : place, 0, this.#buffer);
    if (spares.length > limits.batch_memories_max) spares.shift();
  }
}

/** What an array of as many bytes takes: each begins at a whole number. */
function lengthOf(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
