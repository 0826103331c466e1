// The original bytes of kept records, side by side in one buffer. What was let go of leaves a gap, until
// the others are moved together into a new buffer. Knows nothing of what the bytes mean.

import type { Origin } from "../../operators/sdk/index.ts";
import { PayloadOrigin } from "../batch/payloads.ts";

/** Longer ones are left to the engine's own copy, which costs some 50 ns to call. */
const loopBytesMax = 512;
/** In place of a length: there is no original. */
const none = -1;

/** The buffer, and a view of it by words. */
class Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

export class KeptBytes {
  #buffer = new Bytes(4_096);
  /** Where the free end of the buffer begins, and how much before it is in use. */
  #end = 0;
  #used = 0;
  #offsets = new Float64Array(64);
  #lengths = new Int32Array(64).fill(none);

  /** Makes room for as many slots. */
  reserve(slots: number): void {
    const size = this.#lengths.length;
    if (slots <= size) return;
    const [offsets, lengths] = [new Float64Array(slots), new Int32Array(slots).fill(none)];
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    [this.#offsets, this.#lengths] = [offsets, lengths];
  }

  /** Keeps the originals of `rows[i]` in `slots[i]`, for i below `count`. */
  keep(origin: Origin | null, rows: Uint32Array, slots: Uint32Array, count: number): void {
    if (origin === null) return;
    if (origin instanceof PayloadOrigin) {
      this.#keepPayloads(origin, rows, slots, count);
      return;
    }
    for (let i = 0; i < count; i++) {
      const payload = origin.payload(rows[i]!);
      this.#makeRoom(payload.length);
      this.#buffer.bytes.set(payload, this.#end);
      this.#place(slots[i]!, payload.length);
    }
  }

  free(slot: number): void {
    const length = this.#lengths[slot]!;
    if (length === none) return;
    this.#used -= length;
    this.#lengths[slot] = none;
  }

  /** Where the records of some slots came from; null when one of them has no original. It outlasts the slots. */
  origin(slots: readonly number[], subjects: readonly string[]): Origin | null {
    const { bytes } = this.#buffer;
    const [starts, ends] = [new Float64Array(slots.length), new Float64Array(slots.length)];
    const own: string[] = [];
    for (const [row, slot] of slots.entries()) {
      if (this.#lengths[slot] === none) return null;
      starts[row] = this.#offsets[slot]!;
      ends[row] = starts[row]! + this.#lengths[slot]!;
      own.push(subjects[slot]!);
    }
    return { payload: (row) => bytes.subarray(starts[row]!, ends[row]!), subject: (row) => own[row]! };
  }

  #keepPayloads({ payloads }: PayloadOrigin, rows: Uint32Array, slots: Uint32Array, count: number): void {
    const { bytes, offsets } = payloads;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let needed = 0;
    for (let i = 0; i < count; i++) needed += offsets[rows[i]! + 1]! - offsets[rows[i]!]!;
    this.#makeRoom(needed);
    for (let i = 0; i < count; ) {
      // Rows that follow each other are copied in one piece.
      const first = i;
      const from = offsets[rows[first]!]!;
      while (++i < count && rows[i] === rows[i - 1]! + 1);
      const length = offsets[rows[i - 1]! + 1]! - from;
      if (length > loopBytesMax) this.#buffer.bytes.set(bytes.subarray(from, from + length), this.#end);
      else copy(view, from, this.#buffer.view, this.#end, length);
      for (let j = first; j < i; j++) this.#place(slots[j]!, offsets[rows[j]! + 1]! - offsets[rows[j]!]!);
    }
  }

  #place(slot: number, length: number): void {
    this.#offsets[slot] = this.#end;
    this.#lengths[slot] = length;
    this.#end += length;
    this.#used += length;
  }

  /** Makes room for some bytes at the end: by moving what is in use into a buffer where half is free then. */
  #makeRoom(length: number): void {
    if (this.#end + length <= this.#buffer.bytes.length) return;
    const target = new Bytes(Math.max(4_096, 2 * (this.#used + length)));
    let end = 0;
    for (let slot = 0; slot < this.#lengths.length; slot++) {
      const size = this.#lengths[slot]!;
      if (size === none) continue;
      copy(this.#buffer.view, this.#offsets[slot]!, target.view, end, size);
      this.#offsets[slot] = end;
      end += size;
    }
    this.#buffer = target;
    this.#end = end;
  }
}

/** Copies by words of four bytes, then by bytes: for short runs, several times as fast as a call. */
function copy(source: DataView, from: number, target: DataView, at: number, length: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) target.setInt32(at + i, source.getInt32(from + i, true), true);
  for (; i < length; i++) target.setUint8(at + i, source.getUint8(from + i));
}
