// The texts of a dictionary as UTF-8, side by side: what is looked up by its bytes needs no JavaScript string.
// Never changes a dictionary.

import type { Dictionary } from "../../operators/sdk/index.ts";

/** Text `code` is `bytes[ends[code] … ends[code + 1])`. Valid until the dictionary grows. */
export interface EncodedTexts {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** A dictionary that holds its texts as bytes. */
export interface EncodedDictionary extends Dictionary {
  encoded(): EncodedTexts;
}

/** Encodes the texts of a dictionary, each once. Half a surrogate pair becomes U+FFFD, as in every format. */
class TextEncoding {
  readonly #dictionary: Dictionary;
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(1_024);
  #ends = new Uint32Array(64);
  #count = 0;

  constructor(dictionary: Dictionary) {
    this.#dictionary = dictionary;
  }

  texts(): EncodedTexts {
    const { size } = this.#dictionary;
    if (size >= this.#ends.length) this.#ends = copied(this.#ends, new Uint32Array((size + 1) * 2));
    for (; this.#count < size; this.#count++) {
      const text = this.#dictionary.text(this.#count);
      const used = this.#ends[this.#count]!;
      // No UTF-16 unit takes more than three bytes.
      const room = used + text.length * 3;
      if (room > this.#bytes.length) this.#bytes = copied(this.#bytes, new Uint8Array(room * 2));
      const { written } = this.#encoder.encodeInto(text, this.#bytes.subarray(used));
      this.#ends[this.#count + 1] = used + written;
    }
    return { bytes: this.#bytes, ends: this.#ends };
  }
}

/** `to`, with what `from` holds at its beginning. */
export function copied<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const encodings = new WeakMap<Dictionary, TextEncoding>();

export function encodedTexts(dictionary: Dictionary): EncodedTexts {
  if ("encoded" in dictionary) return (dictionary as EncodedDictionary).encoded();
  let encoding = encodings.get(dictionary);
  if (encoding === undefined) {
    encoding = new TextEncoding(dictionary);
    encodings.set(dictionary, encoding);
  }
  return encoding.texts();
}
