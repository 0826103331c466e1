// The content of a reference table to typed columns with a key for each row, or to the first thing that is
// wrong with it, by file, line and column. Opens nothing; never coerces.

import { isUtf8 } from "node:buffer";
import type { Column, ColumnType } from "../../../operators/sdk/index.ts";
import { makeColumn, TextDictionary } from "../../batch/columns.ts";
import type { Payloads } from "../../batch/payloads.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Decoder, FieldRead } from "../codec.ts";
import { integerOfCell, numberOfCell } from "../csv/cell.ts";
import { createCsvDecoder } from "../csv/decoder.ts";
import { parseCsvLine } from "../csv/line.ts";
import { createJsonDecoder } from "../json/decoder.ts";
import type { ReferenceContent } from "./content.ts";
import { ContentFault, type Part, partsOf } from "./parts.ts";

/** What is wanted of a table. */
export interface ReferenceRead {
  readonly key: FieldRead;
  /** None of them is called like the key. */
  readonly columns: readonly FieldRead[];
}

export interface DecodedReference {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** By key as `keyAt` gives it, its row. */
  readonly places: ReadonlyMap<unknown, number>;
}

type Readable = Exclude<ReferenceContent, { kind: "unreadable" }>;

/** Decodes a table. Throws a `WeirError` that names the place and the cure. */
export function decodeReference(content: ReferenceContent, read: ReferenceRead): DecodedReference {
  if (content.kind === "unreadable")
    throw new WeirError("WEIR_REFERENCE", content.message, { remedy: content.remedy });
  try {
    if (content.kind === "file" && !isUtf8(content.bytes))
      throw new ContentFault(0, "expected UTF-8 text, got other bytes");
    return decode(content, partsOf(content), read);
  } catch (fault) {
    if (!(fault instanceof ContentFault)) throw fault;
    const place = fault.line > 0 ? `${content.name}:${fault.line}` : content.name;
    throw new WeirError("WEIR_REFERENCE", `${place}: ${fault.message}`, {
      remedy: "mend the table; it is used as a whole or not at all",
    });
  }
}

function decode(content: Readable, parts: readonly Part[], read: ReferenceRead): DecodedReference {
  const isCsv = content.kind === "file" && content.format === "csv";
  const header = isCsv ? headerOf(parts[0], read) : null;
  const records = isCsv ? parts.slice(1) : parts;
  if (records.length > limits.lookup_rows_max)
    throw new ContentFault(0, `expected at most ${limits.lookup_rows_max} rows, got ${records.length}`);
  // A key beside the records is the table's, whatever they hold themselves.
  const beside = records[0]?.key != null;
  const fields = beside ? [...read.columns] : [...read.columns, read.key];
  const decoded = decoderOf(fields, header).decode(payloadsOf(records));
  const [fault] = decoded.faults;
  if (fault !== undefined) {
    const at = fault.field < 0 ? "" : `column ${fields[fault.field]!.name}: `;
    throw new ContentFault(records[fault.row]!.line, `${keyText(records[fault.row]!)}${at}${fault.detail}`);
  }
  const columns = decoded.columns.slice(0, read.columns.length);
  const key = beside ? keysBeside(records, read.key.type) : decoded.columns.at(-1)!;
  return { rows: records.length, columns, places: placesOf(key, records, read.key.name) };
}

function decoderOf(fields: readonly FieldRead[], header: readonly string[] | null): Decoder {
  // Without the kernel, whose memory is too much for what is decoded once.
  return header === null
    ? createJsonDecoder(fields, { kernel: false })
    : createCsvDecoder(fields, { header });
}

function headerOf(first: Part | undefined, { key, columns }: ReferenceRead): readonly string[] {
  const header = first === undefined ? null : parseCsvLine(Buffer.from(first.bytes).toString("utf8"));
  if (header === null) throw new ContentFault(1, "expected a header line with the names of the columns");
  for (const { name } of [key, ...columns]) {
    const count = header.filter((each) => each === name).length;
    if (count === 1) continue;
    const got = count === 0 ? `got ${header.join(", ")}` : `got ${count}`;
    throw new ContentFault(first!.line, `expected one column ${name}, ${got}`);
  }
  return header;
}

function payloadsOf(parts: readonly Part[]): Payloads {
  const offsets = new Uint32Array(parts.length + 1);
  for (const [row, part] of parts.entries()) offsets[row + 1] = offsets[row]! + part.bytes.length;
  const bytes = new Uint8Array(offsets[parts.length]!);
  for (const [row, part] of parts.entries()) bytes.set(part.bytes, offsets[row]!);
  return { bytes, offsets, count: parts.length };
}

function keyText({ key }: Part): string {
  return key === null ? "" : `key ${JSON.stringify(key)}: `;
}

/** Keys that stand beside the records are text; as a number or truth value they are read like a cell of CSV. */
function keysBeside(parts: readonly Part[], type: ColumnType): Column {
  const dictionary = type === "string" ? new TextDictionary() : null;
  const column = makeColumn(type, parts.length, dictionary);
  for (const [row, part] of parts.entries()) {
    const text = part.key!;
    const value = keyValue(text, type, dictionary);
    if (value === null) throw new ContentFault(part.line, `key ${JSON.stringify(text)}: expected ${type}`);
    (column.values as { [row: number]: number | bigint })[row] = value;
    column.valid[row] = 1;
  }
  return column;
}

function keyValue(text: string, type: ColumnType, dictionary: TextDictionary | null): number | bigint | null {
  if (dictionary !== null) return dictionary.code(text);
  if (type === "int64") return integerOfCell(text) ?? null;
  if (type === "bool") return text === "true" ? 1 : text === "false" ? 0 : null;
  const value = numberOfCell(text);
  return Number.isNaN(value) ? null : value;
}

function placesOf(key: Column, parts: readonly Part[], name: string): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  for (let row = 0; row < parts.length; row++) {
    const { line } = parts[row]!;
    if (key.valid !== null && key.valid[row] === 0)
      throw new ContentFault(line, `column ${name}: expected a key, got null`);
    const value = keyAt(key, row);
    const before = places.get(value);
    // Lines tell a file's records apart; of two keys of a bucket that are one number the later counts.
    if (before !== undefined && line > 0) {
      const shown = JSON.stringify(String(value)).slice(0, limits.field_name_length_max);
      throw new ContentFault(line, `the key ${shown} stands in line ${parts[before]!.line} already`);
    }
    places.set(value, row);
  }
  return places;
}

/** What the value of a row is found by: equal for equal keys of one type. */
export function keyAt(column: Column, row: number): unknown {
  return column.type === "string" ? column.dictionary.text(column.values[row]!) : column.values[row];
}
