// Where decoded values land: one column for each field, reused from batch to batch. This one lives on the
// JavaScript heap; the kernel has another in its own memory. Knows no format, but that texts of JSON have escapes.

import type { Column, ColumnType } from "../../../operators/sdk/index.ts";
import { makeColumn, TextDictionary, trimValid } from "../../batch/columns.ts";
import { RawTexts } from "./raw-texts.ts";
import { decodeText } from "./text.ts";

/** A column while its batch is decoded. Row r is written by setting both `values[r]` and `valid[r]`. */
export type LandingColumn = Column & { readonly valid: Uint8Array };

export interface Landing {
  /** By field. Fetch it anew after `begin`. */
  readonly columns: readonly LandingColumn[];
  /** Makes room for a batch. What the batch before landed is lost, its dictionaries are not. */
  begin(rows: number): void;
  /** The code in the field's dictionary of the string whose inside is `bytes[start … end)`. */
  text(field: number, bytes: Uint8Array, start: number, end: number, escaped: boolean): number;
  /** The code in the field's list of the JSON text `bytes[start … end)`, where `bytes` are those of all payloads. */
  raw(field: number, bytes: Uint8Array, start: number, end: number): number;
  /** The same of JSON text that was made of another format. A batch has the one or the other. */
  made(field: number, text: string): number;
  /** The columns of the batch. */
  finish(): readonly Column[];
}

export class HeapLanding implements Landing {
  columns: readonly LandingColumn[] = [];
  readonly #types: readonly ColumnType[];
  readonly #dictionaries: (TextDictionary | undefined)[];
  #lists: (RawTexts | undefined)[] = [];
  #room = 0;
  #all: readonly LandingColumn[] = [];

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.#dictionaries = types.map((type) => (type === "string" ? new TextDictionary() : undefined));
  }

  begin(rows: number): void {
    // A dictionary that is full is left to those who still refer to it.
    for (const [field, dictionary] of this.#dictionaries.entries())
      if (dictionary?.isFull === true) this.#dictionaries[field] = new TextDictionary();
    this.#lists = this.#types.map((type) => (type === "json" ? new RawTexts(rows) : undefined));
    if (rows > this.#room || this.#all.length === 0) {
      this.#room = Math.max(rows, this.#room);
      this.#all = this.#types.map((type) => makeColumn(type, this.#room, new RawTexts(0)));
    }
    this.columns = this.#all.map(
      (column, field) =>
        ({
          ...column,
          values: column.values.subarray(0, rows),
          valid: column.valid.subarray(0, rows),
          dictionary: this.#dictionaries[field] ?? this.#lists[field] ?? null,
        }) as LandingColumn,
    );
  }

  text(field: number, bytes: Uint8Array, start: number, end: number, escaped: boolean): number {
    return this.#dictionaries[field]!.code(decodeText(bytes, start, end, escaped));
  }

  raw(field: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#lists[field]!.place(bytes, start, end);
  }

  made(field: number, text: string): number {
    return this.#lists[field]!.add(text);
  }

  finish(): readonly Column[] {
    return this.columns.map((column) => trimValid(column));
  }
}
