// CSV lines to columns: one payload is one record, its columns named by a header that was read
// elsewhere. Names are flat: a dotted name is a column's own name. Never throws for what a line holds.

import { Buffer, isUtf8 } from "node:buffer";
import { makeColumn, type TextDictionary, trimValid } from "../../batch/columns.ts";
import { payloadAt, type Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { DecodeFault, Decoded, Decoder, FieldRead } from "../codec.ts";
import { nextDictionary } from "../dictionary.ts";
import { RawTexts } from "../json/raw-texts.ts";
import { integerOfCell, isJsonCell, numberOfCell, timeOfCell } from "./cell.ts";
import { type CsvCells, endsInQuotes, splitCsvLine } from "./line.ts";

export interface CsvDecoderOptions {
  /** The columns of every line, in order. Of a name that stands twice the last counts. */
  readonly header: readonly string[];
}

/** A decoder of lines with the columns of `options.header` that reads `fields`; a field without a column is null. */
export function createCsvDecoder(fields: readonly FieldRead[], options: CsvDecoderOptions): Decoder {
  return new CsvDecoder(fields, options.header);
}

type Target = ReturnType<typeof makeColumn>;

/** As numbers are written where a comma stands before the decimals. */
const withComma = /^[+-]?\d[\d.]*,\d+$/;

class CsvDecoder implements Decoder {
  readonly #fields: readonly FieldRead[];
  readonly #width: number;
  /** By field, its place in a line; -1 when the header does not name it. */
  readonly #places: readonly number[];
  readonly #dictionaries: (TextDictionary | null)[];
  #columns: Target[] = [];
  #faults: DecodeFault[] = [];

  constructor(fields: readonly FieldRead[], header: readonly string[]) {
    this.#fields = fields;
    this.#width = header.length;
    this.#places = fields.map((field) => header.lastIndexOf(field.name));
    this.#dictionaries = fields.map(() => null);
  }

  decode(payloads: Payloads): Decoded {
    this.#faults = [];
    this.#columns = this.#fields.map((field, index) => {
      if (field.type === "json") return makeColumn(field.type, payloads.count, new RawTexts(payloads.count));
      if (field.type !== "string") return makeColumn(field.type, payloads.count, null);
      const dictionary = nextDictionary(this.#dictionaries[index] ?? null);
      this.#dictionaries[index] = dictionary;
      return makeColumn(field.type, payloads.count, dictionary);
    });
    for (let row = 0; row < payloads.count; row++) this.#line(row, payloadAt(payloads, row));
    return { rows: payloads.count, columns: this.#columns.map(trimValid), faults: this.#faults };
  }

  #line(row: number, payload: Uint8Array): void {
    const cells = this.#cells(payload);
    if (typeof cells === "string") {
      this.#faults.push({ row, field: -1, reason: "decode", detail: cells });
      return;
    }
    for (let index = 0; index < this.#columns.length; index++) {
      const place = this.#places[index]!;
      if (place < 0) continue;
      const text = cells.texts[place]!;
      // Only a text can be empty; an empty number, quoted or not, is no number at all.
      if (text === "" && !(cells.quoted?.[place] === true && this.#fields[index]!.type === "string"))
        continue;
      if (this.#put(index, row, text)) this.#columns[index]!.valid[row] = 1;
      else this.#faults.push({ row, field: index, reason: "type", detail: this.#expected(index, text) });
    }
  }

  /** The cells of a line, or what is wrong with it. */
  #cells(payload: Uint8Array): CsvCells | string {
    if (payload.length > limits.payload_bytes_max)
      return `expected at most ${limits.payload_bytes_max} bytes, got ${payload.length}`;
    if (!isUtf8(payload)) return "expected a line of UTF-8, got other bytes";
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8");
    const cells = splitCsvLine(text);
    if (cells === null)
      return `expected a line of CSV, got ${endsInQuotes(text) ? "one in which a quote is not closed" : "a quote or a line end out of place"}`;
    if (cells.texts.length !== this.#width)
      return `expected ${this.#width} columns, got ${cells.texts.length}`;
    for (const place of this.#places) {
      if (place >= 0 && cells.texts[place]!.length > limits.string_bytes_max)
        return `expected cells of at most ${limits.string_bytes_max} characters, got a longer one in column ${place + 1}`;
    }
    return cells;
  }

  /** Writes one value; false when the text is none of the column's type. */
  #put(index: number, row: number, text: string): boolean {
    const column = this.#columns[index]!;
    switch (column.type) {
      case "float64":
        return !Number.isNaN((column.values[row] = numberOfCell(text)));
      case "time":
        return !Number.isNaN((column.values[row] = timeOfCell(text, this.#fields[index]!.unit ?? "ms")));
      case "int64": {
        const value = integerOfCell(text);
        if (value !== undefined) column.values[row] = value;
        return value !== undefined;
      }
      case "bool":
        column.values[row] = text === "true" ? 1 : 0;
        return text === "true" || text === "false";
      case "string":
        column.values[row] = this.#dictionaries[index]!.code(text);
        return true;
      case "json":
        if (!isJsonCell(text)) return false;
        column.values[row] = (column.dictionary as RawTexts).add(text);
        return true;
    }
  }

  #expected(index: number, text: string): string {
    const { type, unit = "ms" } = this.#fields[index]!;
    if (type === "float64" && withComma.test(text))
      return "expected float64 with a decimal point, got a number with a comma";
    if (type !== "time") return `expected ${type}, got other text`;
    return `expected time ${unit === "iso" ? "as ISO 8601 text with its zone" : `in ${unit}`}, got other text`;
  }
}
