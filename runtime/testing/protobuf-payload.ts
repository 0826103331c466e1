// Records of a test to protobuf and back, by the codec's own encoder and decoder. A message inside another is a map,
// or a name with dots; what the encoder does not write, lists, maps and bytes, is written here, one value at a time.

import { type Column, type Schema, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";
import { createDecoder, createEncoder } from "../codec/formats.ts";
import {
  columnsOf,
  jsonColumnsOf,
  type ProtoField,
  type ProtoMessage,
  type ProtoValue,
  typeOf,
  wires,
} from "../codec/protobuf/message.ts";
import { fewestBits } from "./exact-json.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The value that a dotted name leads to. */
function valueOf(record: Fields, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name];
  return name
    .split(".")
    .reduce<unknown>((value, part) => (value as Fields | null | undefined)?.[part], record);
}

function columnWith(type: Column["type"], value: unknown): Column {
  const dictionary = new TextDictionary();
  const column = makeColumn(type, 1, dictionary);
  column.valid[0] = 1;
  if (column.type === "string" || column.type === "json") column.values[0] = dictionary.code(String(value));
  else if (column.type === "int64") column.values[0] = BigInt(value as number);
  else column.values[0] = Number(value);
  return column;
}

/** A value as a field that has its number, and its length before it. */
function delimited(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | wires.bytes), varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let left = value; bytes.length === 0 || left > 0; left >>>= 7)
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Uint8Array.from(bytes);
}

/** One value, its default as well. */
function oneOf(number: number, { scalar, message, names }: ProtoValue, value: unknown): Uint8Array {
  if (message !== null) return delimited(number, toProtobuf(message, (value ?? {}) as Fields));
  if (scalar === null) return delimited(number, Buffer.from(String(value), "base64"));
  const field = { name: "value", number, scalar, message, json: null, presence: true, names };
  return toProtobuf({ name: "", fields: [field] }, { value });
}

function manyOf({ number, json }: ProtoField, value: unknown): Uint8Array {
  const { kind, value: each, key } = json!;
  if (kind === "bytes") return oneOf(number, each, value);
  if (kind === "list")
    return Buffer.concat((value as readonly unknown[]).map((element) => oneOf(number, each, element)));
  const entries = Object.entries(value as Fields).map(([name, inner]) =>
    delimited(
      number,
      Buffer.concat([oneOf(1, { scalar: key, message: null, names: [] }, name), oneOf(2, each, inner)]),
    ),
  );
  return Buffer.concat(entries);
}

/** What a record has of lists, maps and bytes: messages that come twice are merged. */
function wholesOf(message: ProtoMessage, record: Fields): Uint8Array {
  const parts = jsonColumnsOf(message).flatMap(({ name, path, field }) => {
    const value = valueOf(record, name) ?? null;
    if (value === null) return [];
    const around = path.slice(0, -1);
    return [
      around.reduceRight<Uint8Array>((bytes, number) => delimited(number, bytes), manyOf(field, value)),
    ];
  });
  return Buffer.concat(parts);
}

export function toProtobuf(message: ProtoMessage, record: Fields): Uint8Array {
  return Buffer.concat([scalarsOf(message, record), wholesOf(message, record)]);
}

function scalarsOf(message: ProtoMessage, record: Fields): Uint8Array {
  const there = columnsOf(message).filter(({ name }) => (valueOf(record, name) ?? null) !== null);
  const fields = there.map(({ name, field }) => ({ name, type: typeOf(field.scalar!) }));
  const schema: Schema = { fields, rest: null };
  const columns = fields.map(({ name, type }) => columnWith(type, valueOf(record, name)));
  const none = new Float64Array(1);
  let payload: Uint8Array = new Uint8Array(0);
  createEncoder("protobuf", { schema, origin: null, message }).encode(
    makeBatch({ schema, columns, rows: 1, time: none, watermark: none }),
    (_row, bytes) => {
      payload = bytes;
    },
  );
  return payload;
}

export function fromProtobuf(message: ProtoMessage, payload: Uint8Array): Fields {
  const fields = columnsOf(message).map(({ name, field }) => ({ name, type: typeOf(field.scalar!) }));
  const decoder = createDecoder("protobuf", fields, { message });
  const offsets = Uint32Array.of(0, payload.length);
  const { columns } = decoder.decode({ bytes: payload, offsets, count: 1 });
  return Object.fromEntries(
    fields.map(({ name }, place) => {
      const value = valueAt(columns[place]!, 0);
      return [name, typeof value === "bigint" ? fewestBits(value) : value];
    }),
  );
}
