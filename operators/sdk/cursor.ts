// The record that moves over the columns of a batch, and what is said of an operator's function that is none, or returned something
// else than it has to. For the forms that are written per record; no part of the contract.

import type { Batch, Column } from "./batch.ts";
import type { ColumnReference } from "./expression.ts";
import { type RecordView, type Scalar, valueAt } from "./record-view.ts";

export class Cursor implements RecordView {
  batch!: Batch;
  row: number = 0;
  get time(): number {
    return this.batch.time[this.row]!;
  }
  get(column: ColumnReference): Scalar {
    return valueAt(this.#columnOf(column), this.row);
  }
  number(reference: ColumnReference): number {
    const column = this.#columnOf(reference);
    return column.valid !== null && column.valid[this.row] === 0
      ? Number.NaN
      : Number(column.values[this.row]);
  }
  text(column: ColumnReference): string {
    const value = this.get(column);
    return value === null ? "" : String(value);
  }
  #columnOf(reference: ColumnReference): Column {
    const column = this.batch.columns[reference.index];
    if (column === undefined)
      throw new TypeError(
        `expected a column of the settings, as field.column gives it, got ${named(reference)}`,
      );
    return column;
  }
}

/** The values that an operator's function returned; `expected`: what it may return, in words. */
export function valuesIn(returned: unknown, expected: string): Readonly<Record<string, Scalar | undefined>> {
  // Of a promise no value is there yet, and all would be null.
  if (typeof returned === "object" && returned !== null && !(returned instanceof Promise))
    return returned as Readonly<Record<string, Scalar | undefined>>;
  throw new TypeError(`expected ${expected}, got ${named(returned)}`);
}

/** What an operator's function returned in place of what it has to. */
export function named(value: unknown): string {
  if (value === undefined) return "nothing: is there a return?";
  if (typeof value === "function")
    return "a function: the settings come first, as in (settings) => (record) => …";
  if (value instanceof Promise) return "a promise: an operator waits for nothing, so it is not async";
  if (typeof value === "object") return value === null ? "null" : "an object";
  return `${typeof value} ${String(value as string | number | boolean | bigint)}`;
}

/** Only JavaScript comes to it: what a form is given under these names has to be functions. */
export function checkFunctions(form: string, spec: object, names: readonly string[]): void {
  for (const name of names) {
    const given: unknown = (spec as Readonly<Record<string, unknown>>)[name];
    if (typeof given === "function") continue;
    const got = given === undefined ? "nothing" : named(given);
    throw new TypeError(`${form}: expected a function of the settings for ${name}, got ${got}`);
  }
}

/** What the function of the settings returned has to be one of a record. */
export function ofRecord<T>(made: T, name: string): T {
  if (typeof made === "function") return made;
  const got = made === undefined ? "nothing" : named(made);
  throw new TypeError(
    `expected a function of a record from ${name}, as (settings) => (record) => …, got ${got}`,
  );
}
