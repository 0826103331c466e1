// Which names were met in a document, and what cannot be told from one in which a name stands twice. Knows no format.

import type { NameEntry, Paths } from "./paths.ts";

/** What is wrong with a field whose name stands twice. */
export const severalValues = "expected one value, got several of that name";
/** Documents are counted up to here, and then from the beginning. */
const documentsEnd = 2 ** 32;

export class MetNames {
  /** By target: 1 where a name that leads there stands twice, so that nobody knows which value counts. */
  readonly isTwice: Uint8Array;
  /** By entry, the document that it was met in last. */
  readonly #metIn: Uint32Array;
  #document = 0;
  #isClean = true;

  constructor({ targets, entries }: Paths) {
    this.isTwice = new Uint8Array(targets);
    this.#metIn = new Uint32Array(entries);
  }

  /** Another document begins. */
  begin(): void {
    if (++this.#document === documentsEnd) {
      this.#document = 1;
      this.#metIn.fill(0);
    }
    if (this.#isClean) return;
    this.isTwice.fill(0);
    this.#isClean = true;
  }

  meet({ place, targets }: NameEntry): void {
    if (this.#metIn[place] !== this.#document) {
      this.#metIn[place] = this.#document;
      return;
    }
    for (const target of targets) this.isTwice[target] = 1;
    this.#isClean = false;
  }
}
