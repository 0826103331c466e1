// Columns to JSON: one object for each selected row, its members in the order of the schema, null
// where a value is null. Makes no object for a row. What passes through of the original record follows
// after the schema's own members, byte for byte where the original was JSON.

import type { Batch, Column, Dictionary, SchemaField } from "../../../operators/sdk/index.ts";
import type { Encoder, EncoderOptions } from "../codec.ts";
import { type RestMembers, writtenFields } from "../rest.ts";
import { ByteRows, type Emit, TextRows } from "../rows.ts";

/**
 * An encoder of rows with `options.schema`. `rest` yields what passes through of the original record;
 * without it only columns are written. Nothing but a column's own value decides how it is written: time
 * is a number of ms, int64 all its digits, `json` its text.
 */
export function createJsonEncoder(options: EncoderOptions, rest: RestMembers | null = null): Encoder {
  return new JsonEncoder(options, rest);
}

class JsonEncoder implements Encoder {
  readonly #places: readonly number[];
  readonly #members: readonly Member[];
  readonly #rest: RestMembers | null;
  readonly #texts = new TextRows();
  readonly #bytes = new ByteRows();

  constructor({ schema }: EncoderOptions, rest: RestMembers | null) {
    this.#places = writtenFields(schema);
    this.#members = this.#places.map((place, order) => new Member(schema.fields[place]!, order));
    this.#rest = rest;
  }

  encode(batch: Batch, emit: Emit): void {
    const columns = this.#places.map((place) => batch.columns[place]!);
    for (const [order, member] of this.#members.entries()) member.begin(columns[order]!);
    const { origin } = batch;
    if (this.#rest !== null && origin !== null) {
      this.#encodeWithRest(batch, this.#rest, emit);
      return;
    }
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      this.#texts.add(row, `${this.#head(row)}}`, emit);
    }
    this.#texts.flush(emit);
  }

  #encodeWithRest(batch: Batch, rest: RestMembers, emit: Emit): void {
    const bytes = this.#bytes;
    let first = true;
    const append = (member: Uint8Array, start: number, end: number): void => {
      if (!first) bytes.byte(0x2c);
      first = false;
      bytes.copy(member, start, end);
    };
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      bytes.byte(0x7b);
      first = true;
      rest(batch.origin!.payload(row), append);
      // What the record held comes first, as its readers know it; what was computed follows.
      const members = this.#head(row).slice(1);
      if (!first && members !== "") bytes.byte(0x2c);
      bytes.text(`${members}}`);
      emit(row, bytes.take());
    }
  }

  /** The row's object without its end. */
  #head(row: number): string {
    if (this.#members.length === 0) return "{";
    let text = "";
    for (const member of this.#members) text += member.text(row);
    return text;
  }
}

/** One member of the objects: its name, written beforehand, and its column. */
class Member {
  readonly #prefix: string;
  #column!: Column;
  /** By code of the dictionary, the text in its quotes: each is escaped once. */
  #quoted: string[] = [];
  #dictionary: Dictionary | null = null;

  constructor(field: SchemaField, order: number) {
    this.#prefix = `${order === 0 ? "{" : ","}${JSON.stringify(field.name)}:`;
  }

  begin(column: Column): void {
    this.#column = column;
    if (column.dictionary === this.#dictionary) return;
    this.#dictionary = column.dictionary;
    this.#quoted = [];
  }

  text(row: number): string {
    const column = this.#column;
    return column.valid !== null && column.valid[row] === 0
      ? `${this.#prefix}null`
      : this.#prefix + this.#value(column, row);
  }

  #value(column: Column, row: number): string {
    switch (column.type) {
      case "float64":
      case "time": {
        const value = column.values[row]!;
        return Number.isFinite(value) ? `${value}` : "null";
      }
      case "int64":
        return `${column.values[row]!}`;
      case "bool":
        return column.values[row] === 1 ? "true" : "false";
      case "string": {
        const code = column.values[row]!;
        return (this.#quoted[code] ??= JSON.stringify(column.dictionary.text(code)));
      }
      case "json":
        return column.dictionary.text(column.values[row]!);
    }
  }
}
