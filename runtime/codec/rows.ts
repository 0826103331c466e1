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

/** Rows put together from pieces: text, and bytes taken from elsewhere as they are. */
export class ByteRows {
  #bytes = Buffer.allocUnsafeSlow(chunkBytes);
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

  /** A few bytes; shorter ones are put down one by one, which is cheaper than a call. */
  piece(piece: Uint8Array): void {
    const { length } = piece;
    this.#reserve(length);
    const bytes = this.#bytes;
    const end = this.#end;
    if (length > 64) bytes.set(piece, end);
    else for (let i = 0; i < length; i++) bytes[end + i] = piece[i]!;
    this.#end = end + length;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = byte;
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#bytes.set(bytes.subarray(start, end), this.#end);
    this.#end += end - start;
  }

  /** The row that was put together since the last one. */
  take(): Uint8Array {
    const row = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return row;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const begun = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(chunkBytes, (begun.length + length) * 2));
    begun.copy(this.#bytes);
    this.#start = 0;
    this.#end = begun.length;
  }
}
