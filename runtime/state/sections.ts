// Plain data of many places, in sections that are made anew only where something has changed: what holds a million
// lists need not look at all of them for each snapshot. Knows nothing of what is at a place.

import type { Plain } from "./plain.ts";

const sectionBits = 6;
const sectionPlaces = 2 ** sectionBits;

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
