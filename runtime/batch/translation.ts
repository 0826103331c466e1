// Codes of dictionaries that come and go as codes of one that stays: each text is looked up once for as long as its
// dictionary lasts. Knows nothing of columns.

import type { Dictionary } from "../../operators/sdk/index.ts";
import type { TextDictionary } from "./columns.ts";

const codesFirst = 64;

export class Translation {
  readonly texts: TextDictionary;
  /** The dictionary that came last, and by its codes, that of `texts` + 1; 0 for none yet. */
  #source: Dictionary | null = null;
  #known = new Int32Array(0);

  /** By code, that of `texts` + 1 as far as it was asked for. To be read until another dictionary is met. */
  get known(): Int32Array {
    return this.#known;
  }

  constructor(texts: TextDictionary) {
    this.texts = texts;
  }

  /** The dictionary, as it is now, that codes are of from now on. */
  meet(source: Dictionary): void {
    if (source === this.#source && this.#known.length >= source.size) return;
    const known = new Int32Array(Math.max(codesFirst, source.size * 2));
    if (source === this.#source) known.set(this.#known);
    [this.#source, this.#known] = [source, known];
  }

  codeOf(code: number): number {
    if (this.#known[code] === 0) this.#known[code] = this.texts.code(this.#source!.text(code)) + 1;
    return this.#known[code]! - 1;
  }
}
