// Records of a test to the payloads that a source would deliver, and rows of a sink back to records.

import { Packr } from "msgpackr";
import type { Schema } from "../../operators/sdk/index.ts";
import type { Format } from "../codec/codec.ts";
import { parseCsvLine } from "../codec/csv/line.ts";

export type Fields = Readonly<Record<string, unknown>>;

const packr = new Packr({ useRecords: false, int64AsType: "number" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A record as a payload; `header` orders the cells of a CSV line. */
export function toPayload(format: Format, record: Fields, header: readonly string[]): Uint8Array {
  if (format === "json") return encoder.encode(JSON.stringify(record));
  if (format === "msgpack") return packr.pack(record);
  return encoder.encode(header.map((name) => csvCell(record[name])).join(","));
}

function fromCell(text: string, type: string): unknown {
  if (text === "") return null;
  if (type === "bool") return text === "true";
  return type === "string" || type === "json" ? text : Number(text);
}

/** A sink's payload as a record. */
export function fromPayload(format: Format, payload: Uint8Array, rows: Schema): Fields {
  if (format === "json") return JSON.parse(decoder.decode(payload)) as Fields;
  if (format === "msgpack") return packr.unpack(payload) as Fields;
  const cells = parseCsvLine(decoder.decode(payload)) ?? [];
  return Object.fromEntries(
    rows.fields.map(({ name, type }, place) => [name, fromCell(cells[place] ?? "", type)]),
  );
}
