// One JSON document at a time from bytes to a row of columns, by the exact scanner. Never coerces: a value of another type than the field's is a fault, and the row is null there.

import type { DecodeFault, FieldRead } from "../codec.ts";
import type { TemplateReader } from "../kernel/decoder.ts";
import type { Layout } from "../kernel/layout.ts";
import { shiftOf } from "../time-unit.ts";
import type { Landing } from "./landing.ts";
import { jsonLayout } from "./layout.ts";
import { severalValues } from "./met-names.ts";
import { readInteger, readNumber } from "./numbers.ts";
import type { Paths } from "./paths.ts";
import { kinds, Scanner } from "./scanner.ts";
import { decodeText } from "./text.ts";
import { parseTimestamp } from "./timestamp.ts";

/** The largest time that a Date can hold, ms. */
const timeMax = 8.64e15;

const kindNames: Readonly<Record<number, string>> = {
  [kinds.text]: "string",
  [kinds.escaped]: "string",
  [kinds.number]: "number",
  [kinds.true]: "bool",
  [kinds.false]: "bool",
  [kinds.object]: "object",
  [kinds.array]: "array",
};

export class JsonReader implements TemplateReader {
  readonly #scanner: Scanner;
  readonly #fields: readonly FieldRead[];
  readonly #targetsOf: readonly (readonly number[])[];
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(fields: readonly FieldRead[], paths: Paths) {
    this.#fields = fields;
    this.#targetsOf = paths.targetsOf;
    this.#scanner = new Scanner(paths);
  }

  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    row: number,
    landing: Landing,
    faults: DecodeFault[],
  ): boolean {
    this.#bytes = bytes;
    const scanner = this.#scanner;
    const { columns } = landing;
    if (!scanner.scan(bytes, start, end)) {
      for (const column of columns) column.valid[row] = 0;
      faults.push({ row, field: -1, reason: "decode", detail: scanner.fault });
      return false;
    }
    const before = faults.length;
    for (let field = 0; field < columns.length; field++) {
      const target = this.#winner(field);
      const kind = scanner.kinds[target]!;
      const isTwice = scanner.met.isTwice[target] === 1;
      columns[field]!.valid[row] = 0;
      if (!isTwice && (kind === kinds.absent || kind === kinds.null)) continue;
      const detail = isTwice ? severalValues : this.#put(field, target, kind, row, landing);
      if (detail === "") columns[field]!.valid[row] = 1;
      else faults.push({ row, field, reason: "type", detail });
    }
    return faults.length === before;
  }

  layoutsOf(bytes: Uint8Array, start: number, end: number): readonly Layout[] {
    const winner = (field: number): number => this.#winner(field);
    const layout = jsonLayout(bytes, start, end, this.#fields, this.#scanner, winner);
    return layout === undefined ? [] : [layout];
  }

  /** The target that field `field` has its value from in the document scanned last. */
  #winner(field: number): number {
    const targets = this.#targetsOf[field]!;
    const { kinds: found, met } = this.#scanner;
    for (const target of targets)
      if (found[target] !== kinds.absent || met.isTwice[target] === 1) return target;
    return targets[0]!;
  }

  /** Writes the value; what is wrong with it, or "". */
  #put(field: number, target: number, kind: number, row: number, landing: Landing): string {
    const column = landing.columns[field]!;
    const start = this.#scanner.starts[target]!;
    const end = this.#scanner.ends[target]!;
    switch (column.type) {
      case "json":
        column.values[row] = landing.raw(field, this.#bytes, start, end);
        return "";
      case "string":
        if (kind !== kinds.text && kind !== kinds.escaped) break;
        column.values[row] = landing.text(field, this.#bytes, start + 1, end - 1, kind === kinds.escaped);
        return "";
      case "bool":
        if (kind !== kinds.true && kind !== kinds.false) break;
        column.values[row] = kind === kinds.true ? 1 : 0;
        return "";
      case "float64":
        if (kind !== kinds.number) break;
        return this.#number(column.values, row, start, end);
      case "int64":
        if (kind !== kinds.number) break;
        return this.#integer(column.values, row, start, end);
      case "time":
        return this.#time(column.values, row, field, kind, start, end);
    }
    return `expected ${column.type}, got ${kindNames[kind]}`;
  }

  #number(values: Float64Array, row: number, start: number, end: number): string {
    const value = readNumber(this.#bytes, start, end, 0);
    if (!Number.isFinite(value)) return "expected float64, got a number beyond its range";
    values[row] = value;
    return "";
  }

  #integer(values: BigInt64Array, row: number, start: number, end: number): string {
    const value = readInteger(this.#bytes, start, end);
    if (typeof value === "string") return `expected int64, got ${value}`;
    values[row] = value;
    return "";
  }

  #time(values: Float64Array, row: number, field: number, kind: number, start: number, end: number): string {
    const shift = shiftOf(this.#fields[field]!);
    let value: number | undefined;
    if (shift === null) {
      if (kind !== kinds.text && kind !== kinds.escaped)
        return `expected time as ISO 8601 text, got ${kindNames[kind]}`;
      value = parseTimestamp(decodeText(this.#bytes, start + 1, end - 1, kind === kinds.escaped));
      if (value === undefined)
        return "expected time as ISO 8601 text with its zone, such as 2024-02-29T12:30:00Z, got another text";
    } else {
      if (kind !== kinds.number)
        return `expected time in ${this.#fields[field]!.unit ?? "ms"}, got ${kindNames[kind]}`;
      value = readNumber(this.#bytes, start, end, shift);
    }
    if (!(Math.abs(value) <= timeMax))
      return "expected time within 8.64e15 ms of the epoch, got a time beyond";
    values[row] = value;
    return "";
  }
}
