// Texts to codes by their UTF-8 bytes, so that a text seen before is found without making a string.
// Never forgets a text: who owns one starts a new one when `full`.

import { Buffer, isUtf8 } from "node:buffer";
import { TextDictionary } from "../../batch/columns.ts";
import { limits } from "../../limits.ts";

const probesMax = limits.dictionary_probes_max;

export class ByteDictionary {
  /** What columns refer to. */
  readonly texts: TextDictionary = new TextDictionary();
  // Different for each dictionary, so that nobody can prepare texts that collide.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;
  #places = new Int32Array(256).fill(-1);
  #hashes = new Int32Array(128);
  #ends = new Int32Array(129);
  #bytes = Buffer.alloc(4096);
  #count = 0;
  #codes = new Int32Array(128);

  get full(): boolean {
    return (
      this.texts.size >= limits.dictionary_entries_max || this.texts.length >= limits.dictionary_bytes_max
    );
  }

  /** The code of the text in `bytes[start … end)`; -1 when it is not UTF-8. */
  code(bytes: Buffer, start: number, end: number): number {
    let hash = this.#seed;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#places.length - 1;
    for (let probe = 0; probe < probesMax; probe++) {
      const place = (hash + probe) & mask;
      const entry = this.#places[place]!;
      if (entry < 0) return this.#add(bytes, start, end, hash, place);
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) return this.#codes[entry]!;
    }
    return this.#textCode(bytes, start, end);
  }

  #equals(entry: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.#ends[entry]!;
    if (this.#ends[entry + 1]! - from !== end - start) return false;
    const own = this.#bytes;
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== own[j]) return false;
    return true;
  }

  #textCode(bytes: Buffer, start: number, end: number): number {
    if (!isUtf8(bytes.subarray(start, end))) return -1;
    return this.texts.code(bytes.toString("utf8", start, end));
  }

  #add(bytes: Buffer, start: number, end: number, hash: number, place: number): number {
    const code = this.#textCode(bytes, start, end);
    if (code < 0) return -1;
    const entry = this.#count++;
    const from = this.#ends[entry]!;
    const to = from + (end - start);
    if (to > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(to, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, from);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, from, start, end);
    this.#ends[entry + 1] = to;
    this.#hashes[entry] = hash;
    this.#codes[entry] = code;
    this.#places[place] = entry;
    if (this.#count === this.#hashes.length) this.#grow();
    return code;
  }

  #grow(): void {
    const entries = this.#hashes.length * 2;
    this.#hashes = extend(this.#hashes, entries);
    this.#codes = extend(this.#codes, entries);
    this.#ends = extend(this.#ends, entries + 1);
    this.#places = new Int32Array(entries * 2).fill(-1);
    const mask = this.#places.length - 1;
    for (let entry = 0; entry < this.#count; entry++) {
      // An entry that finds no place nearby is left to the string's own table from now on.
      for (let probe = 0; probe < probesMax; probe++) {
        const place = (this.#hashes[entry]! + probe) & mask;
        if (this.#places[place]! >= 0) continue;
        this.#places[place] = entry;
        break;
      }
    }
  }
}

function extend(values: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(values);
  return longer;
}
