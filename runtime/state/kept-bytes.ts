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
/** The numbers of a slot, beside each other: the number of its chunk, where its bytes begin there, and how many they are. */
const offset = 1;
const length = 2;
const width = 4;
/** The same of an original that is asked for, and in place of its length: it is that of a row. */
const gathered = 3;
const ofRow = -2;

class Chunk {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly words: BigInt64Array;
  /** Where the free end begins, a multiple of a word, and how much before it is in use. */
  end = 0;
  used = 0;
  constructor(number: number, size: number) {
    this.number = number;
    this.bytes = new Uint8Array(size);
    this.words = new BigInt64Array(this.bytes.buffer);
  }
}

/** Where originals without a byte are. */
const nowhere = new Chunk(none, 0);

export class KeptBytes {
  /** By number. */
  readonly #chunks: (Chunk | null)[] = [];
  /** Numbers that no chunk has. */
  readonly #numbers: number[] = [];
  #chunk = this.#make(chunkBytesMin);
  /** Of full size, with nothing in them. */
  readonly #spares: Chunk[] = [];
  #room = chunkBytesMin;
  #used = 0;
  /** How often everything was moved to other memory. */
  moves = 0;
  #places: Int32Array = unplaced(64);

  /** Makes room for as many slots. */
  reserve(slots: number): void {
    const places = unplaced(slots);
    places.set(this.#places);
    this.#places = places;
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
    const places = this.#places;
    const place = slot * width;
    const bytes = places[place + length]!;
    if (bytes <= 0) return bytes === none ? null : nowhere.bytes;
    const from = places[place + offset]!;
    return this.#chunks[places[place]!]!.bytes.subarray(from, from + bytes);
  }

  free(slot: number): void {
    const places = this.#places;
    const place = slot * width;
    const bytes = places[place + length]!;
    places[place + length] = none;
    // One without a byte is in no chunk.
    if (bytes <= 0) return;
    const chunk = this.#chunks[places[place]!]!;
    this.#used -= bytes;
    chunk.used -= bytes;
    if (chunk.used === 0 && chunk !== this.#chunk) this.#giveUp(chunk);
  }

  /**
   * The originals of some slots by place, and where one is below -1, of a row of `from`; null when one of them has
   * none. Valid until the next are kept.
   */
  gather(slots: Int32Array, from: Origin | null): ((place: number) => Uint8Array) | null {
    const places = this.#places;
    const count = slots.length;
    // The number of the chunk, or the row that it is of; where it begins; how long it is.
    const found = new Int32Array(count * gathered);
    for (let i = 0, at = 0; i < count; i++, at += gathered) {
      const slot = slots[i]!;
      if (slot < 0) {
        if (from === null) return null;
        found[at] = -2 - slot;
        found[at + length] = ofRow;
        continue;
      }
      const place = slot * width;
      if (places[place + length] === none) return null;
      found[at] = places[place]!;
      found[at + offset] = places[place + offset]!;
      found[at + length] = places[place + length]!;
    }
    // A record may be let go of before its bytes are read, and its chunk's number given again.
    const chunks = this.#chunks.slice();
    return (place) => {
      const at = place * gathered;
      const bytes = found[at + length]!;
      if (bytes === ofRow) return from!.payload(found[at]!);
      const start = found[at + offset]!;
      return bytes === 0 ? nowhere.bytes : chunks[found[at]!]!.bytes.subarray(start, start + bytes);
    };
  }

  #keepPayloads({ payloads }: PayloadOrigin, rows: Uint32Array, slots: Uint32Array, count: number): void {
    const { bytes, offsets } = payloads;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const places = this.#places;
    for (let i = 0; i < count; ) {
      const from = offsets[rows[i]!]!;
      let to = offsets[rows[i]! + 1]!;
      const first = i;
      // Rows that follow each other are copied in one piece.
      while (++i < count && rows[i] === rows[i - 1]! + 1 && offsets[rows[i]! + 1]! - from <= chunkBytesMin)
        to = offsets[rows[i]! + 1]!;
      const chunk = this.#withRoom(to - from);
      const begin = chunk.end;
      if (to - from > loopBytesMax || from + padded(to - from) > bytes.length)
        chunk.bytes.set(bytes.subarray(from, to), begin);
      else copyWords(view, from, to, chunk.words, begin / wordBytes);
      for (let j = first; j < i; j++) {
        const start = offsets[rows[j]!]!;
        const place = slots[j]! * width;
        places[place] = chunk.number;
        places[place + offset] = begin + start - from;
        places[place + length] = offsets[rows[j]! + 1]! - start;
      }
      this.#used += to - from;
      chunk.used += to - from;
      chunk.end = padded(begin + to - from);
    }
  }

  #keepOne(payload: Uint8Array, slot: number): void {
    const chunk = this.#withRoom(payload.length);
    chunk.bytes.set(payload, chunk.end);
    const place = slot * width;
    this.#places[place] = chunk.number;
    this.#places[place + offset] = chunk.end;
    this.#places[place + length] = payload.length;
    this.#used += payload.length;
    chunk.used += payload.length;
    chunk.end = padded(chunk.end + payload.length);
  }

  #make(size: number): Chunk {
    const number = this.#numbers.pop() ?? this.#chunks.length;
    const chunk = new Chunk(number, size);
    this.#chunks[number] = chunk;
    return chunk;
  }

  /** The chunk that is being filled, another one where it has no room for some more bytes. */
  #withRoom(length: number): Chunk {
    const before = this.#chunk;
    if (before.end + length <= before.bytes.length) return before;
    const size = Math.max(padded(length), Math.min(chunkBytesMax, before.bytes.length * 2));
    const chunk = (size === chunkBytesMax ? this.#spares.pop() : undefined) ?? this.#make(size);
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
    else {
      this.#chunks[chunk.number] = null;
      this.#numbers.push(chunk.number);
    }
  }

  /** Moves what is in use into new chunks. */
  #moveTogether(): void {
    this.moves++;
    const places = this.#places;
    const before = this.#chunks.slice();
    this.#chunks.length = 0;
    this.#numbers.length = 0;
    this.#spares.length = 0;
    this.#chunk = this.#make(chunkBytesMin);
    this.#room = chunkBytesMin;
    this.#used = 0;
    for (let place = 0; place < places.length; place += width) {
      const bytes = places[place + length]!;
      if (bytes <= 0) continue;
      const from = places[place + offset]!;
      this.#keepOne(before[places[place]!]!.bytes.subarray(from, from + bytes), place / width);
    }
  }
}

/** The places of as many slots without originals. */
function unplaced(slots: number): Int32Array {
  const places = new Int32Array(slots * width);
  for (let place = length; place < places.length; place += width) places[place] = none;
  return places;
}

/** The next multiple of a word's length. */
function padded(length: number): number {
  return (length + wordBytes - 1) & -wordBytes;
}

/** Copies by whole words, for short pieces several times as fast as a call, and so perhaps some bytes beyond the end. */
function copyWords(source: DataView, from: number, to: number, words: BigInt64Array, word: number): void {
  for (; from < to; from += wordBytes) words[word++] = source.getBigInt64(from, true);
}
