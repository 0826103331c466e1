// The JSON texts of a batch as they were written: places in its payloads, so that what only passes through is copied once,
// on its way out, and never becomes a JavaScript string; or, from another format, texts that were made of it. A batch has only one
// kind. Valid as long as the batch is.

import { Buffer } from "node:buffer";
import type { Dictionary } from "../../../operators/sdk/index.ts";
import { copied } from "../../batch/encoded.ts";

const textsFirst = 64;
/** Of a UTF-16 unit in UTF-8, at most. */
const bytesPerUnit = 3;

export class RawTexts implements Dictionary {
  /** The text with a code is `bytes[starts[code] … ends[code])`. All three are made anew as they grow. */
  bytes: Uint8Array = new Uint8Array(0);
  starts: Uint32Array<ArrayBuffer>;
  ends: Uint32Array<ArrayBuffer>;
  /** Those that somebody asked for, or made. */
  readonly #texts: (string | undefined)[] = [];
  #count = 0;

  /** `texts`: how many there will be at most, as far as is known. */
  constructor(texts: number) {
    this.starts = new Uint32Array(texts);
    this.ends = new Uint32Array(texts);
  }

  get size(): number {
    return this.#count;
  }

  text(code: number): string {
    return (this.#texts[code] ??= this.#decode(code));
  }

  /** The code of `bytes[start … end)`, where `bytes` are those of all payloads. */
  place(bytes: Uint8Array, start: number, end: number): number {
    this.bytes = bytes;
    const code = this.#count++;
    if (code === this.starts.length) this.#widen();
    this.starts[code] = start;
    this.ends[code] = end;
    return code;
  }

  /** The code of a text that stands in no payload. */
  add(text: string): number {
    const start = this.#count === 0 ? 0 : this.ends[this.#count - 1]!;
    const room = start + text.length * bytesPerUnit;
    if (room > this.bytes.length) {
      this.bytes = copied(this.bytes, new Uint8Array(room * 2));
    }
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start));
    this.#texts[this.#count] = text;
    return this.place(this.bytes, start, start + written);
  }

  #decode(code: number): string {
    const start = this.starts[code]!;
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + start, this.ends[code]! - start).toString("utf8");
  }

  #widen(): void {
    const room = Math.max(textsFirst, this.starts.length * 2);
    this.starts = copied(this.starts, new Uint32Array(room));
    this.ends = copied(this.ends, new Uint32Array(room));
  }
}

const encoder = new TextEncoder();
