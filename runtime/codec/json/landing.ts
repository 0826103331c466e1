// Where decoded values land: one column for each field, reused from batch to batch. This one lives on the
// JavaScript heap; the kernel has another in its own memory. Knows no format, but that texts of JSON have escapes.

import type { Column, ColumnType } from "../../../operators/sdk/index.ts";
import { makeColumn, TextDictionary, TextList, trimValid } from "../../batch/columns.ts";
import { limits } from "../../limits.ts";
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
  /** The code of JSON text in the field's list. */
  raw(field: number, text: string): number;
  /** The columns of the batch. */
  finish(): readonly Column[];
}

export class HeapLanding implements Landing {
  columns: readonly LandingColumn[] = [];
  readonly #types: readonly ColumnType[];
  readonly #dictionaries: (TextDictionary | undefined)[];
  #lists: (TextList | undefined)[] = [];
  #room = 0;
  #all: readonly LandingColumn[] = [];

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.#dictionaries = types.map((type) => (type === "string" ? new TextDictionary() : undefined));
  }

  begin(rows: number): void {
    // A dictionary that is full is left to those who still refer to it.
    for (const [field, dictionary] of this.#dictionaries.entries())
      if (dictionary !== undefined && isFull(dictionary)) this.#dictionaries[field] = new TextDictionary();
    this.#lists = this.#types.map((type) => (type === "json" ? new TextList() : undefined));
    if (rows > this.#room || this.#all.length === 0) {
      this.#room = Math.max(rows, this.#room);
      this.#all = this.#types.map((type) => makeColumn(type, this.#room, new TextList()));
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

  raw(field: number, text: string): number {
    return this.#lists[field]!.texts.push(text) - 1;
  }

  finish(): readonly Column[] {
    return this.columns.map((column) => trimValid(column));
  }
}

function isFull(dictionary: TextDictionary): boolean {
  return dictionary.size >= limits.dictionary_entries_max || dictionary.length >= limits.dictionary_bytes_max;
}
