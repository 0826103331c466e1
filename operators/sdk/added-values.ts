// Values by column that an operator's function returned for a record, put into a draft, and the columns of the output made of that
// and of the input's. For the forms that are written per record.

import type { Batch, Column, ColumnType, Schema } from "./batch.ts";
import type { Draft } from "./operator.ts";
import type { Scalar } from "./record-view.ts";

export class AddedValues {
  readonly #names: readonly string[];
  /** Of the added columns, their places in the output. */
  readonly #places: readonly number[];
  /** By column of the output, its place in the input; -1 for an added one. */
  readonly #carried: readonly number[];

  constructor(input: Schema, output: Schema, names: readonly string[]) {
    this.#names = names;
    this.#places = names.map((name) => output.fields.findIndex((each) => each.name === name));
    this.#carried = output.fields.map((each) =>
      names.includes(each.name) ? -1 : input.fields.indexOf(each),
    );
  }

  /** Puts the values of one row; one that is left out is null, and one of another name an error. */
  put(draft: Draft, row: number, values: Readonly<Record<string, Scalar | undefined>>): void {
    let others = 0;
    for (const _ in values) others++;
    for (let n = 0; n < this.#names.length; n++) {
      const value = values[this.#names[n]!];
      if (value !== undefined) others--;
      put(draft, this.#places[n]!, row, value ?? null, this.#names[n]);
    }
    if (others > 0) checkNames(values, this.#names);
  }

  /** The columns of the output: those of the batch, and the added ones of the draft. */
  columns(batch: Batch, draft: Draft): Column[] {
    return this.#carried.map((from, to) => (from < 0 ? draft.columns[to]! : batch.columns[from]!));
  }
}

/** Puts one value into a column of a draft; a value of another type is an error of the operator's, told under the column's `name`. */
export function put(draft: Draft, place: number, row: number, value: Scalar, name?: string): void {
  const column = draft.columns[place]!;
  if (value === null) {
    column.valid[row] = 0;
    return;
  }
  switch (column.type) {
    case "string":
    case "json":
      if (typeof value !== "string") throw wrongType(column.type, value, name);
      column.values[row] = draft.text(place, value);
      return;
    case "bool":
      if (typeof value !== "boolean") throw wrongType(column.type, value, name);
      column.values[row] = value ? 1 : 0;
      return;
    case "int64":
      if (typeof value !== "bigint") throw wrongType(column.type, value, name);
      column.values[row] = value;
      return;
    default:
      if (typeof value !== "number" || !Number.isFinite(value)) throw wrongType(column.type, value, name);
      column.values[row] = value;
  }
}

/** What is to be returned for a column of a type. */
const values: Readonly<Record<ColumnType, string>> = {
  float64: "a finite number",
  time: "a finite number, ms since 1970",
  int64: "a bigint, as 5n or BigInt(5)",
  bool: "true or false",
  string: "a text",
  json: "a text, as JSON.stringify makes it",
};

function wrongType(type: ColumnType, value: Scalar, name = "a column"): TypeError {
  const got = typeof value === "number" ? String(value) : `${typeof value} ${String(value)}`;
  return new TypeError(
    `expected ${values[type]} for ${name} (${type}), got ${got}; null stands for no value`,
  );
}

/** A value that nobody would see is a mistake of the operator's, as a name that is misspelt. */
export function checkNames(values: Readonly<Record<string, unknown>>, columns: readonly string[]): void {
  const unknown = Object.keys(values).find((name) => !columns.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(`a value for ${unknown}, which is none of its columns: ${columns.join(", ")}`);
}
