// The wire format of protobuf, value by value, into buffers that many rows share. Knows no message and no column.

import { Buffer } from "node:buffer";
import { limits } from "../../limits.ts";

const chunkBytes = limits.encode_chunk_bytes;
/** The longest value of fixed size with its tag: a varint of 64 bits, and of 32. */
const scalarBytesMax = 15;

export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(chunkBytes);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;

  /** Makes room for a tag with a scalar behind it, or with `length` bytes and their length. */
  reserve(length = 0): void {
    const more = length + scalarBytesMax;
    if (this.#end + more <= this.#bytes.length) return;
    const begun = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(chunkBytes, (begun.length + more) * 2));
    this.#view = new DataView(this.#bytes.buffer);
    begun.copy(this.#bytes);
    this.#start = 0;
    this.#end = begun.length;
  }

  /** A tag, or any other number of 32 bits. */
  varint(value: number): void {
    let left = value >>> 0;
    while (left > 0x7f) {
      this.#bytes[this.#end++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#bytes[this.#end++] = left;
  }

  /** A number of 64 bits by its halves. */
  wide(low: number, high: number): void {
    let lower = low >>> 0;
    let upper = high >>> 0;
    while (upper > 0) {
      this.#bytes[this.#end++] = (lower & 0x7f) | 0x80;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.varint(lower);
  }

  fixed32(value: number): void {
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  float(value: number): void {
    this.#view.setFloat32(this.#end, value, true);
    this.#end += 4;
  }

  double(value: number): void {
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  /** Bytes with their length before them. */
  bytes(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.varint(length);
    const bytes = this.#bytes;
    let at = this.#end;
    // Short ones are put down one by one, which is cheaper than a call.
    if (length > 64) bytes.set(from.subarray(start, end), at);
    else for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    this.#end += length;
  }

  /** Begins a message inside the row, whose tag stands; where it begins. */
  open(): number {
    this.#end++;
    return this.#end - this.#start;
  }

  /** Ends the message that began at `from`: puts down its length, for which `open` left one byte. */
  close(from: number): void {
    const start = this.#start + from;
    const length = this.#end - start;
    let more = 0;
    for (let left = length >>> 7; left > 0; left >>>= 7) more++;
    if (more > 0) {
      this.reserve(more);
      const moved = this.#start + from;
      this.#bytes.copyWithin(moved + more, moved, this.#end);
    }
    const stop = this.#end + more;
    this.#end = this.#start + from - 1;
    this.varint(length);
    this.#end = stop;
  }

  /** The row that was put together since the last one. */
  take(): Uint8Array {
    const row = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return row;
  }
}
