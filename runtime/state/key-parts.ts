// The columns of a key as words of 32 bits, one column behind the other, so that equal keys are equal words
// and no other key has them. Holds no key.

import type { Batch, Column, ColumnReference, WritableColumn } from "../../operators/sdk/index.ts";
import { encodedTexts } from "../batch/encoded.ts";
import type { TextDictionary } from "../batch/columns.ts";
import { limits } from "../limits.ts";
import type { KeyBlock } from "./key-block.ts";

/** A key has no part, or one that is too long. */
export const tooLong = -1;

export interface KeyPart {
  /** To be called before the rows of a batch are encoded. */
  begin(batch: Batch): void;
  /** Writes the part of a row's key to `words` from `at` on; returns where it ends, or `tooLong`. */
  encode(row: number, words: Int32Array, at: number): number;
  /** Where the part ends that begins at `at`. */
  end(words: Int32Array, at: number): number;
  /** Writes the part that begins at `at` to a row of a column. */
  write(words: Int32Array, at: number, out: WritableColumn, row: number): void;
}

/** Words that one part of a key takes at most. */
export const partWordsMax: number = (limits.key_bytes_max >> 2) + 1;

/** Bytes that UTF-8 has not: one of the first, at least, ends a text and fills up its last word, the other stands for null. */
const filler = 0xff;
const nullWord = 0xfefefefe | 0;

export class TextPart implements KeyPart {
  readonly #index: number;
  #values = new Int32Array(0);
  #valid: Uint8Array | null = null;
  #ends = new Uint32Array(0);
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  constructor(index: number) {
    this.#index = index;
  }

  begin(batch: Batch): void {
    const { values, valid, dictionary } = batch.columns[this.#index] as Extract<Column, { type: "string" }>;
    const { bytes, ends } = encodedTexts(dictionary);
    this.#values = values as Int32Array<ArrayBuffer>;
    this.#valid = valid;
    this.#ends = ends as Uint32Array<ArrayBuffer>;
    this.#bytes = bytes as Uint8Array<ArrayBuffer>;
    this.#view = new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  }

  encode(row: number, words: Int32Array, at: number): number {
    if (this.#valid !== null && this.#valid[row] === 0) {
      words[at] = nullWord;
      return at + 1;
    }
    const code = this.#values[row]!;
    let from = this.#ends[code]!;
    const end = this.#ends[code + 1]!;
    if (end - from > limits.key_bytes_max) return tooLong;
    const view = this.#view;
    for (; from + 4 <= end; from += 4) words[at++] = view.getInt32(from, true);
    let last = -1;
    for (let byte = end - 1; byte >= from; byte--) last = (last << 8) | this.#bytes[byte]!;
    words[at++] = last;
    return at;
  }

  /** The same for some rows, for keys of this part alone: a loop of its own halves what a key costs. */
  encodeAll({ rows, words, starts, ends }: KeyBlock, count: number): void {
    const [values, valid, textEnds, view] = [this.#values, this.#valid, this.#ends, this.#view];
    for (let i = 0, at = 0; i < count; i++) {
      const row = rows[i]!;
      const code = values[row]!;
      let from = textEnds[code]!;
      const end = textEnds[code + 1]!;
      const length = end - from;
      starts[i] = at;
      if (length < 4 || length > limits.key_bytes_max || (valid !== null && valid[row] === 0)) {
        ends[i] = this.encode(row, words, at);
        at = Math.max(at, ends[i]!);
        continue;
      }
      for (; from + 4 <= end; from += 4) words[at++] = view.getInt32(from, true);
      // Of the last four bytes, those that are in no word yet, filled up.
      const bits = (end - from) * 8;
      words[at++] = (view.getInt32(end - 4, true) >>> (32 - bits)) | (-1 << bits);
      ends[i] = at;
    }
  }

  end(words: Int32Array, at: number): number {
    if (words[at] === nullWord) return at + 1;
    while (words[at]! >>> 24 !== filler) at++;
    return at + 1;
  }

  write(words: Int32Array, at: number, out: WritableColumn, row: number): void {
    if (words[at] === nullWord) {
      out.valid[row] = 0;
      return;
    }
    const dictionary = (out as unknown as Column).dictionary as TextDictionary;
    const bytes = Buffer.from(words.buffer, words.byteOffset + at * 4, (this.end(words, at) - at) * 4);
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === filler) length--;
    out.values[row] = dictionary.code(bytes.toString("utf8", 0, length));
  }
}

/** A number's two words, and which of them is the first: all machines that weir runs on have the low one there. */
const float = new Float64Array(1);
const whole = new BigInt64Array(float.buffer);
const halves = new Int32Array(float.buffer);

/** Numbers, times, whole numbers and truth values: by their bits, 0 and -0 as one. */
class NumberPart implements KeyPart {
  readonly #index: number;
  readonly #isWhole: boolean;
  #column!: Column;

  constructor({ index, type }: ColumnReference) {
    this.#index = index;
    this.#isWhole = type === "int64";
  }

  begin(batch: Batch): void {
    this.#column = batch.columns[this.#index]!;
  }

  encode(row: number, words: Int32Array, at: number): number {
    const { values, valid } = this.#column;
    if (valid !== null && valid[row] === 0) {
      words[at] = 0;
      return at + 1;
    }
    if (this.#isWhole) whole[0] = values[row] as bigint;
    else float[0] = (values[row] as number) + 0;
    words[at] = 1;
    words[at + 1] = halves[0]!;
    words[at + 2] = halves[1]!;
    return at + 3;
  }

  end(words: Int32Array, at: number): number {
    return words[at] === 0 ? at + 1 : at + 3;
  }

  write(words: Int32Array, at: number, out: WritableColumn, row: number): void {
    if (words[at] === 0) {
      out.valid[row] = 0;
      return;
    }
    halves[0] = words[at + 1]!;
    halves[1] = words[at + 2]!;
    out.values[row] = this.#isWhole ? whole[0]! : float[0]!;
  }
}

export function keyPartOf(column: ColumnReference): KeyPart {
  return column.type === "string" || column.type === "json"
    ? new TextPart(column.index)
    : new NumberPart(column);
}
