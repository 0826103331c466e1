// Records of a test to the payloads that a source would deliver, and rows of a sink back to records.

import { Packr } from "msgpackr/pack";
import type { Format } from "../codec/codec.ts";
import { parseCsvLine } from "../codec/csv/line.ts";
import type { ProtoMessage } from "../codec/protobuf/message.ts";
import type { BranchPlan } from "../pipeline/pipeline.ts";
import { exactlyParsed, fewestBits } from "./exact-json.ts";
import { fromProtobuf, toProtobuf } from "./protobuf-payload.ts";

export type Fields = Readonly<Record<string, unknown>>;

const packr = new Packr({ useRecords: false, int64AsType: "auto" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A record as a payload; `header` orders the cells of a CSV line, and `message` is what a protobuf record is. */
export function toPayload(
  format: Format,
  record: Fields,
  header: readonly string[],
  message: ProtoMessage | null = null,
): Uint8Array {
  if (message !== null) return toProtobuf(message, record);
  if (format === "json") return encoder.encode(JSON.stringify(record));
  if (format === "msgpack") return packr.pack(record);
  return encoder.encode(header.map((name) => csvCell(record[name])).join(","));
}

function fromCell(text: string, type: string): unknown {
  if (text === "") return null;
  if (type === "bool") return text === "true";
  if (type === "int64") return fewestBits(BigInt(text));
  return type === "string" || type === "json" ? text : Number(text);
}

/** A sink's payload as a record; whole numbers beyond what a float64 holds are BigInts. */
export function fromPayload(
  { format, message, rows }: Pick<BranchPlan, "format" | "message" | "rows">,
  payload: Uint8Array,
): Fields {
  if (message !== null) return fromProtobuf(message, payload);
  if (format === "json") return exactlyParsed(decoder.decode(payload)) as Fields;
  if (format === "msgpack") return packr.unpack(payload) as Fields;
  const cells = parseCsvLine(decoder.decode(payload)) ?? [];
  return Object.fromEntries(
    rows.fields.map(({ name, type }, place) => [name, fromCell(cells[place] ?? "", type)]),
  );
}
