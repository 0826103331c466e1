// The original bytes of kept records, side by side in chunks. A chunk is used again once nothing in it is
// in use; when many are nearly empty, what they hold is moved together. Knows nothing of what the bytes mean.

import type { Origin } from "../../operators/sdk/index.ts";
import { PayloadOrigin } from "../batch/payloads.ts";

/** Longer pieces are left to the engine's own copy, which costs some 50 ns to call. */
const loopBytesMax = 512;
const chunkBytesMin = 4_096;
const chunkBytesMax = 1_048_576;
/** Chunks may be this many times as large as what is in use in them, and two chunks more. */
const spreadMax = 4;
/** In place of a length: there is no original. */
const none = -1;

class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the free end begins, and how much before it is in use. */
  end = 0;
  used = 0;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

export class KeptBytes {
  #chunk = new Chunk(chunkBytesMin);
  /** One of full size that nothing is in. */
  #spare: Chunk | null = null;
  #room = chunkBytesMin;
  #used = 0;
  /** By slot. */
  readonly #chunkOf: (Chunk | undefined)[] = [];
  #offsets = new Uint32Array(64);
  #lengths = new Int32Array(64).fill(none);

  /** Makes room for as many slots. */
  reserve(slots: number): void {
    const [offsets, lengths] = [new Uint32Array(slots), new Int32Array(slots).fill(none)];
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    [this.#offsets, this.#lengths] = [offsets, lengths];
  }

  /** Keeps the originals of `rows[i]` in `slots[i]`, for i below `count`. */
  keep(origin: Origin | null, rows: Uint32Array, slots: Uint32Array, count: number): void {
    if (origin === null) return;
    if (origin instanceof PayloadOrigin) this.#keepPayloads(origin, rows, slots, count);
    else for (let i = 0; i < count; i++) this.#keepOne(origin.payload(rows[i]!), slots[i]!);
    if (this.#room > spreadMax * this.#used + 2 * chunkBytesMax) this.#moveTogether();
  }

  /** Bytes of all chunks in use. */
  get room(): number {
    return this.#room;
  }

  /** The original of a slot; null when it has none. Valid until the next are kept. */
  at(slot: number): Uint8Array | null {
    const [from, length] = [this.#offsets[slot]!, this.#lengths[slot]!];
    return length === none ? null : this.#chunkOf[slot]!.bytes.subarray(from, from + length);
  }

  free(slot: number): void {
    const length = this.#lengths[slot]!;
    if (length === none) return;
    const chunk = this.#chunkOf[slot]!;
    this.#lengths[slot] = none;
    this.#used -= length;
    chunk.used -= length;
    if (chunk.used === 0 && chunk !== this.#chunk) this.#giveUp(chunk);
  }

  /** Where the records of some slots came from; null when one of them has no original. Valid until the next are kept. */
  origin(slots: readonly number[], subjects: readonly string[]): Origin | null {
    const [starts, ends] = [new Uint32Array(slots.length), new Uint32Array(slots.length)];
    const chunks: Chunk[] = [];
    const own: string[] = [];
    for (let row = 0; row < slots.length; row++) {
      const slot = slots[row]!;
      if (this.#lengths[slot] === none) return null;
      starts[row] = this.#offsets[slot]!;
      ends[row] = starts[row]! + this.#lengths[slot]!;
      chunks.push(this.#chunkOf[slot]!);
      own.push(subjects[slot]!);
    }
    return {
      payload: (row) => chunks[row]!.bytes.subarray(starts[row]!, ends[row]!),
      subject: (row) => own[row]!,
    };
  }

  #keepPayloads({ payloads }: PayloadOrigin, rows: Uint32Array, slots: Uint32Array, count: number): void {
    const { bytes, offsets } = payloads;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; ) {
      const from = offsets[rows[i]!]!;
      let to = offsets[rows[i]! + 1]!;
      const first = i;
      // Rows that follow each other are copied in one piece.
      while (++i < count && rows[i] === rows[i - 1]! + 1 && offsets[rows[i]! + 1]! - from <= chunkBytesMin)
        to = offsets[rows[i]! + 1]!;
      const chunk = this.#withRoom(to - from);
      if (to - from > loopBytesMax) chunk.bytes.set(bytes.subarray(from, to), chunk.end);
      else copy(view, from, chunk, to - from);
      for (let j = first; j < i; j++)
        this.#place(slots[j]!, chunk, offsets[rows[j]! + 1]! - offsets[rows[j]!]!);
    }
  }

  #keepOne(payload: Uint8Array, slot: number): void {
    const chunk = this.#withRoom(payload.length);
    chunk.bytes.set(payload, chunk.end);
    this.#place(slot, chunk, payload.length);
  }

  /** The bytes at the chunk's end are the slot's. */
  #place(slot: number, chunk: Chunk, length: number): void {
    this.#chunkOf[slot] = chunk;
    this.#offsets[slot] = chunk.end;
    this.#lengths[slot] = length;
    chunk.end += length;
    chunk.used += length;
    this.#used += length;
  }

  /** The chunk that is being filled, another one where it has no room for some more bytes. */
  #withRoom(length: number): Chunk {
    const before = this.#chunk;
    if (before.end + length <= before.bytes.length) return before;
    const size = Math.max(length, Math.min(chunkBytesMax, before.bytes.length * 2));
    const chunk = this.#spare !== null && this.#spare.bytes.length >= size ? this.#spare : new Chunk(size);
    if (chunk === this.#spare) this.#spare = null;
    this.#room += chunk.bytes.length;
    this.#chunk = chunk;
    if (before.used === 0) this.#giveUp(before);
    return chunk;
  }

  #giveUp(chunk: Chunk): void {
    this.#room -= chunk.bytes.length;
    chunk.end = 0;
    if (chunk.bytes.length === chunkBytesMax) this.#spare = chunk;
  }

  /** Moves what is in use into new chunks. */
  #moveTogether(): void {
    this.#chunk = new Chunk(chunkBytesMin);
    this.#room = chunkBytesMin;
    this.#used = 0;
    for (let slot = 0; slot < this.#lengths.length; slot++) {
      const length = this.#lengths[slot]!;
      if (length === none) continue;
      const { bytes } = this.#chunkOf[slot]!;
      this.#keepOne(bytes.subarray(this.#offsets[slot]!, this.#offsets[slot]! + length), slot);
    }
  }
}

/** Copies to the chunk's end by words of four bytes, then by bytes: for short pieces, several times as fast as a call. */
function copy(source: DataView, from: number, { view, end }: Chunk, length: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) view.setInt32(end + i, source.getInt32(from + i, true), true);
  for (; i < length; i++) view.setUint8(end + i, source.getUint8(from + i));
}
