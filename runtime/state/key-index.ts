// Keys, each some words of 32 bits, to dense ids and back: open addressing over one arena of words, no object
// a key. Ids of keys that were taken out are given again. Knows nothing of what the words say.

import { grown } from "./growth.ts";
import { hashWords, type HashSecret, makeSecret } from "./key-hash.ts";
import { damaged, type Lasting, member, packed, packedWholes, type Plain, wholesOf } from "./plain.ts";

/** A place holds the id of a key plus 1 in its lower bits, and as much of its hash in the upper ones as fits. */
const idBits = 21;
const idMask = 2 ** idBits - 1;
const placesFirst = 64;
const wordsFirst = 256;
/** In place of where the words of a key begin: no key has the id. */
const none = -1;
/** One more than any word. */
const wordsEnd = 2 ** 32;

/** Where a key ends that begins at `at`. No key is the beginning of another. */
export type EndOf = (words: Int32Array, at: number) => number;

export class KeyIndex implements Lasting {
  readonly #endOf: EndOf;
  readonly #secret: HashSecret = makeSecret();
  /** 0 where a place is free. */
  #places = new Int32Array(placesFirst);
  #arena = new Int32Array(wordsFirst);
  #used = 0;
  /** Words of the arena that belong to no key any more. */
  #left = 0;
  /** By id, where its words begin; `none` for ids that no key has. */
  #begins = new Int32Array(64);
  #size = 0;
  #free: number[] = [];

  constructor(endOf: EndOf) {
    this.#endOf = endOf;
  }

  /** One more than the highest id given. */
  get size(): number {
    return this.#size;
  }

  /** Keys that are in the table. */
  get count(): number {
    return this.#size - this.#free.length;
  }

  /** The words of all keys. Not to be kept: it is made anew when it grows. */
  get arena(): Int32Array {
    return this.#arena;
  }

  /** Where the words of a key begin in the arena. */
  at(id: number): number {
    return this.#begins[id]!;
  }

  has(id: number): boolean {
    return id < this.#size && this.#begins[id] !== none;
  }

  /** The hash of the key that is `words[from … to)`. */
  hash(words: Int32Array, from: number, to: number): number {
    return hashWords(words, from, to, this.#secret);
  }

  /**
   * `touch` and then `meet` read the memory that a search for a key of this hash will read, for many keys
   * before the first of them is looked for: the processor then waits for all of it at once.
   */
  touch(hash: number): number {
    return this.#places[hash & (this.#places.length - 1)]!;
  }

  meet(hash: number): number {
    const places = this.#places;
    const last = places.length - 1;
    let place = hash & last;
    while (((places[place]! ^ hash) & ~idMask) !== 0 && places[place] !== 0) place = (place + 1) & last;
    return this.#arena[this.#begins[(places[place]! & idMask) - 1]!]!;
  }

  /** The id of the key that is `words[from … to)`; -1 when it is not in the table. */
  find(words: Int32Array, from: number, to: number, hash: number): number {
    const places = this.#places;
    const arena = this.#arena;
    const last = places.length - 1;
    for (let place = hash & last; ; place = (place + 1) & last) {
      const found = places[place]!;
      if (found === 0) return -1;
      if (((found ^ hash) & ~idMask) !== 0) continue;
      const id = (found & idMask) - 1;
      let at = this.#begins[id]!;
      let i = from;
      while (i < to && arena[at++] === words[i]) i++;
      if (i === to) return id;
    }
  }

  /** Adds the key that is `words[from … to)` and not in the table; returns its id. */
  add(words: Int32Array, from: number, to: number, hash: number): number {
    const id = this.#free.pop() ?? this.#size++;
    if (id >= idMask) throw new RangeError(`a table holds at most ${idMask} keys`);
    if (id === this.#begins.length) this.#begins = grown(this.#begins);
    const end = this.#used + to - from;
    if (end > this.#arena.length) this.#arena = grown(this.#arena, end);
    this.#begins[id] = this.#used;
    for (let i = from; i < to; i++) this.#arena[this.#used++] = words[i]!;
    if (this.count * 4 > this.#places.length * 3) this.#rehash();
    else this.#settle(id, hash);
    return id;
  }

  /** Takes a key out; its id may be given again. */
  remove(id: number): void {
    const places = this.#places;
    const last = places.length - 1;
    const hash = this.#hashOf(id);
    let place = hash & last;
    while ((places[place]! & idMask) - 1 !== id) place = (place + 1) & last;
    this.#close(place);
    this.#left += this.#endOf(this.#arena, this.#begins[id]!) - this.#begins[id]!;
    this.#begins[id] = none;
    this.#free.push(id);
    if (this.#left * 2 > this.#used && this.#left > wordsFirst) this.#compact();
  }

  /** The words of the keys by id, and the ids that no key has in the order in which they will be given again. */
  snapshot(): Plain {
    let last = -1;
    const inOrder = (begin: number): boolean => begin === none || (begin > last && ((last = begin), true));
    if (this.#left > 0 || !this.#begins.subarray(0, this.#size).every(inOrder)) this.#compact();
    const words = new Uint32Array(this.#arena.buffer, 0, this.#used);
    return { free: packedWholes(this.#free), words: packed(words) };
  }

  restore(data: Plain): void {
    const words = wholesOf(member(data, "words"), wordsEnd);
    this.#free = [...wholesOf(member(data, "free"), idMask)];
    const isFree = new Set(this.#free);
    // Words that end a text follow the last, so that no damaged key is read beyond the end.
    this.#arena = new Int32Array(words.length + wordsFirst).fill(-1);
    this.#arena.set(new Int32Array(words.buffer));
    for (this.#used = 0; this.#used < words.length || isFree.has(this.#size); this.#size++) {
      if (this.#size >= idMask) throw damaged(`expected at most ${idMask} keys`);
      if (this.#size === this.#begins.length) this.#begins = grown(this.#begins);
      this.#begins[this.#size] = isFree.delete(this.#size) ? none : this.#used;
      if (this.#begins[this.#size] !== none) this.#used = this.#endOf(this.#arena, this.#used);
    }
    if (this.#used !== words.length || isFree.size > 0)
      throw damaged("expected whole keys, and ids below their number");
    while (this.count * 4 > this.#places.length * 3) this.#places = new Int32Array(this.#places.length * 2);
    for (let id = 0; id < this.#size; id++) if (this.has(id)) this.#settleOnce(id);
  }

  #settleOnce(id: number): void {
    const at = this.#begins[id]!;
    const end = this.#endOf(this.#arena, at);
    const hash = this.hash(this.#arena, at, end);
    if (this.find(this.#arena, at, end, hash) >= 0) throw damaged("expected every key once");
    this.#settle(id, hash);
  }

  /** Frees a place, and moves up what was put behind it because it was taken. */
  #close(gap: number): void {
    const places = this.#places;
    const last = places.length - 1;
    for (let place = (gap + 1) & last; places[place] !== 0; place = (place + 1) & last) {
      const home = this.#hashOf((places[place]! & idMask) - 1) & last;
      // It may stand at the gap unless its home lies behind that.
      if (((place - home) & last) < ((place - gap) & last)) continue;
      places[gap] = places[place]!;
      gap = place;
    }
    places[gap] = 0;
  }

  /** Moves the words together, in the order of the ids. */
  #compact(): void {
    const arena = new Int32Array(Math.max(wordsFirst, (this.#used - this.#left) * 2));
    let used = 0;
    for (let id = 0; id < this.#size; id++) {
      const at = this.#begins[id]!;
      if (at === none) continue;
      const end = this.#endOf(this.#arena, at);
      this.#begins[id] = used;
      for (let i = at; i < end; i++) arena[used++] = this.#arena[i]!;
    }
    this.#arena = arena;
    this.#used = used;
    this.#left = 0;
  }

  #hashOf(id: number): number {
    const at = this.#begins[id]!;
    return hashWords(this.#arena, at, this.#endOf(this.#arena, at), this.#secret);
  }

  #rehash(): void {
    this.#places = new Int32Array(this.#places.length * 2);
    for (let id = 0; id < this.#size; id++) if (this.has(id)) this.#settle(id, this.#hashOf(id));
  }

  #settle(id: number, hash: number): void {
    const places = this.#places;
    const last = places.length - 1;
    let place = hash & last;
    while (places[place] !== 0) place = (place + 1) & last;
    places[place] = (hash & ~idMask) | (id + 1);
  }
}
