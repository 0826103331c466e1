// Plain data of many places, in sections that are made anew only where something has changed: what holds a million
// lists, or numbers that are only ever added to, need not be looked at all over for each snapshot. Knows nothing of what
// is at a place.

import { listOf, packed, type Plain, wholesOf } from "./plain.ts";

const sectionBits = 6;
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

/** Numbers in an array that is only added to, until another one takes its place. */
export class AddedSections {
  #array: Int32Array | Uint32Array | null = null;
  readonly #kept: Plain[] = [];

  /** The first `used` numbers of `array`, as bytes. */
  snapshot(array: Int32Array | Uint32Array, used: number): Plain {
    if (array !== this.#array) this.#kept.length = 0;
    this.#array = array;
    const whole = Math.floor(used / addedPlaces);
    const kept = this.#kept;
    kept.length = Math.min(kept.length, whole);
    while (kept.length < whole) {
      const from = kept.length * addedPlaces;
      kept.push(Object.freeze([packed(array.subarray(from, from + addedPlaces))]) as Plain);
    }
    return [...kept, [packed(array.subarray(whole * addedPlaces, used))]];
  }
}

/** The numbers of `AddedSections`, all of them below `end`. */
export function addedWholesOf(data: Plain, end: number): Uint32Array<ArrayBuffer> {
  const sections = listOf(data).map((section) => wholesOf(listOf(section, 1)[0]!, end));
  const all = new Uint32Array(sections.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const section of sections) {
    all.set(section, at);
    at += section.length;
  }
  return all;
}
