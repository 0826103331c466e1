// One MessagePack record at a time to a row of columns: one payload is one map. Values are read where they lie, without
// objects in between, and what nobody reads is only stepped over; so an extension that a stranger put
// into an unread field costs nothing and runs nothing. There is no coercion and nothing is thrown.

import { isUtf8 } from "node:buffer";
import type { DecodeFault, FieldRead } from "../codec.ts";
import type { Landing } from "../json/landing.ts";
import { severalValues } from "../json/met-names.ts";
import type { TemplateReader } from "../kernel/decoder.ts";
import type { Layout, Stencil } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { timeOfInteger, timeOfIso, timeOfNumber } from "../time-unit.ts";
import { JsonTranscoder } from "./json-text.ts";
import { msgpackLayout, placedValues } from "./layout.ts";
import { MsgpackScanner, several } from "./scanner.ts";
import { msgpackStencil } from "./stencil.ts";
import { headerLength, integerAt, kindOf, numberAt, sizeAt, timestampAt } from "./token.ts";

/** A value that makes the whole record unreadable; any other complaint concerns its field only. */
const broken = Symbol("broken");

export class MsgpackReader implements TemplateReader {
  readonly #fields: readonly FieldRead[];
  readonly #scanner: MsgpackScanner;
  readonly #transcoder: JsonTranscoder;
  #bytes: Uint8Array | null = null;
  #detail = "";

  constructor(fields: readonly FieldRead[]) {
    this.#fields = fields;
    this.#scanner = new MsgpackScanner(fields);
    this.#transcoder = new JsonTranscoder(this.#scanner);
  }

  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    row: number,
    landing: Landing,
    faults: DecodeFault[],
  ): boolean {
    if (this.#bytes !== bytes) this.#scanner.load(bytes);
    this.#bytes = bytes;
    const { columns } = landing;
    for (const column of columns) column.valid[row] = 0;
    if (!this.#scanner.scan(start, end)) {
      faults.push({ row, field: -1, reason: "decode", detail: this.#scanner.fault });
      return false;
    }
    const first = faults.length;
    for (let index = 0; index < columns.length; index++) {
      const position = this.#scanner.at(index);
      if (position === several) {
        faults.push({ row, field: index, reason: "type", detail: severalValues });
        continue;
      }
      if (position < 0 || this.#scanner.bytes[position] === 0xc0) continue;
      const fault = this.#put(index, row, position, landing);
      if (fault === broken) {
        faults.length = first;
        for (const column of columns) column.valid[row] = 0;
        faults.push({ row, field: -1, reason: "decode", detail: this.#detail });
        return false;
      }
      if (fault === null) columns[index]!.valid[row] = 1;
      else faults.push({ row, field: index, reason: "type", detail: fault });
    }
    return faults.length === first;
  }

  layoutsOf(bytes: Uint8Array, start: number, end: number): readonly (Layout | Stencil)[] {
    const fields = this.#fields;
    const values = placedValues(start, fields, this.#scanner);
    const record = bytes.slice(start, end);
    return [
      msgpackStencil(record, start, fields, values),
      msgpackLayout(bytes, start, end, fields, values),
    ].filter((each) => each !== undefined);
  }

  /** Writes one value; null when it is there, else what is wrong. */
  #put(index: number, row: number, position: number, landing: Landing): string | null | typeof broken {
    const column = landing.columns[index]!;
    switch (column.type) {
      case "float64":
        return this.#putFloat(column.values, row, position);
      case "int64":
        return this.#putInteger(column.values, row, position);
      case "bool": {
        const token = this.#scanner.bytes[position]!;
        if (token !== 0xc2 && token !== 0xc3) return this.#expected("bool", position);
        column.values[row] = token & 1;
        return null;
      }
      case "time":
        return this.#putTime(index, column.values, row, position);
      case "string":
        return this.#putString(index, column.values, row, position, landing);
      case "json":
        return this.#putJson(index, column.values, row, position, landing);
    }
  }

  #putFloat(values: Float64Array, row: number, position: number): string | null {
    const kind = kindOf(this.#scanner.bytes[position]!);
    if (kind !== "float" && kind !== "integer") return this.#expected("float64", position);
    const value = numberAt(this.#scanner, position);
    if (Number.isFinite(value)) {
      values[row] = value;
      return null;
    }
    return kind === "integer"
      ? "expected float64, got an integer beyond 2^53; declare the field int64"
      : `expected float64, got ${value}`;
  }

  // A whole number written as a float is taken: writers in JavaScript have no other form beyond 32 bits.
  #putInteger(values: BigInt64Array, row: number, position: number): string | null {
    const kind = kindOf(this.#scanner.bytes[position]!);
    if (kind === "float") {
      const value = numberAt(this.#scanner, position);
      if (!Number.isSafeInteger(value)) return `expected int64, got the float ${value}`;
      values[row] = BigInt(value);
      return null;
    }
    if (kind !== "integer") return this.#expected("int64", position);
    const value = integerAt(this.#scanner, position);
    if (value > 0x7fff_ffff_ffff_ffffn) return "expected int64, got an integer beyond 2^63 - 1";
    values[row] = value;
    return null;
  }

  // A timestamp of MessagePack's own kind is a time whatever the unit declared.
  #putTime(index: number, values: Float64Array, row: number, position: number): string | null {
    const unit = this.#fields[index]!.unit ?? "ms";
    const time = this.#time(unit, position);
    if (Number.isFinite(time)) {
      values[row] = time;
      return null;
    }
    return this.#expected(
      unit === "iso" ? "time as ISO 8601 text with its zone" : `time in ${unit}`,
      position,
    );
  }

  #time(unit: NonNullable<FieldRead["unit"]>, position: number): number {
    const source = this.#scanner;
    const token = source.bytes[position]!;
    switch (kindOf(token)) {
      case "extension":
        return timestampAt(source, position);
      case "integer":
        return token === 0xcf || token === 0xd3
          ? timeOfInteger(integerAt(source, position), unit)
          : timeOfNumber(numberAt(source, position), unit);
      case "float":
        return timeOfNumber(numberAt(source, position), unit);
      case "string": {
        const body = position + headerLength(token);
        const size = sizeAt(source, position);
        return unit === "iso" && size <= 64
          ? timeOfIso(source.bytes.toString("latin1", body, body + size))
          : Number.NaN;
      }
      default:
        return Number.NaN;
    }
  }

  #putString(
    index: number,
    values: Int32Array,
    row: number,
    position: number,
    landing: Landing,
  ): string | null | typeof broken {
    const { bytes } = this.#scanner;
    const token = bytes[position]!;
    if (kindOf(token) !== "string") return this.#expected("string", position);
    const start = position + headerLength(token);
    const size = sizeAt(this.#scanner, position);
    if (size > limits.string_bytes_max)
      return this.#break(index, `a string of at most ${limits.string_bytes_max} bytes, got ${size}`);
    if (!isUtf8(bytes.subarray(start, start + size)))
      return this.#break(index, "a string of UTF-8, got other bytes");
    values[row] = landing.text(index, bytes, start, start + size, false);
    return null;
  }

  #putJson(
    index: number,
    values: Int32Array,
    row: number,
    position: number,
    landing: Landing,
  ): string | null {
    const text = this.#transcoder.text(this.#scanner, position);
    if (this.#transcoder.loss !== null) return `expected json, got ${this.#transcoder.loss}`;
    values[row] = landing.made(index, text);
    return null;
  }

  #expected(what: string, position: number): string {
    return `expected ${what}, got ${kindOf(this.#scanner.bytes[position]!) ?? "nothing"}`;
  }

  #break(index: number, expected: string): typeof broken {
    this.#detail = `field ${JSON.stringify(this.#fields[index]!.name)}: expected ${expected}`;
    return broken;
  }
}
