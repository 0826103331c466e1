// The column that an expression writes its results to: kept from batch to batch, so that a call
// allocates next to nothing. What it hands out is valid until the next call.

import type { Column, ColumnType } from "../../operators/sdk/index.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";

type Buffers = Column & { readonly valid: Uint8Array };

/** Values of a column, whatever its type. */
interface Values {
  [row: number]: number | bigint;
  readonly length: number;
}

export class Output {
  readonly #type: ColumnType;
  /** As large as the largest batch so far. */
  #buffers: Buffers;
  /** The part of them that the present batch has rows for. */
  #column: Buffers;
  #texts = new TextDictionary();

  constructor(type: ColumnType) {
    this.#type = type;
    this.#buffers = makeColumn(type, 0, this.#texts);
    this.#column = this.#buffers;
  }

  /** Values to write, one for each of `rows` rows. */
  begin(rows: number): Values {
    const full = this.#texts.isFull;
    if (full) this.#texts = new TextDictionary();
    const capacity = this.#buffers.values.length;
    if (full || rows > capacity) {
      this.#buffers = makeColumn(this.#type, Math.max(rows, capacity), this.#texts);
      this.#column = this.#buffers;
    }
    if (this.#column.values.length !== rows) {
      const { values, valid } = this.#buffers;
      this.#column = {
        ...this.#buffers,
        values: values.subarray(0, rows),
        valid: valid.subarray(0, rows),
      } as Buffers;
    }
    return this.#column.values;
  }

  /** Validity to write for every selected row. */
  get valid(): Uint8Array {
    return this.#column.valid;
  }

  /** The dictionary of a string result. */
  get texts(): TextDictionary {
    return this.#texts;
  }

  /** What was written since `begin`, of which `nulls` rows are null. */
  finish(nulls: number): Column {
    return nulls === 0 ? ({ ...this.#column, valid: null } as Column) : this.#column;
  }
}
