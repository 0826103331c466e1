// The texts of a dictionary as JSON strings, each escaped once, side by side: rows name many of them, and would wait for
// the memory of each if it were an object of its own.

import { Buffer } from "node:buffer";
import type { Dictionary } from "../../../operators/sdk/index.ts";

const bytesFirst = 1_024;
const textsFirst = 64;
/** Of a UTF-16 unit in UTF-8, at most. */
const bytesPerUnit = 3;

export class QuotedTexts {
  /** The text with a code is `bytes[starts[code] … ends[code])`. Both are made anew as they grow. */
  bytes: Buffer = Buffer.allocUnsafeSlow(bytesFirst);
  starts: Uint32Array<ArrayBuffer> = new Uint32Array(textsFirst);
  /** 0 for a text that was not asked for yet. */
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(textsFirst);
  #dictionary: Dictionary | null = null;
  #used = 0;

  /** Turns to the texts of a dictionary as it is now. */
  begin(dictionary: Dictionary | null): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#used = 0;
      this.ends.fill(0);
    }
    if (dictionary === null || dictionary.size <= this.ends.length) return;
    this.starts = copied(this.starts, new Uint32Array(dictionary.size * 2));
    this.ends = copied(this.ends, new Uint32Array(dictionary.size * 2));
  }

  /** Sees to it that the text with this code is there. */
  need(code: number): void {
    if (this.ends[code] !== 0) return;
    const text = JSON.stringify(this.#dictionary!.text(code));
    const room = this.#used + text.length * bytesPerUnit;
    if (room > this.bytes.length) this.bytes = copied(this.bytes, Buffer.allocUnsafeSlow(room * 2));
    this.starts[code] = this.#used;
    this.#used += this.bytes.write(text, this.#used, "utf8");
    this.ends[code] = this.#used;
  }
}

function copied<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
