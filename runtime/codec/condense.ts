// Rows of windows condensed: rows of one key within a time become one, as if their windows had been as long as that. Knows
// the bytes of rows and what is to become of each column; never knows where rows wait or go.

import { Packr } from "msgpackr";
import { packValue } from "./msgpack/encoder.ts";
import { packable } from "./msgpack/json-value.ts";

/** What becomes of a column when rows become one. */
export type ColumnRule =
  /** Rows with another value are other rows. */
  | { readonly kind: "key" | "start" | "end" | "sum" | "min" | "max" | "first" | "last" }
  /** The mean of the means, each counting as often as the column `weight` says. */
  | { readonly kind: "mean"; readonly weight: string };

/** Rows of one kind: all of their columns, in order. */
export interface RowForm {
  readonly format: "json" | "msgpack";
  readonly columns: ReadonlyMap<string, ColumnRule>;
}

type Row = Record<string, unknown>;

/** Rows of one form, one after the other, as they come to be one. */
export class RowCondenser {
  readonly #form: RowForm;
  readonly #every: number;
  /** By the beginning of their time, then by key. */
  readonly #merged: Map<number, Map<string, Row>> = new Map();

  /** `every`: how long a time rows become one in, ms; times begin at its multiples since the epoch. */
  constructor(form: RowForm, every: number) {
    this.#form = form;
    this.#every = every;
  }

  /** Takes all rows of a payload; where it holds what is no row of the form, false, and none of them. */
  add(payload: Uint8Array): boolean {
    const rows = rowsOf(payload, this.#form.format);
    if (rows === null || !rows.every((row) => this.#fits(row))) return false;
    for (const row of rows) this.#take(row);
    return true;
  }

  /** The rows that came of it, a payload each, in the order of their times. */
  payloads(): readonly Uint8Array[] {
    return [...this.#merged.keys()]
      .sort((one, other) => one - other)
      .flatMap((time) =>
        [...this.#merged.get(time)!.values()].map((row) => payloadOf(row, this.#form.format)),
      );
  }

  #fits(row: Row): boolean {
    const { columns } = this.#form;
    if (Object.keys(row).length !== columns.size) return false;
    let time = 0;
    for (const [name, { kind }] of columns) {
      const value = row[name];
      if (value === undefined) return false;
      if (kind === "start" || kind === "end" ? typeof value !== "number" : !fitsRule(kind, value))
        return false;
      if (kind === "start") time -= value as number;
      if (kind === "end") time += value as number;
    }
    // One that stands for more is coarser already, and would be said to be finer than it is.
    return time <= this.#every;
  }

  #take(row: Row): void {
    const { columns } = this.#form;
    let start = 0;
    const key: unknown[] = [];
    for (const [name, { kind }] of columns) {
      if (kind === "start") start = row[name] as number;
      if (kind === "key") key.push(row[name]);
    }
    const time = Math.floor(start / this.#every) * this.#every;
    let keys = this.#merged.get(time);
    if (keys === undefined) {
      keys = new Map();
      this.#merged.set(time, keys);
    }
    const text = JSON.stringify(key);
    const before = keys.get(text);
    if (before === undefined) keys.set(text, row);
    else merge(before, row, columns);
  }
}

function fitsRule(kind: ColumnRule["kind"], value: unknown): boolean {
  if (kind === "key" || kind === "first" || kind === "last")
    return (typeof value !== "bigint" && typeof value !== "object") || value === null;
  return value === null || typeof value === "number";
}

/** Puts `row` into `into`. */
function merge(into: Row, row: Row, columns: RowForm["columns"]): void {
  // Before the counts that they are weighed by change.
  for (const [name, rule] of columns)
    if (rule.kind === "mean") into[name] = mean(into[name], into[rule.weight], row[name], row[rule.weight]);
  for (const [name, { kind }] of columns)
    if (kind !== "mean") into[name] = merged(kind, into[name], row[name]);
}

function mean(one: unknown, oneWeight: unknown, other: unknown, otherWeight: unknown): unknown {
  if (typeof one !== "number" || !(Number(oneWeight) > 0)) return other ?? one;
  if (typeof other !== "number" || !(Number(otherWeight) > 0)) return one;
  const part = Number(otherWeight) / (Number(oneWeight) + Number(otherWeight));
  return one + (other - one) * part;
}

function merged(kind: ColumnRule["kind"], one: unknown, other: unknown): unknown {
  if (kind === "key" || other === null) return one;
  if (one === null) return other;
  const [first, second] = [one as number, other as number];
  switch (kind) {
    case "sum":
      return first + second;
    case "start":
    case "min":
      return Math.min(first, second);
    case "end":
    case "max":
      return Math.max(first, second);
    case "first":
      return one;
    default:
      return other;
  }
}

// Whole numbers that a double does not hold are no rows that can be condensed.
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: "bigint",
  variableMapSize: true,
});

/** The rows of a payload; null where it holds anything else. */
function rowsOf(payload: Uint8Array, format: RowForm["format"]): readonly Row[] | null {
  try {
    const values =
      format === "json"
        ? textOf(payload)
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => JSON.parse(line) as unknown)
        : unpacked(payload);
    return values.every(isRow) ? values : null;
  } catch {
    return null;
  }
}

function unpacked(payload: Uint8Array): readonly unknown[] {
  const values: unknown[] = [];
  packr.unpackMultiple(payload, (value: unknown) => {
    values.push(isRow(value) ? withNumbers(value) : value);
  });
  return values;
}

/** Whole numbers beyond 32 bits, as times are, were written as 64. Those that a double holds are numbers like all others. */
function withNumbers(row: Row): Row {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[name] = number;
  }
  return row;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

function payloadOf(row: Row, format: RowForm["format"]): Uint8Array {
  return format === "json" ? Buffer.from(JSON.stringify(row)) : packValue(packed(row));
}

/** With each number written as the encoder of rows writes it. */
function packed(row: Row): ReadonlyMap<string, unknown> {
  return new Map(
    Object.entries(row).map(([name, value]) => [name, typeof value === "number" ? packable(value) : value]),
  );
}

/** Payloads of one form as one, as a sink that puts several rows into a message writes them. */
export function joinedPayload(payloads: readonly Uint8Array[], format: RowForm["format"]): Uint8Array {
  if (format === "msgpack" || payloads.length < 2) return Buffer.concat(payloads);
  const line = Uint8Array.of(10);
  return Buffer.concat(payloads.flatMap((payload, place) => (place === 0 ? [payload] : [line, payload])));
}
