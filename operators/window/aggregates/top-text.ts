// What top_k keeps, as a text that can travel in a payload, and back. Reads only what it is sure of: any
// other text is no sketch, and no text makes it take more room than one may.
//
// Texts, numbers and the first bytes are those of sketch-bytes.ts.
//
//   bytes            what
//   0x53 0x53 0x01   "SS", version 1
//   number           type of the values: 0 string, 1 float64, 2 int64, 3 bool, 4 time, 5 json
//   number           places: 256
//   number           n, how many values follow, at most as many as there are places; for each:
//     number           its hash: the 52 bits of hash.ts
//     number           its count
//     number           by how much the count may be too high
//     label            string, int64, json: number of bytes and UTF-8 text; else: a float64, the low byte first
//
// Where n is less than the places every count is exact; else a value that is not among them came no more
// often than the least count (Space-Saving).

import type { ColumnType } from "weir/sdk";
import { frequentMax, frequentTextMax } from "./bounds.ts";
import { entriesOf, type Frequent, tableOf } from "./frequent.ts";
import { type NumberReader, putNumber, reading, textOfBytes } from "./sketch-bytes.ts";
import { showsTexts } from "./top-k.ts";

const magic = "SS";
const version = 1;
const types: readonly ColumnType[] = ["string", "float64", "int64", "bool", "time", "json"];
const hashEnd = 2 ** 52;
/** A UTF-16 unit takes up to three bytes. */
const labelBytesMax = frequentTextMax * 3;

export interface TopSketch {
  readonly type: ColumnType;
  readonly table: Float64Array;
}

export function topText({ type, table }: TopSketch): string {
  const bytes: number[] = [];
  const entries = entriesOf(table, showsTexts(type)).sort((a, b) => b.count - a.count || a.hash - b.hash);
  putNumber(bytes, types.indexOf(type));
  putNumber(bytes, frequentMax);
  putNumber(bytes, entries.length);
  for (const { hash, label, count, error } of entries) {
    for (const number of [hash, count, error]) putNumber(bytes, number);
    putLabel(bytes, label);
  }
  return textOfBytes(magic, version, bytes);
}

function putLabel(bytes: number[], label: number | string): void {
  if (typeof label === "number") {
    bytes.push(...new Uint8Array(Float64Array.of(label).buffer));
    return;
  }
  const text = new TextEncoder().encode(label);
  putNumber(bytes, text.length);
  bytes.push(...text);
}

/** The sketch that a text is; null when it is none. */
export function topOf(text: string): TopSketch | null {
  const reader = reading(text, magic, version);
  if (reader === null) return null;
  const type = types[reader.next()];
  if (type === undefined || reader.next() !== frequentMax) return null;
  const size = reader.next();
  if (!(size > 0 && size <= frequentMax)) return null;
  const entries: Frequent[] = [];
  for (let i = 0; i < size; i++) {
    const entry = readEntry(reader, type);
    if (entry === null) return null;
    entries.push(entry);
  }
  const isOnce = new Set(entries.map(({ hash }) => hash)).size === size;
  return isOnce && reader.atEnd ? { type, table: tableOf(entries) } : null;
}

function readEntry(reader: NumberReader, type: ColumnType): Frequent | null {
  const [hash, count, error] = [reader.next(), reader.next(), reader.next()];
  if (!(hash < hashEnd) || !(count > error) || Number.isNaN(error)) return null;
  const label = readLabel(reader, type);
  return label === null ? null : { hash, label, count, error };
}

function readLabel(reader: NumberReader, type: ColumnType): number | string | null {
  if (!showsTexts(type)) {
    const bytes = reader.take(8);
    if (bytes === null) return null;
    const value = new Float64Array(Uint8Array.from(bytes).buffer)[0]!;
    return Number.isFinite(value) ? value : null;
  }
  const length = reader.next();
  if (!(length <= labelBytesMax)) return null;
  const bytes = reader.take(length);
  if (bytes === null) return null;
  const label = new TextDecoder().decode(bytes);
  if (label.length > frequentTextMax) return null;
  return isWritable(type, label) ? label : null;
}

/** Whether a label can be shown as the value that it stands for. */
function isWritable(type: ColumnType, label: string): boolean {
  if (type === "int64") return /^-?\d{1,19}$/.test(label);
  if (type !== "json") return true;
  try {
    JSON.parse(label);
    return true;
  } catch {
    return false;
  }
}
