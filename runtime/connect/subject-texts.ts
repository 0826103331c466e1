// The texts of subjects by their bytes: a subject that comes again is not decoded again. Forgets one when another takes its
// place, so that no number of subjects makes it grow.

import { limits } from "../limits.ts";

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export class SubjectTexts {
  /** By hash of the bytes; the last one that had it. */
  readonly #known: (Known | undefined)[] = Array.from({ length: limits.subject_texts_max });
  #last: Known = { bytes: new Uint8Array(0), text: "" };

  /** The text of `bytes[start … end)`. */
  text(bytes: Uint8Array, start: number, end: number): string {
    if (isAt(this.#last.bytes, bytes, start, end)) return this.#last.text;
    let hash = 0;
    for (let place = start; place < end; place++) hash = Math.imul(hash ^ bytes[place]!, 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (limits.subject_texts_max - 1);
    let known = this.#known[place];
    if (known === undefined || !isAt(known.bytes, bytes, start, end)) {
      const copy = new Uint8Array(bytes.subarray(start, end));
      known = { bytes: copy, text: Buffer.from(copy.buffer).toString("utf8") };
      this.#known[place] = known;
    }
    this.#last = known;
    return known.text;
  }
}

function isAt(subject: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== subject.length) return false;
  for (let place = 0; place < subject.length; place++)
    if (bytes[start + place] !== subject[place]) return false;
  return true;
}
