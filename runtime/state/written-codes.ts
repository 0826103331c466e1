// The codes that the texts of keys have in the dictionary which they were last written to, by id: rows of windows
// name the same keys again and again, and making a text of its words and finding it costs 0.2 µs. A cache: knows no text.

import type { Dictionary } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { grown } from "./growth.ts";

export class WrittenCodes {
  #dictionary: Dictionary | null = null;
  /** By id, code + 1; 0 where it is not known. */
  #codes = new Int32Array(64);

  /** Turns to a dictionary; false where there are so many keys that it does not hold all their texts. */
  begin(dictionary: Dictionary | null, keys: number): boolean {
    if (dictionary === null || keys > limits.dictionary_entries_max) return false;
    if (dictionary !== this.#dictionary) this.#codes.fill(0);
    this.#dictionary = dictionary;
    if (keys > this.#codes.length) this.#codes = grown(this.#codes, keys);
    return true;
  }

  /** -1 where it is not known. */
  of(id: number): number {
    return this.#codes[id]! - 1;
  }

  put(id: number, code: number): void {
    this.#codes[id] = code + 1;
  }

  /** The id may become another key's. */
  forget(id: number): void {
    if (id < this.#codes.length) this.#codes[id] = 0;
  }
}
