// Columns to CSV: one line without a line end for each selected row, its cells in the order of the
// schema. Null is an empty cell and an empty text a quoted one. A line has no room for fields that
// nobody named, so a schema with a rest is refused.

import type { Batch, Column, Dictionary, Schema } from "../../../operators/sdk/index.ts";
import { WeirError } from "../../errors.ts";
import type { Encoder, EncoderOptions } from "../codec.ts";
import { type Emit, TextRows } from "../rows.ts";
import { quoteCsvText } from "./line.ts";

/** The first line of a file of such rows. */
export function csvHeader(schema: Schema): string {
  return schema.fields.map((field) => quoteCsvText(field.name)).join(",");
}

export function createCsvEncoder(options: EncoderOptions): Encoder {
  if (options.schema.rest !== null)
    throw new WeirError(
      "WEIR_CONFIG",
      "csv sink: expected rows whose fields are all named, got an open schema",
      {
        remedy: "name the fields to write with a select before the sink, or write json",
      },
    );
  return new CsvEncoder(options.schema);
}

class CsvEncoder implements Encoder {
  readonly #cells: readonly Cells[];
  readonly #rows = new TextRows();

  constructor(schema: Schema) {
    this.#cells = schema.fields.map(() => new Cells());
  }

  encode(batch: Batch, emit: Emit): void {
    for (const [field, cells] of this.#cells.entries()) cells.begin(batch.columns[field]!);
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      let text = "";
      for (let field = 0; field < this.#cells.length; field++)
        text += field === 0 ? this.#cells[field]!.text(row) : `,${this.#cells[field]!.text(row)}`;
      this.#rows.add(row, text, emit);
    }
    this.#rows.flush(emit);
  }
}

/** The cells of one column. */
class Cells {
  #column!: Column;
  #dictionary: Dictionary | null = null;
  /** By code of the dictionary: each text is quoted once. */
  #quoted: string[] = [];

  begin(column: Column): void {
    this.#column = column;
    if (column.dictionary === this.#dictionary) return;
    this.#dictionary = column.dictionary;
    this.#quoted = [];
  }

  text(row: number): string {
    const column = this.#column;
    if (column.valid !== null && column.valid[row] === 0) return "";
    switch (column.type) {
      case "float64":
      case "time": {
        const value = column.values[row]!;
        return Number.isFinite(value) ? `${value}` : "";
      }
      case "int64":
        return `${column.values[row]!}`;
      case "bool":
        return column.values[row] === 1 ? "true" : "false";
      case "string":
      case "json": {
        const code = column.values[row]!;
        return (this.#quoted[code] ??= quoteCsvText(column.dictionary.text(code)));
      }
    }
  }
}
