// The original bytes of kept records, side by side in chunks. A chunk is used again once nothing in it is
// in use; when many are nearly empty, what they hold is moved together. Knows nothing of what the bytes mean.

import type { Origin } from "../../operators/sdk/index.ts";
import { PayloadOrigin } from "../batch/payloads.ts";

const wordBytes = 8;
/** Longer pieces are left to the engine's own copy, which costs some 40 ns to call. */
const loopBytesMax = 512;
const chunkBytesMin = 4_096;
/** Few enough that the chunks which come and go with every batch stay near to the processor. */
const chunkBytesMax = 131_072;
/** Chunks that nothing is in, and that the next ones are taken from: so many, or as many as are in use. */
const sparesMin = 8;
/** Chunks may be this many times as large as what is in use in them, and some bytes more. */
const spreadMax = 4;
const spreadBytes = 2_097_152;
/** In place of a length: there is no original. */
const none = -1;

class Chunk {
  readonly bytes: Uint8Array;
  readonly words: BigInt64Array;
  /** Where the free end begins, a multiple of a word, and how much before it is in use. */
  end = 0;
  used = 0;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.words = new BigInt64Array(this.bytes.buffer);
  }
}

export class KeptBytes {
  #chunk = new Chunk(chunkBytesMin);
  /** Of full size, with nothing in them. */
  readonly #spares: Chunk[] = [];
  #room = chunkBytesMin;
  #used = 0;
  /** How often everything was moved to other memory. */
  moves = 0;
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
    if (this.#room > spreadMax * this.#used + spreadBytes) this.#moveTogether();
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

  /**
   * The originals of some slots by place, and where one is below -1, of a row of `from`; null when one of them has
   * none. Valid until the next are kept.
   */
  gather(slots: Int32Array, from: Origin | null): ((place: number) => Uint8Array) | null {
    const [starts, ends] = [new Uint32Array(slots.length), new Uint32Array(slots.length)];
    const chunks: (Chunk | null)[] = [];
    const rows = slots.slice();
    for (let place = 0; place < slots.length; place++) {
      const slot = slots[place]!;
      if (slot < 0 ? from === null : this.#lengths[slot] === none) return null;
      chunks.push(slot < 0 ? null : this.#chunkOf[slot]!);
      if (slot < 0) continue;
      starts[place] = this.#offsets[slot]!;
      ends[place] = starts[place]! + this.#lengths[slot]!;
    }
    return (place) =>
      chunks[place]?.bytes.subarray(starts[place]!, ends[place]!) ?? from!.payload(-2 - rows[place]!);
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
      if (to - from > loopBytesMax || from + padded(to - from) > bytes.length)
        chunk.bytes.set(bytes.subarray(from, to), chunk.end);
      else copyWords(view, from, to, chunk.words, chunk.end / wordBytes);
      for (let j = first; j < i; j++)
        this.#place(slots[j]!, chunk, offsets[rows[j]! + 1]! - offsets[rows[j]!]!);
      chunk.end = padded(chunk.end);
    }
  }

  #keepOne(payload: Uint8Array, slot: number): void {
    const chunk = this.#withRoom(payload.length);
    chunk.bytes.set(payload, chunk.end);
    this.#place(slot, chunk, payload.length);
    chunk.end = padded(chunk.end);
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
    const size = Math.max(padded(length), Math.min(chunkBytesMax, before.bytes.length * 2));
    const chunk = (size === chunkBytesMax ? this.#spares.pop() : undefined) ?? new Chunk(size);
    this.#room += chunk.bytes.length;
    this.#chunk = chunk;
    if (before.used === 0) this.#giveUp(before);
    return chunk;
  }

  #giveUp(chunk: Chunk): void {
    this.#room -= chunk.bytes.length;
    chunk.end = 0;
    const sparesMax = Math.max(sparesMin, this.#room / chunkBytesMax);
    const isSpare = chunk.bytes.length === chunkBytesMax && this.#spares.length < sparesMax;
    if (isSpare) this.#spares.push(chunk);
  }

  /** Moves what is in use into new chunks. */
  #moveTogether(): void {
    this.moves++;
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

/** The next multiple of a word's length. */
function padded(length: number): number {
  return Math.ceil(length / wordBytes) * wordBytes;
}

/** Copies by whole words, for short pieces several times as fast as a call, and so perhaps some bytes beyond the end. */
function copyWords(source: DataView, from: number, to: number, words: BigInt64Array, word: number): void {
  for (; from < to; from += wordBytes) words[word++] = source.getBigInt64(from, true);
}
