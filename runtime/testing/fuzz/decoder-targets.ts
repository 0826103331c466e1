// Records as they come over the wire: the kernel and the exact reader must say the same of them, whatever they are.

import { Packr } from "msgpackr/pack";
import type { Decoded, Decoder, FieldRead } from "../../codec/codec.ts";
import { createDecoder } from "../../codec/formats.ts";
import { createJsonDecoder } from "../../codec/json/decoder.ts";
import { batchOf, plain } from "../../codec/kernel/comparison.ts";
import { createMsgpackDecoder } from "../../codec/msgpack/decoder.ts";
import { createProtobufDecoder } from "../../codec/protobuf/decoder.ts";
import { columnsOf, type ProtoMessage, typesFor } from "../../codec/protobuf/message.ts";
import { readProto } from "../../codec/protobuf/proto-file.ts";
import { isDeepStrictEqual } from "node:util";
import { bytesOf, type FuzzTarget, wordsOf } from "./target.ts";

/** Never a byte of UTF-8: between it there are records of one batch. */
const between = 0xfe;

const fields: readonly FieldRead[] = [
  { name: "device", type: "string" },
  { name: "ts", type: "time", unit: "iso" },
  { name: "temp", type: "float64" },
  { name: "n", type: "int64" },
  { name: "ok", type: "bool" },
  { name: "at.x", type: "json" },
];

const record = {
  device: "boiler-1",
  ts: "2026-01-02T03:04:05.678Z",
  temp: -12.5e3,
  n: 9007199254740991,
  ok: true,
  at: { x: [1, "é\n"] },
};

const documents = [
  record,
  { ...record, device: "", temp: 0, n: -1, at: null },
  { temp: 1, device: "\u{1f600}" },
];

function recordsIn(input: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let start = 0;
  for (let end = input.indexOf(between); end >= 0; end = input.indexOf(between, start)) {
    records.push(input.subarray(start, end));
    start = end + 1;
  }
  records.push(input.subarray(start));
  return records;
}

/** A decoder that has seen `known` first, beside its twin: both must say the same of every batch. */
function agree(kernel: Decoder, reader: Decoder, known: Uint8Array, input: Uint8Array): void {
  const records = recordsIn(input);
  for (const batch of [[known, known], records, [known, ...records, known], records]) {
    const [said, meant] = [kernel, reader].map((each) => {
      const decoded = each.decode(batchOf(batch));
      if (decoded.rows !== batch.length)
        throw new Error(`${batch.length} records became ${decoded.rows} rows`);
      return plain(decoded);
    });
    if (!isDeepStrictEqual(said, meant))
      throw new Error(`the kernel and the reader differ: ${differing(said, meant)}`);
  }
}

function differing(said: unknown, meant: unknown): string {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part)).slice(0, 600);
  return `${text(said)} and ${text(meant)}`;
}

const packr = new Packr({ useRecords: false });

const schema = `syntax = "proto3";
enum Mode { IDLE = 0; RUNNING = 1; }
message Inner { double x = 1; sint64 y = 2; }
message Reading { string device = 1; int64 ts = 2; double temp = 3; optional sint32 n = 4; bool ok = 5; Inner at = 6; Mode mode = 7;
  fixed64 f = 8; float g = 9; repeated int32 list = 10; bytes raw = 11; }`;

function readingMessage(): ProtoMessage {
  const file = readProto("reading.proto", () => schema);
  if ("fault" in file) throw new Error(file.fault);
  const message = file.message("Reading");
  if (message === null || "fault" in message) throw new Error("no message Reading");
  return message;
}

const reading = readingMessage();
const protoFields: readonly FieldRead[] = columnsOf(reading).flatMap(({ name, field }) => {
  const [type] = field.scalar === null ? [] : typesFor(field.scalar);
  return type === undefined ? [] : [{ name, type }];
});

/** `device` and some more, as protobuf's own rules write them. */
function protobufRecord(): Uint8Array {
  const inner = Uint8Array.of(0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0x05);
  return Buffer.concat([
    Uint8Array.of(0x0a, 8),
    bytesOf("boiler-1"),
    Uint8Array.of(
      0x10,
      0xe8,
      0x07,
      0x19,
      0,
      0,
      0,
      0,
      0,
      0,
      0x29,
      0x40,
      0x20,
      0x03,
      0x28,
      0x01,
      0x32,
      inner.length,
    ),
    inner,
    Uint8Array.of(0x38, 0x01, 0x41, 1, 2, 3, 4, 5, 6, 7, 8, 0x4d, 0, 0, 0x80, 0x3f, 0x52, 2, 1, 2),
  ]);
}

const json: FuzzTarget = {
  name: "json",
  begins: documents.map((each) => bytesOf(JSON.stringify(each))),
  words: wordsOf(
    '"device": "ts": "temp": "n": "__proto__": 1e999 -0 1.0 9223372036854775808 \\ud800 null 2026-02-30 "2026-01-02T03:04:05Z"',
  ),
  take: (input) =>
    agree(createJsonDecoder(fields), createJsonDecoder(fields, { kernel: false }), json.begins[0]!, input),
};

const msgpack: FuzzTarget = {
  name: "msgpack",
  begins: documents.map((each) => packr.pack(each)),
  words: ["device", "temp", "ts", "__proto__"].map((name) => packr.pack(name)),
  take: (input) =>
    agree(
      createMsgpackDecoder(fields),
      createMsgpackDecoder(fields, { kernel: false }),
      msgpack.begins[0]!,
      input,
    ),
};

const protobuf: FuzzTarget = {
  name: "protobuf",
  begins: [protobufRecord(), new Uint8Array(0)],
  words: [],
  take: (input) =>
    agree(
      createProtobufDecoder(protoFields, reading),
      createProtobufDecoder(protoFields, reading, { kernel: false }),
      protobuf.begins[0]!,
      input,
    ),
};

const csvHeader = ["device", "ts", "temp", "n", "ok"];

const csv: FuzzTarget = {
  name: "csv",
  begins: ["boiler-1,2026-01-02T03:04:05Z,-12.5,7,true", '"a ""b"", c",,1e3,,'].map(bytesOf),
  words: wordsOf('" "" , NaN 1e999 true'),
  take: (input) => {
    const records = recordsIn(input);
    const decoder = createDecoder("csv", fields.slice(0, 5), { header: csvHeader });
    const decoded: Decoded = decoder.decode(batchOf(records));
    if (decoded.rows !== records.length)
      throw new Error(`${records.length} lines became ${decoded.rows} rows`);
  },
};

export const decoderTargets: readonly FuzzTarget[] = [json, msgpack, protobuf, csv];
