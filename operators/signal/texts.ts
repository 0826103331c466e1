// Texts that an operator writes to a column of its own, with what it takes over from the columns that come. Begins anew when it
// has many: batches that were sent keep the ones that they refer to.

import type { Column, Dictionary, WritableDictionary } from "weir/sdk";

/** With so many texts, others begin. */
const textsMax = 65_536;

class OwnTexts implements WritableDictionary {
  readonly #texts: string[] = [];
  readonly #codes = new Map<string, number>();

  get size(): number {
    return this.#texts.length;
  }

  text(code: number): string {
    return this.#texts[code]!;
  }

  code(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    this.#codes.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }
}

/** The codes of a column that comes, as those of the operator's own texts. */
export interface Translation {
  readonly dictionary: Dictionary;
  code(given: number): number;
}

export class Texts implements WritableDictionary {
  #own = new OwnTexts();
  /** How often they have begun, once for the first time. */
  begun: number = 1;
  #from: Dictionary | null = null;
  /** By code of the column that comes. */
  #codes: number[] = [];

  get size(): number {
    return this.#own.size;
  }

  text(code: number): string {
    return this.#own.text(code);
  }

  code(text: string): number {
    return this.#own.code(text);
  }

  /** For the batch of this column; what it gives is good until the next one. */
  from({ dictionary }: Column): Translation {
    if (this.#own.size >= textsMax) {
      this.#own = new OwnTexts();
      this.begun++;
    } else if (dictionary === this.#from) return this.#translation(dictionary!);
    this.#from = dictionary;
    this.#codes = [];
    return this.#translation(dictionary!);
  }

  #translation(from: Dictionary): Translation {
    const [own, codes] = [this.#own, this.#codes];
    return { dictionary: own, code: (given) => (codes[given] ??= own.code(from.text(given))) };
  }
}
