// Columns to protobuf: one message for each selected row, its fields in the order of their numbers. What is null, or
// what its field cannot hold (a fraction in an integer, 1e39 in a float, a text that is neither a name of the enum nor a
// number), is not set. A field without presence that holds its default is left out, as everywhere.

import {
  type Batch,
  type Column,
  type Dictionary,
  type Schema,
  textOfTime,
} from "../../../operators/sdk/index.ts";
import { type EncodedTexts, encodedTexts } from "../../batch/encoded.ts";
import type { Encoder } from "../codec.ts";
import type { Emit } from "../rows.ts";
import { type ProtoField, type ProtoMessage, type Scalar, wireOf, wires } from "./message.ts";
import { ProtobufWriter } from "./writer.ts";

/** An encoder of rows with `schema`, every field of which is a scalar of `message`. */
export function createProtobufEncoder(schema: Schema, message: ProtoMessage): Encoder {
  return new ProtobufEncoder(schema, message);
}

class ProtobufEncoder implements Encoder {
  readonly #writer = new ProtobufWriter();
  readonly #part: MessagePart;

  constructor(schema: Schema, message: ProtoMessage) {
    this.#part = new MessagePart(this.#writer, schema, message, "");
  }

  encode(batch: Batch, emit: Emit): void {
    this.#part.begin(batch);
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      this.#part.write(row);
      emit(row, this.#writer.take());
    }
  }
}

/** What writes some of a row. */
interface Part {
  begin(batch: Batch): void;
  /** True when the row has something in it. */
  holds(row: number): boolean;
  write(row: number): void;
}

class MessagePart implements Part {
  readonly #writer: ProtobufWriter;
  readonly #tag: number;
  readonly #parts: readonly Part[];

  /** `tag` is null for the whole row. */
  constructor(writer: ProtobufWriter, schema: Schema, message: ProtoMessage, prefix: string, tag = 0) {
    this.#writer = writer;
    this.#tag = tag;
    const fields = message.fields.toSorted((a, b) => a.number - b.number);
    this.#parts = fields.flatMap((field): Part[] => {
      const name = prefix + field.name;
      if (field.message !== null) {
        if (!schema.fields.some((each) => each.name.startsWith(`${name}.`))) return [];
        return [
          new MessagePart(writer, schema, field.message, `${name}.`, (field.number << 3) | wires.bytes),
        ];
      }
      const place = schema.fields.findIndex((each) => each.name === name);
      return place < 0 || field.scalar === null ? [] : [new FieldPart(writer, field, field.scalar, place)];
    });
  }

  begin(batch: Batch): void {
    for (const part of this.#parts) part.begin(batch);
  }

  holds(row: number): boolean {
    return this.#parts.some((part) => part.holds(row));
  }

  write(row: number): void {
    const parts = this.#parts;
    if (this.#tag === 0) {
      for (let i = 0; i < parts.length; i++) parts[i]!.write(row);
      return;
    }
    if (!this.holds(row)) return;
    this.#writer.reserve();
    this.#writer.varint(this.#tag);
    const from = this.#writer.open();
    for (let i = 0; i < parts.length; i++) parts[i]!.write(row);
    this.#writer.close(from);
  }
}

/** Values from `least` to `most`, of which an integer field of fewer than 64 bits takes every whole one. */
const ranges: Partial<Record<Scalar, readonly [number, number]>> = {
  int32: [-0x8000_0000, 0x7fff_ffff],
  sint32: [-0x8000_0000, 0x7fff_ffff],
  sfixed32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
  fixed32: [0, 0xffff_ffff],
};

/** An integer as text, of no more digits than 32 bits have. */
const digits = /^-?\d{1,10}$/;

class FieldPart implements Part {
  readonly #writer: ProtobufWriter;
  readonly #scalar: Scalar;
  readonly #presence: boolean;
  readonly #tag: number;
  readonly #place: number;
  readonly #numbers: ReadonlyMap<string, number>;
  #column!: Column;
  #texts: EncodedTexts | null = null;
  // An integer of 64 bits on its way to its two halves.
  readonly #wide = new BigInt64Array(1);
  readonly #halves = new Uint32Array(this.#wide.buffer);

  constructor(writer: ProtobufWriter, field: ProtoField, scalar: Scalar, place: number) {
    this.#writer = writer;
    this.#scalar = scalar;
    this.#presence = field.presence;
    this.#tag = ((field.number << 3) | wireOf(scalar)) >>> 0;
    this.#place = place;
    this.#numbers = new Map(field.names.map(([number, name]) => [name, number]));
  }

  begin(batch: Batch): void {
    this.#column = batch.columns[this.#place]!;
    this.#texts = this.#column.type === "string" ? encodedTexts(this.#column.dictionary) : null;
  }

  holds(row: number): boolean {
    const { valid } = this.#column;
    return valid === null || valid[row] === 1;
  }

  write(row: number): void {
    const column = this.#column;
    if (column.valid !== null && column.valid[row] === 0) return;
    switch (column.type) {
      case "string":
        this.#writeText(column.values[row]!, column.dictionary);
        return;
      case "int64":
        this.#writeInteger(column.values[row]!);
        return;
      case "json":
        return;
      case "time":
        this.#writeTime(column.values[row]!);
        return;
      default:
        this.#writeNumber(column.values[row]!);
    }
  }

  #begin(length?: number): ProtobufWriter {
    const writer = this.#writer;
    writer.reserve(length);
    writer.varint(this.#tag);
    return writer;
  }

  #writeText(code: number, dictionary: Dictionary): void {
    if (this.#scalar === "enum") {
      const text = dictionary.text(code);
      const number = this.#numbers.get(text);
      if (number !== undefined) this.#writeNumber(number);
      // A number without a name is read as its digits, and goes on as that number.
      else if (digits.test(text)) this.#writeNumber(Number(text));
      return;
    }
    const { bytes, ends } = this.#texts!;
    const start = ends[code]!;
    const end = ends[code + 1]!;
    if (end === start && !this.#presence) return;
    this.#begin(end - start).bytes(bytes, start, end);
  }

  /** In ms: whole ones where the field is an integer. As text in RFC 3339, where that has the year. */
  #writeTime(value: number): void {
    if (this.#scalar === "string") {
      const text = textOfTime(value);
      if (text === null) return;
      const bytes = Buffer.from(text);
      this.#begin(bytes.length).bytes(bytes, 0, bytes.length);
    } else this.#writeNumber(this.#scalar === "double" ? value : Math.round(value));
  }

  #writeNumber(value: number): void {
    const scalar = this.#scalar;
    // -0 is no default.
    if (Object.is(value, 0) && !this.#presence) return;
    if (scalar === "double" || scalar === "float") {
      // What is beyond a float would be infinite there.
      if (!Number.isFinite(scalar === "double" ? value : Math.fround(value))) return;
      if (scalar === "double") this.#begin().double(value);
      else this.#begin().float(value);
    } else if (scalar === "bool") this.#begin().varint(value);
    else if (Number.isSafeInteger(value)) this.#writeWhole(value);
  }

  #writeInteger(value: bigint): void {
    const number = Number(value);
    if (this.#scalar === "double" || this.#scalar === "float") this.#writeNumber(number);
    else if (ranges[this.#scalar] !== undefined) this.#writeNumber(number);
    else if (value !== 0n || this.#presence) this.#writeWide(value);
  }

  #writeWhole(value: number): void {
    const scalar = this.#scalar;
    const range = scalar === "enum" ? ranges.int32! : ranges[scalar];
    if (range === undefined) {
      // The halves of 64 bits, without a BigInt on the way where that is not needed.
      if (value >= 0 && (scalar === "int64" || scalar === "uint64"))
        this.#begin().wide(value, Math.floor(value / 0x1_0000_0000));
      else this.#writeWide(BigInt(value));
      return;
    }
    if (value < range[0] || value > range[1]) return;
    const writer = this.#begin();
    if (scalar === "fixed32" || scalar === "sfixed32") writer.fixed32(value);
    else if (scalar === "sint32") writer.varint((value << 1) ^ (value >> 31));
    else if (value < 0) writer.wide(value, -1);
    else writer.varint(value);
  }

  #writeWide(value: bigint): void {
    const scalar = this.#scalar;
    if (value < 0n && (scalar === "uint64" || scalar === "fixed64")) return;
    this.#wide[0] = scalar === "sint64" ? (value << 1n) ^ (value >> 63n) : value;
    const low = this.#halves[0]!;
    const high = this.#halves[1]!;
    const writer = this.#begin();
    if (scalar === "fixed64" || scalar === "sfixed64") {
      writer.fixed32(low);
      writer.fixed32(high);
    } else writer.wide(low, high);
  }
}
