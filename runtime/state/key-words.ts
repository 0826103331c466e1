// The words of keys by id, in one arena. While all keys have as many words, as the names of devices mostly do, and
// none was taken out, where a key begins follows from its id, and a search for it waits for memory once less. Knows no hash.

import { grown } from "./growth.ts";
import { damaged, member, packed, type Plain, wholesOf } from "./plain.ts";
import { addedWholes, addedWholesOf } from "./sections.ts";

const wordsFirst = 256;
const beginsFirst = 64;
/** In place of where the words of a key begin: no key has the id. */
const none = -1;
/** One more than any word. */
const wordsEnd = 2 ** 32;

/** Where a key ends that begins at `at`. No key is the beginning of another. */
export type EndOf = (words: Int32Array, at: number) => number;

export class KeyWords {
  readonly #endOf: EndOf;
  #arena = new Int32Array(wordsFirst);
  #used = 0;
  readonly #sections = addedWholes();
  /** Words of the arena that belong to no key any more. */
  #left = 0;
  /** How many words every key has; 0 where it is listed where they begin. */
  #width = 0;
  /** By id, where its words begin; `none` for ids that no key has. Not listed while `#width` tells. */
  #begins = new Int32Array(beginsFirst);
  /** One more than the highest id. */
  #size = 0;

  constructor(endOf: EndOf) {
    this.#endOf = endOf;
  }

  /** The words of all keys. Not to be kept: it is made anew when it grows. */
  get arena(): Int32Array {
    return this.#arena;
  }

  has(id: number): boolean {
    return id < this.#size && (this.#width > 0 || this.#begins[id] !== none);
  }

  /** Where the words of a key begin in the arena, and where they end. */
  start(id: number): number {
    return this.#width > 0 ? id * this.#width : this.#begins[id]!;
  }

  end(id: number): number {
    return this.#endOf(this.#arena, this.start(id));
  }

  /** Writes to `starts` where the first `count` keys of `ids` begin, or some other word for what is no id, and reads the first words. */
  touch(ids: Int32Array, count: number, starts: Int32Array, touched: Int32Array): void {
    const arena = this.#arena;
    const width = this.#width;
    const begins = this.#begins;
    if (width > 0) for (let i = 0; i < count; i++) starts[i] = Math.max(ids[i]!, 0) * width;
    else for (let i = 0; i < count; i++) starts[i] = Math.max(begins[Math.max(ids[i]!, 0)]!, 0);
    for (let i = 0; i < count; i++) touched[i] = arena[starts[i]!]!;
  }

  /** Gives an id that no key has the words `words[from … to)`. */
  put(id: number, words: Int32Array, from: number, to: number): void {
    const length = to - from;
    if (this.#size === 0) this.#width = length;
    if (length !== this.#width) this.#list();
    this.#size = Math.max(this.#size, id + 1);
    if (this.#width === 0) this.#begin(id, this.#used);
    const end = this.#used + length;
    if (end > this.#arena.length) this.#arena = grown(this.#arena, end);
    for (let i = from; i < to; i++) this.#arena[this.#used++] = words[i]!;
  }

  remove(id: number): void {
    this.#list();
    this.#left += this.end(id) - this.start(id);
    this.#begins[id] = none;
    if (this.#left * 2 > this.#used && this.#left > wordsFirst) this.#compact();
  }

  /** The words as they stand, those that are left behind among them, and where each key's begin unless that follows from its id. */
  snapshot(): Plain {
    return {
      words: this.#sections.snapshot(this.#arena, this.#used),
      begins: this.#width > 0 ? null : packed(new Uint32Array(this.#begins.buffer, 0, this.#size)),
    };
  }

  /** Takes what `snapshot` gave, where `free` are the ids below the highest that no key has. Returns one more than the highest. */
  restore(data: Plain, free: readonly number[], idsMax: number): number {
    const words = addedWholesOf(member(data, "words"), wordsEnd, wordsFirst);
    this.#arena = new Int32Array(words.buffer);
    this.#used = words.length - wordsFirst;
    // Words that end a text follow the last, so that no damaged key is read beyond the end.
    this.#arena.fill(-1, this.#used);
    const kept = member(data, "begins");
    if (kept === null) this.#restoreWidth(free, idsMax);
    else this.#restoreBegins(new Int32Array(wholesOf(kept, wordsEnd)), free, idsMax);
    return this.#size;
  }

  /** All keys are as wide as the first. */
  #restoreWidth(free: readonly number[], idsMax: number): void {
    const width = this.#endOf(this.#arena, 0);
    const size = this.#used / width;
    if (free.length > 0 || !Number.isInteger(size) || size > idsMax)
      throw damaged(`expected at most ${idsMax} keys, as wide as the first`);
    for (let at = 0; at < this.#used; at += width)
      if (this.#endOf(this.#arena, at) !== at + width) throw damaged("expected whole keys");
    this.#width = width;
    this.#size = size;
  }

  #restoreBegins(begins: Int32Array<ArrayBuffer>, free: readonly number[], idsMax: number): void {
    const isFree = new Set(free);
    if (begins.length > idsMax || isFree.size < free.length)
      throw damaged(`expected at most ${idsMax} keys, each id once`);
    let owned = 0;
    for (let id = 0; id < begins.length; id++) {
      const begin = begins[id]!;
      if (begin === none && isFree.delete(id)) continue;
      const end = begin >= 0 && begin < this.#used ? this.#endOf(this.#arena, begin) : Number.NaN;
      if (!(end <= this.#used) || isFree.has(id))
        throw damaged("expected whole keys, and ids that are theirs");
      owned += end - begin;
    }
    if (isFree.size > 0 || owned > this.#used)
      throw damaged("expected keys with words of their own, and ids below their number");
    if (begins.length > 0) this.#begins = begins;
    this.#size = begins.length;
    this.#left = this.#used - owned;
  }

  #begin(id: number, at: number): void {
    if (id >= this.#begins.length) this.#begins = grown(this.#begins, id + 1);
    this.#begins[id] = at;
  }

  /** From now on begins are listed. */
  #list(): void {
    const width = this.#width;
    this.#width = 0;
    if (width > 0) for (let id = this.#size - 1; id >= 0; id--) this.#begin(id, id * width);
  }

  /** Moves the words together, in the order of the ids. */
  #compact(): void {
    const arena = new Int32Array(Math.max(wordsFirst, (this.#used - this.#left) * 2));
    let used = 0;
    for (let id = 0; id < this.#size; id++) {
      if (!this.has(id)) continue;
      const [at, end] = [this.start(id), this.end(id)];
      this.#begins[id] = used;
      for (let i = at; i < end; i++) arena[used++] = this.#arena[i]!;
    }
    this.#arena = arena;
    this.#used = used;
    this.#left = 0;
  }
}
