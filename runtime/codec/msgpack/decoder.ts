// MessagePack records to columns: one payload is one map. Values are read where they lie, without
// objects in between, and what nobody reads is only stepped over; so an extension that a stranger put
// into an unread field costs nothing and runs nothing. There is no coercion and nothing is thrown.

import type { ColumnOf, ColumnType } from "../../../operators/sdk/index.ts";
import { makeColumn, TextList, trimValid } from "../../batch/columns.ts";
import type { Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { DecodeFault, Decoded, Decoder, FieldRead } from "../codec.ts";
import { timeOfInteger, timeOfIso, timeOfNumber } from "../time-unit.ts";
import { ByteDictionary } from "./byte-dictionary.ts";
import { JsonTranscoder } from "./json-text.ts";
import { MsgpackScanner } from "./scanner.ts";
import { headerLength, integerAt, kindOf, numberAt, sizeAt, timestampAt } from "./token.ts";

/** A decoder of standard MessagePack (no records, no shared structures) that reads `fields`. */
export function createMsgpackDecoder(fields: readonly FieldRead[]): Decoder {
  return new MsgpackDecoder(fields);
}

type Target = ReturnType<typeof makeColumn>;

/** A value that makes the whole record unreadable; any other complaint concerns its field only. */
const broken = Symbol("broken");

class MsgpackDecoder implements Decoder {
  readonly #fields: readonly FieldRead[];
  readonly #scanner: MsgpackScanner;
  readonly #transcoder: JsonTranscoder;
  readonly #dictionaries: (ByteDictionary | null)[];
  #columns: Target[] = [];
  #faults: DecodeFault[] = [];
  #detail = "";

  constructor(fields: readonly FieldRead[]) {
    this.#fields = fields;
    this.#scanner = new MsgpackScanner(fields);
    this.#transcoder = new JsonTranscoder(this.#scanner);
    this.#dictionaries = fields.map(() => null);
  }

  decode(payloads: Payloads): Decoded {
    const { count, offsets } = payloads;
    this.#scanner.load(payloads.bytes);
    this.#faults = [];
    this.#columns = this.#fields.map((field, index) => this.#column(field.type, index, count));
    for (let row = 0; row < count; row++) {
      if (this.#scanner.scan(offsets[row]!, offsets[row + 1]!)) this.#record(row);
      else this.#faults.push({ row, field: -1, reason: "decode", detail: this.#scanner.fault });
    }
    return { rows: count, columns: this.#columns.map(trimValid), faults: this.#faults };
  }

  #column(type: ColumnType, index: number, rows: number): Target {
    if (type === "json") return makeColumn(type, rows, new TextList());
    if (type !== "string") return makeColumn(type, rows, null);
    const last = this.#dictionaries[index];
    const dictionary = last == null || last.full ? new ByteDictionary() : last;
    this.#dictionaries[index] = dictionary;
    return makeColumn(type, rows, dictionary.texts);
  }

  #record(row: number): void {
    const first = this.#faults.length;
    for (let index = 0; index < this.#columns.length; index++) {
      const position = this.#scanner.at(index);
      if (position < 0 || this.#scanner.bytes[position] === 0xc0) continue;
      const fault = this.#put(index, row, position);
      if (fault === broken) {
        this.#faults.length = first;
        for (const column of this.#columns) column.valid[row] = 0;
        this.#faults.push({ row, field: -1, reason: "decode", detail: this.#detail });
        return;
      }
      if (fault === null) this.#columns[index]!.valid[row] = 1;
      else this.#faults.push({ row, field: index, reason: "type", detail: fault });
    }
  }

  /** Writes one value; null when it is there, else what is wrong. */
  #put(index: number, row: number, position: number): string | null | typeof broken {
    const column = this.#columns[index]!;
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
        return this.#putString(index, column.values, row, position);
      case "json":
        return this.#putJson(column, row, position);
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
  ): string | null | typeof broken {
    const { bytes } = this.#scanner;
    const token = bytes[position]!;
    if (kindOf(token) !== "string") return this.#expected("string", position);
    const start = position + headerLength(token);
    const size = sizeAt(this.#scanner, position);
    if (size > limits.string_bytes_max)
      return this.#break(index, `a string of at most ${limits.string_bytes_max} bytes, got ${size}`);
    const code = this.#dictionaries[index]!.code(bytes, start, start + size);
    if (code < 0) return this.#break(index, "a string of UTF-8, got other bytes");
    values[row] = code;
    return null;
  }

  #putJson(column: ColumnOf<"json">, row: number, position: number): string | null {
    const text = this.#transcoder.text(this.#scanner, position);
    if (this.#transcoder.loss !== null) return `expected json, got ${this.#transcoder.loss}`;
    const { texts } = column.dictionary as TextList;
    column.values[row] = texts.push(text) - 1;
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
