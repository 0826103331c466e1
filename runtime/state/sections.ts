// Plain data of many places, in sections that are made anew only where something has changed: what holds a million
// lists, or numbers that are only ever added to, need not be looked at all over for each snapshot. Knows nothing of what
// is at a place.

import { listOf, packed, type Plain, wholesOf } from "./plain.ts";

const sectionBits = 4;
const sectionPlaces = 2 ** sectionBits;
/** Numbers of one section of those that are only added to. */
const addedPlaces = 16_384;

export class Sections {
  readonly #make: (from: number, to: number) => readonly Plain[];
  readonly #kept: (readonly Plain[] | undefined)[] = [];
  #end = 0;

  /** `make`: what is at the places `from … to - 1`. */
  constructor(make: (from: number, to: number) => readonly Plain[]) {
    this.#make = make;
  }

  /** Something at a place may change. */
  touch(place: number): void {
    const section = place >>> sectionBits;
    if (section < this.#kept.length) this.#kept[section] = undefined;
  }

  touchAll(): void {
    this.#kept.length = 0;
  }

  /** All sections up to the place `end`. They are frozen, and the same ones as before where nothing was touched. */
  snapshot(end: number): Plain {
    if (end !== this.#end) this.touch(Math.min(end, this.#end));
    this.#end = end;
    const count = Math.ceil(end / sectionPlaces);
    const kept = this.#kept;
    kept.length = Math.min(kept.length, count);
    for (let section = 0; section < count; section++) {
      const from = section * sectionPlaces;
      kept[section] ??= Object.freeze(this.#make(from, Math.min(end, from + sectionPlaces)));
    }
    return kept.slice() as readonly Plain[];
  }
}

/** Where each section begins, with what it holds. */
export function sectionsOf(sections: readonly Plain[]): readonly (readonly [from: number, section: Plain])[] {
  return sections.map((section, place) => [place * sectionPlaces, section] as const);
}

/** What is only added to, until another one takes its place. */
export class AddedSections<S extends object> {
  readonly #places: number;
  readonly #read: (source: S, from: number, to: number) => readonly Plain[];
  #source: S | null = null;
  readonly #kept: Plain[] = [];

  /** `places` of each section; `read`: the section at the places `from … to - 1` of a source. */
  constructor(places: number, read: (source: S, from: number, to: number) => readonly Plain[]) {
    this.#places = places;
    this.#read = read;
  }

  /** The first `used` places of `source`. */
  snapshot(source: S, used: number): Plain {
    if (source !== this.#source) this.#kept.length = 0;
    this.#source = source;
    const [kept, places] = [this.#kept, this.#places];
    const whole = Math.floor(used / places);
    kept.length = Math.min(kept.length, whole);
    for (let from = kept.length * places; kept.length < whole; from += places)
      kept.push(Object.freeze(this.#read(source, from, from + places)));
    return [...kept, this.#read(source, whole * places, used)];
  }
}

/** For whole numbers, as bytes. */
export function addedWholes(): AddedSections<Int32Array | Uint32Array> {
  return new AddedSections(addedPlaces, (array, from, to) => [packed(array.subarray(from, to))]);
}

/** The numbers of `addedWholes`, all of them below `end`; behind them is room for some more, which are 0. */
export function addedWholesOf(data: Plain, end: number, room: number = 0): Uint32Array<ArrayBuffer> {
  const sections = listOf(data).map((section) => wholesOf(listOf(section, 1)[0]!, end));
  const all = new Uint32Array(sections.reduce((total, { length }) => total + length, room));
  let at = 0;
  for (const section of sections) {
    all.set(section, at);
    at += section.length;
  }
  return all;
}
