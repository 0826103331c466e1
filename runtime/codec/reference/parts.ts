// The content of a reference table cut into its records, each with its place. Cuts only: whether a record
// is well-formed is found where it is decoded.

import type { ReferenceContent } from "./content.ts";

/** One record of a table, as bytes. */
export interface Part {
  readonly bytes: Uint8Array;
  /** The line it begins on, from 1; 0 where there are no lines. */
  readonly line: number;
  /** Its key, where that stands beside the record and not in it. */
  readonly key: string | null;
}

/** A fault of the whole content, with its line. */
export class ContentFault extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.name = "ContentFault";
    this.line = line;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const lineFeed = 0x0a;

/** The records of a content, in order. Throws a `ContentFault` where they cannot be told apart. */
export function partsOf(content: Exclude<ReferenceContent, { kind: "unreadable" }>): Part[] {
  if (content.kind === "entries")
    return content.entries.map(({ key, value }) => ({ bytes: value, line: 0, key }));
  const bytes = withoutMark(content.bytes);
  return content.format === "json" ? new Members(bytes).read() : lines(bytes, content.format === "csv");
}

/** A byte order mark at the beginning is no part of the text. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Lines that are not blank; where `quoted`, a line end in quotes ends no record. */
function lines(bytes: Uint8Array, quoted: boolean): Part[] {
  const parts: Part[] = [];
  let line = 1;
  let start = 0;
  let first = 1;
  let inside = false;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = at < bytes.length ? bytes[at]! : lineFeed;
    if (quoted && byte === quote) inside = !inside;
    if (byte !== lineFeed) continue;
    line++;
    if (inside && at < bytes.length) continue;
    const part = bytes.subarray(start, at);
    if (!isBlank(part)) parts.push({ bytes: part, line: first, key: null });
    start = at + 1;
    first = line;
  }
  return parts;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every(isSpace);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === lineFeed || byte === 0x0d;
}

/** The objects of a JSON list, or those that are the members of a JSON object. */
class Members {
  readonly #bytes: Uint8Array;
  readonly #parts: Part[] = [];
  #at = 0;
  #line = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): Part[] {
    this.#space();
    const open = this.#bytes[this.#at];
    if (open !== 0x5b && open !== 0x7b)
      this.#fail("expected a list of objects, or an object with an object for each key");
    const close = open === 0x5b ? 0x5d : 0x7d;
    this.#at++;
    this.#space();
    if (this.#bytes[this.#at] === close) this.#at++;
    else this.#members(close);
    this.#space();
    if (this.#at < this.#bytes.length) this.#fail("expected nothing after the table");
    return this.#parts;
  }

  #members(close: number): void {
    for (;;) {
      const line = this.#line;
      const key = close === 0x7d ? this.#name() : null;
      this.#parts.push({ bytes: this.#object(), line, key });
      this.#space();
      const byte = this.#bytes[this.#at++];
      if (byte === close) return;
      if (byte !== 0x2c) this.#fail(`expected ',' or '${String.fromCharCode(close)}'`);
      this.#space();
    }
  }

  #name(): string {
    if (this.#bytes[this.#at] !== quote) this.#fail("expected a key in quotes");
    const start = this.#at;
    this.#string();
    const text = new TextDecoder().decode(this.#bytes.subarray(start, this.#at));
    this.#space();
    if (this.#bytes[this.#at] !== 0x3a) this.#fail("expected ':' after a key");
    this.#at++;
    this.#space();
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.#fail("expected a key in quotes");
    }
  }

  /** To the end of the object that begins here; what is in it does not matter but for its brackets. */
  #object(): Uint8Array {
    if (this.#bytes[this.#at] !== 0x7b) this.#fail("expected an object");
    const start = this.#at;
    let depth = 0;
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at]!;
      if (byte === quote) {
        this.#string();
        continue;
      }
      if (byte === lineFeed) this.#line++;
      this.#at++;
      if (byte === 0x7b || byte === 0x5b) depth++;
      if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return this.#bytes.subarray(start, this.#at);
    }
    return this.#fail("expected the end of an object");
  }

  /** Over a string, from its quote to behind the closing one. */
  #string(): void {
    this.#at++;
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at++]!;
      if (byte === quote) return;
      if (byte === backslash) this.#at++;
      else if (byte === lineFeed) this.#line++;
    }
    this.#fail("expected the closing quote of a text");
  }

  #space(): void {
    while (this.#at < this.#bytes.length && isSpace(this.#bytes[this.#at]!)) {
      if (this.#bytes[this.#at] === lineFeed) this.#line++;
      this.#at++;
    }
  }

  #fail(message: string): never {
    throw new ContentFault(this.#line, message);
  }
}
