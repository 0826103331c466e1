// The same readings as JSON, MessagePack and protobuf to columns: three of their five fields, and all.

import { type Column, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../../runtime/batch/batch.ts";
import { type PayloadBatch, PayloadBuilder } from "../../runtime/batch/payloads.ts";
import type { FieldRead, Format } from "../../runtime/codec/codec.ts";
import { createDecoder, createEncoder } from "../../runtime/codec/formats.ts";
import type { ProtoField, ProtoMessage, Scalar } from "../../runtime/codec/protobuf/message.ts";
import { limits } from "../../runtime/limits.ts";
import { makeReadings } from "../readings.ts";
import type { Way, Workload } from "./workload.ts";

const fields: readonly FieldRead[] = [
  { name: "device", type: "string" },
  { name: "ts", type: "time" },
  { name: "temp", type: "float64" },
  { name: "humidity", type: "float64" },
  { name: "ok", type: "bool" },
];
const scalars: readonly Scalar[] = ["string", "int64", "double", "double", "bool"];

const message: ProtoMessage = {
  name: "Reading",
  fields: fields.map(
    ({ name }, place): ProtoField => ({
      name,
      number: place + 1,
      scalar: scalars[place]!,
      message: null,
      json: null,
      presence: false,
      names: [],
    }),
  ),
};

/** The same records in another format. */
function rewritten(json: PayloadBatch, format: Format): PayloadBatch {
  const { columns, rows } = createDecoder("json", fields).decode(json);
  const schema = { fields, rest: null };
  const time = new Float64Array(rows);
  const builder = new PayloadBuilder(rows, Number.POSITIVE_INFINITY);
  createEncoder(format, { schema, origin: null, message }).encode(
    makeBatch({ schema, columns, rows, time, watermark: time }),
    (_row, payload) => builder.add(payload, "", 0),
  );
  return builder.take();
}

function textOf(columns: readonly Column[], rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => columns.map((column) => valueAt(column, row)));
  return lines.map((line) => line.join(" ")).join("\n");
}

function decoding(format: Format, payloads: PayloadBatch, read: readonly FieldRead[]): Way {
  const decoder = createDecoder(format, read, { message });
  return {
    engine: format,
    answer: () => textOf(decoder.decode(payloads).columns, payloads.count),
    run: () => decoder.decode(payloads),
  };
}

export function formatDecode(): readonly Workload[] {
  const json = makeReadings(limits.batch_rows_max)[0]!;
  const batches = [
    ["json", json],
    ["msgpack", rewritten(json, "msgpack")],
    ["protobuf", rewritten(json, "protobuf")],
  ] as const;
  const workloadOf = (name: string, read: readonly FieldRead[]): Workload => ({
    name,
    records: json.count,
    ways: batches.map(([format, payloads]) => decoding(format, payloads, read)),
    wanted: [
      { engine: "msgpack", times: 2 },
      { engine: "protobuf", times: 2 },
    ],
  });
  return [
    workloadOf("decode by format, 3 of 5 fields", fields.slice(0, 3)),
    workloadOf("decode by format, all 5 fields", fields),
  ];
}
