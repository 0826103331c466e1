// Columns to JSON: one object for each selected row, its members in the order of the schema, null
// where a value is null. Makes no object for a row. What passes through of the original record follows
// after the schema's own members, byte for byte where the original was JSON.

import type { Batch, Column, Dictionary, SchemaField } from "../../../operators/sdk/index.ts";
import type { Encoder, EncoderOptions } from "../codec.ts";
import { type RestMembers, writtenFields } from "../rest.ts";
import { ByteRows, type Emit, Piece } from "../rows.ts";

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
  readonly #bytes = new ByteRows();

  constructor({ schema }: EncoderOptions, rest: RestMembers | null) {
    this.#places = writtenFields(schema);
    this.#members = this.#places.map((place) => new Member(schema.fields[place]!));
    this.#rest = rest;
  }

  encode(batch: Batch, emit: Emit): void {
    const members = this.#members;
    for (const [order, member] of members.entries()) member.begin(batch.columns[this.#places[order]!]!);
    const bytes = this.#bytes;
    const rest = batch.origin === null ? null : this.#rest;
    let first = true;
    const append = (member: Uint8Array, start: number, end: number): void => {
      if (!first) bytes.byte(comma);
      first = false;
      bytes.copy(member, start, end);
    };
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      first = true;
      bytes.byte(0x7b);
      // What the record held comes first, as its readers know it; what was computed follows.
      if (rest !== null) rest(batch.origin!.payload(row), append);
      for (let place = 0; place < members.length; place++)
        members[place]!.write(bytes, row, first && place === 0);
      bytes.byte(0x7d);
      emit(row, bytes.take());
    }
  }
}

const comma = 0x2c;
const literals = { null: new Piece("null"), true: new Piece("true"), false: new Piece("false") };

/** One member of the objects: its name, written beforehand, and its column. */
class Member {
  readonly #first: Piece;
  readonly #further: Piece;
  #column!: Column;
  /** By code of the dictionary, the text in its quotes: each is escaped once. */
  #quoted: Piece[] = [];
  #dictionary: Dictionary | null = null;

  constructor(field: SchemaField) {
    const name = `${JSON.stringify(field.name)}:`;
    this.#first = new Piece(name);
    this.#further = new Piece(`,${name}`);
  }

  begin(column: Column): void {
    this.#column = column;
    if (column.dictionary === this.#dictionary) return;
    this.#dictionary = column.dictionary;
    this.#quoted = [];
  }

  write(bytes: ByteRows, row: number, first: boolean): void {
    const column = this.#column;
    bytes.piece(first ? this.#first : this.#further);
    if (column.valid !== null && column.valid[row] === 0) bytes.piece(literals.null);
    else this.#value(bytes, column, row);
  }

  #value(bytes: ByteRows, column: Column, row: number): void {
    switch (column.type) {
      case "float64":
      case "time": {
        const value = column.values[row]!;
        if (Number.isFinite(value)) bytes.number(value);
        else bytes.piece(literals.null);
        return;
      }
      case "int64":
        bytes.text(`${column.values[row]!}`);
        return;
      case "bool":
        bytes.piece(column.values[row] === 1 ? literals.true : literals.false);
        return;
      case "string": {
        const code = column.values[row]!;
        bytes.piece((this.#quoted[code] ??= new Piece(JSON.stringify(column.dictionary.text(code)))));
        return;
      }
      case "json":
        bytes.text(column.dictionary.text(column.values[row]!));
    }
  }
}
