// Columns to JSON: one object for each selected row, its members in the order of the schema, null
// where a value is null. Makes no object for a row. What passes through of the original record follows
// after the schema's own members, byte for byte where the original was JSON.

import type { Batch, Column, Origin, SchemaField } from "../../../operators/sdk/index.ts";
import type { Encoder, EncoderOptions } from "../codec.ts";
import { areWritable, type RowMember, rowWriter, type RowWriter } from "../kernel/row-writer.ts";
import { type RestMembers, writtenFields } from "../rest.ts";
import { ByteRows, type Emit, Piece } from "../rows.ts";
import { WrittenTexts } from "./written-texts.ts";

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
  readonly #writer: RowWriter | null;

  constructor(options: EncoderOptions, rest: RestMembers | null) {
    const { schema } = options;
    this.#places = writtenFields(options);
    const fields = this.#places.map((place) => schema.fields[place]!);
    this.#members = fields.map((field, order) => new Member(field, order === 0 ? "{" : ","));
    this.#rest = rest;
    this.#writer = areWritable(fields.map(({ type }) => type)) ? rowWriter() : null;
  }

  encode(batch: Batch, emit: Emit): void {
    for (const [order, member] of this.#members.entries()) member.begin(batch.columns[this.#places[order]!]!);
    if (this.#rest !== null && batch.origin !== null) this.#amend(batch, batch.origin, this.#rest, emit);
    else this.#write(batch, emit);
  }

  #write({ selection, count }: Batch, emit: Emit): void {
    const writer = count < rowsForKernel ? null : this.#writer;
    for (let i = 0; i < count; ) {
      const written = writer === null ? i : writer.write(this.#members, selection, i, count, emit);
      if (written === i) this.#writeRow(selection[i++]!, emit);
      else i = written;
    }
  }

  /** What the kernel does, for what it cannot do. */
  #writeRow(row: number, emit: Emit): void {
    const members = this.#members;
    const bytes = this.#bytes;
    if (members.length === 0) bytes.byte(brace);
    for (let place = 0; place < members.length; place++) {
      bytes.piece(members[place]!.name);
      members[place]!.write(bytes, row);
    }
    bytes.byte(0x7d);
    emit(row, bytes.take());
  }

  /** What the record held comes first, as its readers know it; what was computed follows. */
  #amend({ selection, count }: Batch, origin: Origin, rest: RestMembers, emit: Emit): void {
    const bytes = this.#bytes;
    let first = true;
    const append = (member: Uint8Array, start: number, end: number): void => {
      if (!first) bytes.byte(comma);
      first = false;
      bytes.copy(member, start, end);
    };
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      bytes.byte(brace);
      first = true;
      rest(origin.payload(row), append);
      for (const member of this.#members) {
        if (!first) bytes.byte(comma);
        first = false;
        bytes.piece(member.alone);
        member.write(bytes, row);
      }
      bytes.byte(0x7d);
      emit(row, bytes.take());
    }
  }
}

/** Fewer rows are sooner written here than handed to the kernel. */
const rowsForKernel = 8;
const brace = 0x7b;
const comma = 0x2c;
const literals = { null: new Piece("null"), true: new Piece("true"), false: new Piece("false") };

/** One member of the objects: its name, written beforehand, and its column. */
class Member implements RowMember {
  /** With what stands before it when nothing of the original does. */
  readonly name: Piece;
  readonly alone: Piece;
  column!: Column;
  readonly texts: WrittenTexts;

  constructor(field: SchemaField, before: string) {
    const name = `${JSON.stringify(field.name)}:`;
    this.name = new Piece(before + name);
    this.alone = new Piece(name);
    this.texts = new WrittenTexts(field.type === "json" ? "json" : "string");
  }

  begin(column: Column): void {
    this.column = column;
    if (column.type === "string" || column.type === "json") this.texts.begin(column.dictionary);
  }

  write(bytes: ByteRows, row: number): void {
    const { column } = this;
    if (column.valid !== null && column.valid[row] === 0) {
      bytes.piece(literals.null);
      return;
    }
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
      case "string":
      case "json": {
        const code = column.values[row]!;
        this.texts.need(code);
        bytes.copy(this.texts.bytes, this.texts.starts[code]!, this.texts.ends[code]!);
      }
    }
  }
}
