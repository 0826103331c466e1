// A dictionary in the kernel's memory, as operators see it: texts become JavaScript strings when somebody asks
// for them, once. When its memory is needed for the next one it takes its bytes along, so that codes given out
// before keep their meaning.

import type { EncodedDictionary, EncodedTexts } from "../../batch/encoded.ts";
import { limits } from "../../limits.ts";
import {
  dictionaryBytes,
  dictionaryCount,
  dictionaryCountMax,
  dictionaryEnds,
  dictionaryPlaceBytes,
  dictionaryPlaces,
  dictionaryShift,
  dictionaryText,
  dictionaryUsed,
  dictionaryUsedMax,
} from "./assembly/shape.ts";
import type { KernelMemory } from "./memory.ts";

const entriesFirst = 1_024;
const textBytesFirst = 16_384;
/** A power of two. With 4, up to 3 in 100 texts are not in the two places where the kernel looks at once; with 2, 10. */
const placesPerEntry = 4;
/** The same where hardly a text comes again, so that a place is mostly looked at once: half of the memory stays in the cache. */
const placesPerEntryOnce = 2;
/** A dictionary of fewer texts is kept, whatever came last. */
const entriesUnjudged = 4_096;
/** When more than this share of a batch's rows brought a new text, the dictionary is of no use. */
const uselessShare = 7 / 8;

/** 32 - the binary logarithm of a number of places. */
function shiftOf(places: number): number {
  return Math.clz32(places) + 1;
}

/** The texts of a dictionary: in the kernel's memory, or on their own once it is closed. */
interface Texts extends EncodedTexts {
  readonly count: number;
}

export class KernelDictionary implements EncodedDictionary {
  readonly #store: DictionaryStore;
  readonly #texts: (string | undefined)[] = [];
  #closed: Texts | null = null;

  constructor(store: DictionaryStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#closed?.count ?? this.#store.count;
  }

  text(code: number): string {
    return (this.#texts[code] ??= this.#decode(code));
  }

  close(): void {
    this.#closed = this.#store.copy();
  }

  encoded(): EncodedTexts {
    return this.#closed ?? this.#store.view();
  }

  #decode(code: number): string {
    const { bytes, ends } = this.encoded();
    const start = ends[code]!;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, ends[code + 1]! - start).toString("utf8");
  }
}

/** The memory of one column's dictionaries, of which one at a time is open. */
export class DictionaryStore {
  /** Where the kernel finds it. */
  readonly address: number;
  readonly #memory: KernelMemory;
  #current: KernelDictionary;
  /** Texts there were when it was last asked. */
  #counted = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
    this.address = memory.allocate(dictionaryBytes);
    this.#current = new KernelDictionary(this);
    this.#makePlaces(entriesFirst);
    this.#makeText(textBytesFirst);
  }

  get current(): KernelDictionary {
    return this.#current;
  }

  get count(): number {
    return this.#get(dictionaryCount);
  }

  /** To be called between batches, with how many rows the last one had: begins anew when the bounds are reached, or it is of no use. */
  renew(rows: number): void {
    const { count } = this;
    const fresh = count - this.#counted;
    this.#counted = count;
    const full =
      count >= limits.dictionary_entries_max || this.#get(dictionaryUsed) >= limits.dictionary_bytes_max;
    // Where hardly a text comes again, a small dictionary that stays in the processor's cache is better than a large one.
    const useless = count >= entriesUnjudged && fresh > rows * uselessShare;
    if (!full && !useless) return;
    this.#counted = 0;
    this.#current.close();
    this.#current = new KernelDictionary(this);
    this.#clear(this.#get(dictionaryCountMax) * (useless ? placesPerEntryOnce : placesPerEntry));
    this.#set(dictionaryCount, 0);
    this.#set(dictionaryUsed, 0);
  }

  /** Makes room for one more text of up to `length` bytes. */
  reserve(length: number): void {
    const count = this.count;
    const used = this.#get(dictionaryUsed);
    const moreEntries = count >= this.#get(dictionaryCountMax);
    const moreText = used + length > this.#get(dictionaryUsedMax);
    if (moreEntries) this.#makePlaces(count * 2);
    if (moreText) this.#makeText(Math.max(used * 2, used + length, textBytesFirst));
  }

  view(): Texts {
    const { buffer } = this.#memory;
    const { count } = this;
    return {
      count,
      bytes: new Uint8Array(buffer, this.#get(dictionaryText), this.#get(dictionaryUsed)),
      ends: new Uint32Array(buffer, this.#get(dictionaryEnds) - 4, count + 1),
    };
  }

  copy(): Texts {
    const { count, bytes, ends } = this.view();
    return { count, bytes: bytes.slice(), ends: ends.slice() };
  }

  /** Frees `count` places, which is how many are in use from then on, and the one behind them, where the kernel may look. */
  #clear(count: number): void {
    const places = this.#get(dictionaryPlaces);
    this.#memory.bytes.fill(0, places, places + (count + 1) * dictionaryPlaceBytes);
    this.#set(dictionaryShift, shiftOf(count));
  }

  /** `entries` is a power of two. */
  #makePlaces(entries: number): void {
    const shift = shiftOf(entries * placesPerEntry);
    const places = this.#memory.allocate(entries * placesPerEntry * dictionaryPlaceBytes);
    // One word before the first end is the start of text 0.
    const ends = this.#memory.allocate((entries + 1) * 4) + 4;
    if (this.#get(dictionaryCountMax) === 0) {
      this.#set(dictionaryPlaces, places);
      this.#set(dictionaryShift, shift);
    } else {
      const old = this.#get(dictionaryEnds);
      this.#memory.bytes.copyWithin(ends, old, old + this.count * 4);
      this.#memory.kernel.rehash(this.address, places, shift);
    }
    this.#set(dictionaryEnds, ends);
    this.#set(dictionaryCountMax, entries);
  }

  #makeText(length: number): void {
    const text = this.#memory.allocate(length);
    const old = this.#get(dictionaryText);
    this.#memory.bytes.copyWithin(text, old, old + this.#get(dictionaryUsed));
    this.#set(dictionaryText, text);
    this.#set(dictionaryUsedMax, length);
  }

  #get(offset: number): number {
    return this.#memory.words[(this.address + offset) >> 2]!;
  }

  #set(offset: number, value: number): void {
    this.#memory.words[(this.address + offset) >> 2] = value;
  }
}
