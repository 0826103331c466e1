// Columns and dictionaries as the runtime makes them. Allocation only; no meaning.

import type { Column, ColumnType, Dictionary, WritableColumn } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";

/** Texts to codes and back. Append-only: a code keeps its meaning for the dictionary's life. */
export class TextDictionary implements Dictionary {
  readonly #texts: string[] = [];
  readonly #codes = new Map<string, number>();
  #length = 0;

  get size(): number {
    return this.#texts.length;
  }

  /** Characters of all texts together, for bounding. */
  get length(): number {
    return this.#length;
  }

  /** True when it has as much as one may have; another should be begun, and this one left to the batches that refer to it. */
  get isFull(): boolean {
    return this.size >= limits.dictionary_entries_max || this.#length >= limits.dictionary_bytes_max;
  }

  text(code: number): string {
    return this.#texts[code]!;
  }

  /** The texts of the codes `from … to - 1`. */
  texts(from: number, to: number): readonly string[] {
    return this.#texts.slice(from, to);
  }

  /** The text's code, given one when it has none. */
  code(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.#texts.length;
      this.#texts.push(text);
      this.#codes.set(text, code);
      this.#length += text.length;
    }
    return code;
  }
}

/** What values of each type are kept in. */
export const arrayOf: Readonly<
  Record<"float64" | "time", Float64ArrayConstructor> &
    Record<"int64", BigInt64ArrayConstructor> &
    Record<"bool", Uint8ArrayConstructor> &
    Record<"string" | "json", Int32ArrayConstructor>
> = {
  float64: Float64Array,
  time: Float64Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  string: Int32Array,
  json: Int32Array,
};

/** A column for `rows` rows, every row null until it is written (`valid` 0). `dictionary` is needed for `string` and `json`. */
export function makeColumn(
  type: ColumnType,
  rows: number,
  dictionary: Dictionary | null,
): Column & { readonly valid: Uint8Array } {
  const valid = new Uint8Array(rows);
  switch (type) {
    case "float64":
    case "time":
      return { type, values: new Float64Array(rows), valid, dictionary: null };
    case "int64":
      return { type, values: new BigInt64Array(rows), valid, dictionary: null };
    case "bool":
      return { type, values: new Uint8Array(rows), valid, dictionary: null };
    case "string":
    case "json":
      if (dictionary === null) throw new TypeError(`a column of type ${type} needs a dictionary`);
      return { type, values: new Int32Array(rows), valid, dictionary };
  }
}

/** A column whose rows are all valid beforehand, to be written by an operator or an aggregate. */
export function makeWritable(
  type: ColumnType,
  rows: number,
  dictionary: Dictionary | null,
): WritableColumn & Column {
  const column = makeColumn(type, rows, dictionary);
  column.valid.fill(1);
  return column as WritableColumn & Column;
}

/** The same column without a validity array when no row of it is null. */
export function trimValid(column: Column): Column {
  return column.valid?.includes(0) === false ? ({ ...column, valid: null } as Column) : column;
}

const nulls = new Map<ColumnType, Column>();

/** A column of nulls for at least `rows` rows; shared, never written to. */
export function nullColumn(type: ColumnType, rows: number): Column {
  let column = nulls.get(type);
  if (column === undefined || column.values.length < rows) {
    const texts = isText(type) ? new TextDictionary() : null;
    texts?.code("");
    column = makeColumn(type, Math.max(rows, limits.batch_rows_max), texts);
    nulls.set(type, column);
  }
  return column;
}

/** True where a column's values are codes of texts. */
export function isText(type: ColumnType): boolean {
  return type === "string" || type === "json";
}
