// Records of a test to protobuf and back, by the codec's own encoder and decoder. A message inside another is a map,
// or a name with dots.

import { type Column, type Schema, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";
import { createDecoder, createEncoder } from "../codec/formats.ts";
import { columnsOf, type ProtoMessage, typeOf } from "../codec/protobuf/message.ts";
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

export function toProtobuf(message: ProtoMessage, record: Fields): Uint8Array {
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
