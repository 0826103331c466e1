// The column that an expression writes its results to: kept from batch to batch, so that a call
// allocates nothing. What it hands out is valid until the next call.

import type { Column, ColumnType } from "../../operators/sdk/index.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";
import { limits } from "../limits.ts";

/** Values of a column, whatever its type. */
interface Values {
  [row: number]: number | bigint;
  readonly length: number;
}

export class Output {
  readonly #type: ColumnType;
  #column: Column & { readonly valid: Uint8Array };
  #texts = new TextDictionary();

  constructor(type: ColumnType) {
    this.#type = type;
    this.#column = makeColumn(type, 0, this.#texts);
  }

  /** Values to write, at least `rows` of them. */
  begin(rows: number): Values {
    const full =
      this.#texts.size > limits.dictionary_entries_max || this.#texts.length > limits.dictionary_bytes_max;
    if (full) this.#texts = new TextDictionary();
    if (full || this.#column.values.length !== rows) this.#column = makeColumn(this.#type, rows, this.#texts);
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
