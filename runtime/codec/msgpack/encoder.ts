// Columns to MessagePack: one map for each selected row, its entries in the order of the schema, nil
// where a value is null. Standard MessagePack only: no records, no shared structures, so that any other
// language reads it.

// This entry of msgpackr does not load its native string extractor, which has open faults and gains nothing here.
import { Packr } from "msgpackr/pack";
import type { Batch, Column, Dictionary } from "../../../operators/sdk/index.ts";
import type { Encoder, EncoderOptions } from "../codec.ts";
import { type RestMembers, writtenFields } from "../rest.ts";
import { ByteRows, type Emit } from "../rows.ts";
import { jsonValue, packable } from "./json-value.ts";

/** Packs one value, where an integer that is a BigInt takes 64 bits and one beyond them becomes a float. */
export function packValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

const packr = new Packr({ useRecords: false, largeBigIntToFloat: true });

/** An encoder of rows with `options.schema`; `rest` yields the packed entries that pass through of the original record. */
export function createMsgpackEncoder(options: EncoderOptions, rest: RestMembers | null = null): Encoder {
  return new MsgpackEncoder(options, rest);
}

class MsgpackEncoder implements Encoder {
  readonly #places: readonly number[];
  readonly #names: readonly string[];
  readonly #values: readonly Values[];
  readonly #rest: RestMembers | null;
  // A Map and not an object: msgpackr asks an object for "constructor" and "toJSON", which may be fields.
  readonly #map = new Map<string, unknown>();
  readonly #rows = new ByteRows();
  readonly #members = new ByteRows();

  constructor(options: EncoderOptions, rest: RestMembers | null) {
    const { schema } = options;
    this.#places = writtenFields(options);
    this.#names = this.#places.map((place) => schema.fields[place]!.name);
    this.#values = this.#places.map(() => new Values());
    this.#rest = rest;
  }

  encode(batch: Batch, emit: Emit): void {
    for (const [order, values] of this.#values.entries()) values.begin(batch.columns[this.#places[order]!]!);
    const rest = batch.origin === null ? null : this.#rest;
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      for (let field = 0; field < this.#names.length; field++)
        this.#map.set(this.#names[field]!, this.#values[field]!.at(row));
      const packed = packValue(this.#map);
      emit(row, rest === null ? packed : this.#withRest(packed, rest, batch.origin!.payload(row)));
    }
  }

  /** The packed entries under a new header, with those of the rest behind them. */
  #withRest(packed: Uint8Array, rest: RestMembers, payload: Uint8Array): Uint8Array {
    const passed = rest(payload, (bytes, start, end) => this.#members.copy(bytes, start, end));
    const members = this.#members.take();
    for (const byte of mapHeader(this.#map.size + passed)) this.#rows.byte(byte);
    this.#rows.copy(packed, mapHeaderLength(this.#map.size), packed.length);
    this.#rows.copy(members, 0, members.length);
    return this.#rows.take();
  }
}

/** The header of a map of `size` entries, as msgpackr writes it. */
export function mapHeader(size: number): readonly number[] {
  if (size < 0x10) return [0x80 | size];
  if (size < 0x1_0000) return [0xde, size >>> 8, size & 0xff];
  return [0xdf, size >>> 24, (size >>> 16) & 0xff, (size >>> 8) & 0xff, size & 0xff];
}

/** Length of the header that msgpackr writes for a map. */
export function mapHeaderLength(size: number): number {
  return mapHeader(size).length;
}

/** The values of one column as msgpackr takes them. */
class Values {
  #column!: Column;
  #dictionary: Dictionary | null = null;
  /** By code of the dictionary: each text is checked, and each JSON text parsed, once. */
  #read: unknown[] = [];

  begin(column: Column): void {
    this.#column = column;
    if (column.dictionary === this.#dictionary) return;
    this.#dictionary = column.dictionary;
    this.#read = [];
  }

  at(row: number): unknown {
    const column = this.#column;
    if (column.valid !== null && column.valid[row] === 0) return null;
    switch (column.type) {
      case "float64":
      case "time": {
        const value = column.values[row]!;
        return Number.isFinite(value) ? packable(value) : null;
      }
      case "bool":
        return column.values[row] === 1;
      case "int64":
        return column.values[row]!;
      case "string": {
        const code = column.values[row]!;
        // msgpackr would write half a surrogate pair as bytes that are not UTF-8.
        return (this.#read[code] ??= column.dictionary.text(code).toWellFormed());
      }
      case "json": {
        const code = column.values[row]!;
        return (this.#read[code] ??= jsonValue(column.dictionary.text(code)));
      }
    }
  }
}
