// The texts of a dictionary as JSON has them, each written once, side by side: rows name many of them, and would wait for
// the memory of each if it were an object of its own. Strings are quoted; what is JSON already stays as it is.

import { Buffer } from "node:buffer";
import type { Dictionary } from "../../../operators/sdk/index.ts";
import { copied, type EncodedDictionary, type EncodedTexts } from "../../batch/encoded.ts";
import { RawTexts } from "./raw-texts.ts";

const bytesFirst = 1_024;
const textsFirst = 64;
/** Of a UTF-16 unit in UTF-8, at most. */
const bytesPerUnit = 3;
const quote = 0x22;
const backslash = 0x5c;

/** Bytes that stand for themselves in a string: of ASCII, all but quotes, backslashes and control characters. */
const isPlain: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== quote && byte !== backslash ? 1 : 0,
);

export class WrittenTexts {
  /** The text with a code is `bytes[starts[code] … ends[code])`. All are made anew as they grow. */
  bytes: Uint8Array = new Uint8Array(0);
  starts: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** 0 for a text that was not asked for yet. */
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly #areQuoted: boolean;
  /** What is written here, where it is not the dictionary's own. */
  #own: Buffer | null = null;
  #dictionary: Dictionary | null = null;
  /** Its bytes, where it has them. */
  #encoded: EncodedTexts | null = null;
  #used = 0;

  constructor(type: "string" | "json") {
    this.#areQuoted = type === "string";
  }

  /** Turns to the texts of a dictionary as it is now. */
  begin(dictionary: Dictionary): void {
    const isOther = dictionary !== this.#dictionary;
    this.#dictionary = dictionary;
    if (dictionary instanceof RawTexts) {
      this.#own = null;
      ({ bytes: this.bytes, starts: this.starts, ends: this.ends } = dictionary);
      return;
    }
    if (this.#own === null) this.#beginOwn();
    else if (isOther) this.ends.fill(0);
    if (isOther) this.#used = 0;
    this.#encoded = "encoded" in dictionary ? (dictionary as EncodedDictionary).encoded() : null;
    if (dictionary.size <= this.ends.length) return;
    this.starts = copied(this.starts, new Uint32Array(dictionary.size * 2));
    this.ends = copied(this.ends, new Uint32Array(dictionary.size * 2));
  }

  /** Sees to it that the text with this code is there. */
  need(code: number): void {
    if (this.ends[code] !== 0) return;
    const end = this.#areQuoted ? this.#copyPlain(code) : this.#used;
    this.#end(code, end > this.#used ? end : this.#write(code));
  }

  #beginOwn(): void {
    this.bytes = this.#own = Buffer.allocUnsafeSlow(bytesFirst);
    this.starts = new Uint32Array(textsFirst);
    this.ends = new Uint32Array(textsFirst);
    this.#used = 0;
  }

  #end(code: number, end: number): void {
    this.starts[code] = this.#used;
    this.#used = end;
    this.ends[code] = end;
  }

  /** Puts a text of plain ASCII between quotes without making a string of it; returns where it ends, or no more than where it begins. */
  #copyPlain(code: number): number {
    if (this.#encoded === null) return 0;
    const { bytes, ends } = this.#encoded;
    const end = ends[code + 1]!;
    let from = ends[code]!;
    let at = this.#used;
    this.#reserve(end - from + 2);
    const own = this.bytes;
    own[at++] = quote;
    for (; from < end; from++) {
      const byte = bytes[from]!;
      if (isPlain[byte] === 0) return 0;
      own[at++] = byte;
    }
    own[at++] = quote;
    return at;
  }

  #write(code: number): number {
    const text = this.#dictionary!.text(code);
    const written = this.#areQuoted ? JSON.stringify(text) : text;
    this.#reserve(written.length * bytesPerUnit);
    return this.#used + this.#own!.write(written, this.#used, "utf8");
  }

  #reserve(length: number): void {
    const room = this.#used + length;
    if (room <= this.bytes.length) return;
    this.bytes = this.#own = copied(this.#own!, Buffer.allocUnsafeSlow(room * 2));
  }
}
