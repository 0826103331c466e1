// Keys, each some words of 32 bits, to dense ids and back: open addressing over one arena of words, no object
// a key. Ids of keys that were taken out are given again. Knows nothing of what the words say.

import { blockRows, type KeyBlock, keyBlock } from "./key-block.ts";
import { hashWords, type HashSecret, makeSecret } from "./key-hash.ts";
import { type EndOf, KeyWords } from "./key-words.ts";
import { damaged, type Lasting, member, packedWholes, type Plain, wholesOf } from "./plain.ts";

/** A place holds the id of a key plus 1 in its lower bits, and as much of its hash in the upper ones as fits. */
const idBits = 21;
const idMask = 2 ** idBits - 1;
const placesFirst = 64;
/** From so many places on there are four times as many next, and not twice: arrays left behind are hardly given back by the allocator. */
const placesMany = 131_072;

/** How many places come after so many. */
function placesAfter(places: number): number {
  return places * (places < placesMany ? 2 : 4);
}

export class KeyIndex implements Lasting {
  readonly #words: KeyWords;
  readonly #secret: HashSecret = makeSecret();
  /** 0 where a place is free. */
  #places = new Int32Array(placesFirst);
  #size = 0;
  #free: number[] = [];

  constructor(endOf: EndOf) {
    this.#words = new KeyWords(endOf);
  }

  /** One more than the highest id given. */
  get size(): number {
    return this.#size;
  }

  /** Keys that are in the table. */
  get count(): number {
    return this.#size - this.#free.length;
  }

  get words(): KeyWords {
    return this.#words;
  }

  /**
   * Looks the first `count` keys of a block up; true when one is not in the table. Each loop reads memory where the loop before it found out, and no key
   * in it depends on another: so the processor waits for the memory of many at once, and not of one after the other
   * (group prefetching: Chen, Ailamaki, Gibbons and Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004).
   */
  findAll({ words, starts, ends, hashes, ids, candidates, touched }: KeyBlock, count: number): boolean {
    const places = this.#places;
    const last = places.length - 1;
    const secret = this.#secret;
    for (let i = 0; i < count; i++) hashes[i] = hashWords(words, starts[i]!, ends[i]!, secret);
    for (let i = 0; i < count; i++) ids[i] = places[hashes[i]! & last]!;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      let place = hash & last;
      // All ones where the hash has other bits than the key at its place: nine keys in ten are there or at the next one, which costs no branch.
      const differs = -((ids[i]! ^ hash) >>> idBits) >> 31;
      place = (place - differs) & last;
      let found = places[place]!;
      while (((found ^ hash) & ~idMask) !== 0 && found !== 0) {
        place = (place + 1) & last;
        found = places[place]!;
      }
      ids[i] = (found & idMask) - 1;
    }
    this.#words.touch(ids, count, candidates, touched);
    const { arena } = this.#words;
    let missing = 0;
    for (let i = 0; i < count; i++) {
      const to = ends[i]!;
      let word = starts[i]!;
      for (let at = candidates[i]!; word < to && arena[at] === words[word]; at++) word++;
      // Another key may have the same bits of its hash at a place before. One that has no words is not in the table.
      if (word !== to && ids[i] !== -1) ids[i] = to < 0 ? -1 : this.find(words, starts[i]!, to, hashes[i]!);
      missing |= ids[i]!;
    }
    return missing < 0;
  }

  /** The id of the key that is `words[from … to)`; -1 when it is not in the table. */
  find(words: Int32Array, from: number, to: number, hash: number): number {
    return (this.#places[this.#placeOf(words, from, to, hash)]! & idMask) - 1;
  }

  /** Adds the key that is `words[from … to)` and not in the table; returns its id. */
  add(words: Int32Array, from: number, to: number, hash: number): number {
    const id = this.#free.pop() ?? this.#size++;
    if (id >= idMask) throw new RangeError(`a table holds at most ${idMask} keys`);
    this.#words.put(id, words, from, to);
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
    this.#words.remove(id);
    this.#free.push(id);
  }

  /** The words of the keys by id, and the ids that no key has in the order in which they will be given again. */
  snapshot(): Plain {
    return { free: packedWholes(this.#free), words: this.#words.snapshot() };
  }

  restore(data: Plain): void {
    this.#free = [...wholesOf(member(data, "free"), idMask)];
    this.#size = this.#words.restore(member(data, "words"), this.#free, idMask);
    let length = this.#places.length;
    while (this.count * 4 > length * 3) length = placesAfter(length);
    this.#places = new Int32Array(length);
    for (let first = 0; first < this.#size; first += blockRows) this.#restoreBlock(first, keyBlock(0));
  }

  /** Settles some keys, in passes as those of `findAll`. */
  #restoreBlock(first: number, { starts, ends, hashes, ids, touched }: KeyBlock): void {
    const words = this.#words;
    const { arena } = words;
    const places = this.#places;
    const last = places.length - 1;
    const end = Math.min(first + blockRows, this.#size);
    let count = 0;
    for (let id = first; id < end; id++) {
      if (!words.has(id)) continue;
      ids[count] = id;
      starts[count] = words.start(id);
      ends[count] = words.end(id);
      count++;
    }
    for (let i = 0; i < count; i++) hashes[i] = hashWords(arena, starts[i]!, ends[i]!, this.#secret);
    for (let i = 0; i < count; i++) touched[i] = places[hashes[i]! & last]!;
    for (let i = 0; i < count; i++) {
      const place = this.#placeOf(arena, starts[i]!, ends[i]!, hashes[i]!);
      if (places[place] !== 0) throw damaged("expected every key once");
      places[place] = (hashes[i]! & ~idMask) | (ids[i]! + 1);
    }
  }

  /** The place of the key that is `words[from … to)`; the free one where it belongs when it is not in the table. */
  #placeOf(words: Int32Array, from: number, to: number, hash: number): number {
    const places = this.#places;
    const { arena } = this.#words;
    const last = places.length - 1;
    for (let place = hash & last; ; place = (place + 1) & last) {
      const found = places[place]!;
      if (found === 0) return place;
      if (((found ^ hash) & ~idMask) !== 0) continue;
      let at = this.#words.start((found & idMask) - 1);
      let i = from;
      while (i < to && arena[at++] === words[i]) i++;
      if (i === to) return place;
    }
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

  #hashOf(id: number): number {
    return hashWords(this.#words.arena, this.#words.start(id), this.#words.end(id), this.#secret);
  }

  #rehash(): void {
    this.#places = new Int32Array(placesAfter(this.#places.length));
    for (let id = 0; id < this.#size; id++) if (this.#words.has(id)) this.#settle(id, this.#hashOf(id));
  }

  #settle(id: number, hash: number): void {
    const places = this.#places;
    const last = places.length - 1;
    let place = hash & last;
    while (places[place] !== 0) place = (place + 1) & last;
    places[place] = (hash & ~idMask) | (id + 1);
  }
}
