// Where encoders put rows before they hand them out: many rows share one buffer, because a buffer of
// its own costs a row more than its encoding. A buffer is never written again once it is handed out.

import { Buffer } from "node:buffer";
import { limits } from "../limits.ts";
import { numberBytesMax, writeNumber } from "./decimal.ts";

export type Emit = (row: number, payload: Uint8Array) => void;

const chunkBytes = limits.encode_chunk_bytes;

/** Rows of text. They are turned into bytes many at a time. */
export class TextRows {
  #text = "";
  readonly #rows: number[] = [];
  readonly #ends: number[] = [];

  add(row: number, text: string, emit: Emit): void {
    this.#text += text;
    this.#rows.push(row);
    this.#ends.push(this.#text.length);
    if (this.#text.length >= chunkBytes) this.flush(emit);
  }

  flush(emit: Emit): void {
    const [text, rows, ends] = [this.#text, this.#rows.splice(0), this.#ends.splice(0)];
    this.#text = "";
    // Where all is ASCII, characters and bytes are counted alike.
    const ascii = Buffer.byteLength(text) === text.length;
    const bytes = ascii ? Buffer.allocUnsafeSlow(text.length) : null;
    bytes?.write(text, "latin1");
    let start = 0;
    for (let i = 0; i < rows.length; i++) {
      const end = ends[i]!;
      emit(rows[i]!, bytes === null ? Buffer.from(text.slice(start, end)) : bytes.subarray(start, end));
      start = end;
    }
  }
}

/** Copies bytes to `at` of others; a few of them one by one, which is cheaper than a call. */
export function copyBytes(bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 64) to.set(bytes.subarray(start, end), at);
  else for (let from = start; from < end; from++) to[at++] = bytes[from]!;
}

/** A few bytes that are written often: put down by words of 32 bits, so that a short name costs some stores and no call. */
export class Piece {
  readonly length: number;
  /** The last one is filled up: what it writes beyond the piece is written over. */
  readonly words: Int32Array;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.words = new Int32Array(Math.ceil(bytes.length / 4));
    bytes.copy(new Uint8Array(this.words.buffer));
  }
}

/** Rows put together from pieces: text, and bytes taken from elsewhere as they are. */
export class ByteRows {
  /** Grows to a whole chunk with what is written, so that an encoder that writes little takes little. */
  #bytes = Buffer.allocUnsafeSlow(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;

  text(text: string): void {
    this.#reserve(text.length * 3);
    this.#end += this.#bytes.write(text, this.#end, "utf8");
  }

  /** A finite number, as JavaScript writes it. */
  number(value: number): void {
    this.#reserve(numberBytesMax);
    this.#end = writeNumber(this.#bytes, this.#end, value);
  }

  piece({ words, length }: Piece): void {
    this.#reserve(length + 3);
    const view = this.#view;
    const end = this.#end;
    // Words of a typed array have the byte order of the machine; all that weir runs on have the low one first.
    for (let i = 0; i < words.length; i++) view.setInt32(end + i * 4, words[i]!, true);
    this.#end = end + length;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = byte;
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    copyBytes(bytes, start, end, this.#bytes, this.#end);
    this.#end += end - start;
  }

  /** The row that was put together since the last one. */
  take(): Uint8Array {
    const row = new Uint8Array(this.#bytes.buffer, this.#start, this.#end - this.#start);
    this.#start = this.#end;
    return row;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const begun = this.#bytes.subarray(this.#start, this.#end);
    const grown = Math.min(chunkBytes, this.#bytes.length * 4);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(grown, (begun.length + length) * 2));
    this.#view = new DataView(this.#bytes.buffer);
    begun.copy(this.#bytes);
    this.#start = 0;
    this.#end = begun.length;
  }
}
