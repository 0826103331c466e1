// The column that an operator adds to its records, or puts in the place of one of that name. Its arrays
// are used again from batch to batch. Knows no values.

import {
  type Batch,
  type Collector,
  type Column,
  type ColumnType,
  type Schema,
  withFields,
  z,
} from "weir/sdk";

/** The setting that names the column. */
export function columnName(name: string): z.ZodDefault<z.ZodString> {
  return z.string().min(1).default(name).meta({ description: "Name of the column that is added." });
}

/** The schema with the column; one of the same name is replaced where it stands. */
export function withColumn(input: Schema, name: string, type: ColumnType): Schema {
  return withFields(input, { [name]: type });
}

export class AddedColumn<T extends Float64Array | Uint8Array> {
  readonly #type: "float64" | "bool";
  /** By column of the output, its place in the input; below 0 for the added one. */
  readonly #carried: readonly number[];
  #values: T;
  #valid = new Uint8Array(0);

  constructor(input: Schema, name: string, empty: T) {
    this.#type = empty instanceof Float64Array ? "float64" : "bool";
    this.#values = empty;
    const places = input.fields.map((field, place) => (field.name === name ? -1 : place));
    this.#carried = places.includes(-1) ? places : [...places, -1];
  }

  /** Values to write, and 0 or 1 for null or not, at every selected row. */
  begin({ rows }: Batch): { readonly values: T; readonly valid: Uint8Array } {
    if (this.#valid.length < rows) {
      this.#values = new (this.#values.constructor as new (length: number) => T)(rows);
      this.#valid = new Uint8Array(rows);
    }
    return { values: this.#values, valid: this.#valid };
  }

  /** Sends the first `count` of `rows` with the column as it was written. */
  send(batch: Batch, rows: Uint32Array, count: number, out: Collector): void {
    const added = { type: this.#type, values: this.#values, valid: this.#valid, dictionary: null } as Column;
    out.project(
      { ...batch, selection: rows, count },
      this.#carried.map((place) => (place < 0 ? added : batch.columns[place]!)),
    );
  }
}
