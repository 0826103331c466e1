// The exact reading of one JSON document over its bytes: is it well-formed, and where do the values that
// somebody reads stand? This is the truth that the kernel is held to. It converts nothing and copies nothing.
//
// It accepts what `JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload))` accepts, with an object
// at the top, but for two things: the bounds of limits.ts, and a `\u` escape of half a surrogate pair, which
// JSON.parse lets through. Such a text has no UTF-8, so that written back it would become U+FFFD and two
// different keys could become one. It tells where a name that somebody reads stands twice, which JSON.parse does not.

import { limits } from "../../limits.ts";
import { MetNames } from "./met-names.ts";
import type { NameEntry, NameTable, Paths } from "./paths.ts";
import { decodeText } from "./text.ts";
import { nextUtf8 } from "./utf8.ts";

/** What stands at a target. `text` is a string without escapes, `escaped` one with. */
export const kinds = {
  absent: 0,
  text: 1,
  escaped: 2,
  number: 3,
  true: 4,
  false: 5,
  null: 6,
  object: 7,
  array: 8,
} as const;

/** A value that may differ between records of one layout. */
export interface Slot {
  readonly start: number;
  readonly end: number;
  /** The target that it is, or -1. */
  readonly target: number;
  /** How deep that lies what it stands in; 1 is the document. */
  readonly depth: number;
  /** True when somebody reads inside an object that stands here, though now there is none. */
  readonly looked: boolean;
}

const isSpace = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0a, 0x0d]) isSpace[byte] = 1;

export class Scanner {
  /** By target, of the document scanned last: what stands there, and the bytes it takes (strings with their quotes). */
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of the document scanned last. */
  readonly met: MetNames;
  /** What is wrong with the document scanned last, when `scan` said false. */
  fault = "";
  /** While set, `scan` appends the variable values of the document here. */
  slots: Slot[] | null = null;

  readonly #root: NameTable;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #members = 0;
  #kind = 0;

  constructor(paths: Paths) {
    this.#root = paths.root;
    this.kinds = new Uint8Array(paths.targets);
    this.starts = new Int32Array(paths.targets);
    this.ends = new Int32Array(paths.targets);
    this.met = new MetNames(paths);
  }

  /** Reads `bytes[start … end)`; false when it is no acceptable document. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#members = 0;
    this.kinds.fill(kinds.absent);
    this.met.begin();
    const length = end - start;
    if (length > limits.payload_bytes_max) {
      this.#fail(start, `at most ${limits.payload_bytes_max} bytes, got ${length}`);
      return false;
    }
    let at = start;
    // A byte order mark is dropped by TextDecoder, and some devices send one.
    if (bytes[at] === 0xef && length > 2 && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3;
    at = this.#space(at);
    if (at >= end || bytes[at] !== 0x7b) {
      this.#fail(at, "an object");
      return false;
    }
    at = this.#object(at + 1, this.#root, 1);
    if (at < 0) return false;
    at = this.#space(at);
    if (at < end) this.#fail(at, "nothing after the object");
    return at === end;
  }

  /** Notes the first fault; always -1. */
  #fail(at: number, expected: string): -1 {
    this.fault = `byte ${at - this.#start}: expected ${expected}`;
    return -1;
  }

  #space(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let i = at;
    while (i < end && isSpace[bytes[i]!] === 1) i++;
    return i;
  }

  /** The members after `{`; returns where the object ends. Every method below answers -1 after a fault. */
  #object(from: number, table: NameTable | null, depth: number): number {
    const bytes = this.#bytes;
    let at = this.#space(from);
    if (at < this.#end && bytes[at] === 0x7d) return at + 1;
    for (;;) {
      if (at >= this.#end || bytes[at] !== 0x22) return this.#fail(at, "a member's name in quotes");
      if (++this.#members > limits.payload_fields_max)
        return this.#fail(at, `at most ${limits.payload_fields_max} members`);
      const nameEnd = this.#string(at + 1);
      if (nameEnd < 0) return -1;
      const entry = table === null ? undefined : this.#entry(table, at + 1, nameEnd);
      at = this.#space(nameEnd + 1);
      if (at >= this.#end || bytes[at] !== 0x3a) return this.#fail(at, "':'");
      at = this.#space(at + 1);
      at = entry === undefined ? this.#value(at, null, -1, depth) : this.#member(at, entry, depth);
      if (at < 0) return -1;
      at = this.#space(at);
      const byte = at < this.#end ? bytes[at] : -1;
      if (byte === 0x7d) return at + 1;
      if (byte !== 0x2c) return this.#fail(at, "',' or '}'");
      at = this.#space(at + 1);
    }
  }

  /** The value of a member that somebody reads, or reads something in. */
  #member(at: number, entry: NameEntry, depth: number): number {
    this.met.meet(entry);
    const end = this.#value(at, entry.child, entry.target, depth);
    if (end >= 0 && entry.target >= 0) {
      this.kinds[entry.target] = this.#kind;
      this.starts[entry.target] = at;
      this.ends[entry.target] = end;
    }
    return end;
  }

  #array(from: number, depth: number): number {
    const bytes = this.#bytes;
    let at = this.#space(from);
    if (at < this.#end && bytes[at] === 0x5d) return at + 1;
    for (;;) {
      at = this.#value(at, null, -1, depth);
      if (at < 0) return -1;
      at = this.#space(at);
      const byte = at < this.#end ? bytes[at] : -1;
      if (byte === 0x5d) return at + 1;
      if (byte !== 0x2c) return this.#fail(at, "',' or ']'");
      at = this.#space(at + 1);
    }
  }

  /** One value of any kind at `at`, inside a container at `depth`. Leaves what it is in `#kind`. */
  #value(at: number, table: NameTable | null, target: number, depth: number): number {
    const byte = at < this.#end ? this.#bytes[at]! : -1;
    if (byte === 0x7b || byte === 0x5b) return this.#container(at, byte, table, target, depth);
    const end = this.#scalar(at, byte);
    if (end >= 0 && this.slots !== null)
      this.slots.push({ start: at, end, target, depth, looked: table !== null });
    return end;
  }

  #container(at: number, byte: number, table: NameTable | null, target: number, depth: number): number {
    if (depth >= limits.payload_depth_max)
      return this.#fail(at, `at most ${limits.payload_depth_max} levels of nesting`);
    const slots = this.slots;
    const kind = byte === 0x7b ? kinds.object : kinds.array;
    // What is read as a whole, and arrays, whose length changes, are one slot; other objects are part of the layout.
    const whole = kind === kinds.array || target >= 0;
    if (whole) this.slots = null;
    const end =
      kind === kinds.object ? this.#object(at + 1, table, depth + 1) : this.#array(at + 1, depth + 1);
    this.slots = slots;
    this.#kind = kind;
    if (end >= 0 && whole) slots?.push({ start: at, end, target, depth, looked: table !== null });
    return end;
  }

  #scalar(at: number, byte: number): number {
    if (byte === 0x22) {
      const end = this.#string(at + 1);
      return end < 0 ? -1 : end + 1;
    }
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number(at);
    if (byte === 0x74) return this.#word(at, "true", kinds.true);
    if (byte === 0x66) return this.#word(at, "false", kinds.false);
    if (byte === 0x6e) return this.#word(at, "null", kinds.null);
    return this.#fail(at, "a value");
  }

  #word(at: number, word: string, kind: number): number {
    const end = at + word.length;
    if (end > this.#end) return this.#fail(at, word);
    for (let i = 0; i < word.length; i++)
      if (this.#bytes[at + i] !== word.charCodeAt(i)) return this.#fail(at, word);
    this.#kind = kind;
    return end;
  }

  #number(from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = bytes[from] === 0x2d ? from + 1 : from;
    if (at < end && bytes[at] === 0x30) at++;
    else if ((at = this.#digits(at)) < 0) return -1;
    if (at < end && bytes[at] === 0x2e && (at = this.#digits(at + 1)) < 0) return -1;
    if (at < end && (bytes[at]! | 0x20) === 0x65) {
      at++;
      if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
      if ((at = this.#digits(at)) < 0) return -1;
    }
    this.#kind = kinds.number;
    return at;
  }

  #digits(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (at < this.#end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
    return at > from ? at : this.#fail(at, "a digit");
  }

  /** From behind the opening quote; returns where the closing one stands. Leaves `text` or `escaped` in `#kind`. */
  #string(from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    this.#kind = kinds.text;
    let at = from;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === 0x22) {
        if (at - from <= limits.string_bytes_max) return at;
        return this.#fail(from, `a string of at most ${limits.string_bytes_max} bytes`);
      }
      if (byte === 0x5c) {
        this.#kind = kinds.escaped;
        at = this.#escape(at + 1);
        if (at < 0) return -1;
      } else if (byte < 0x20) return this.#fail(at, "no control character in a string");
      else if (byte < 0x80) at++;
      else {
        const next = nextUtf8(bytes, at, end);
        if (next < 0) return this.#fail(at, "well-formed UTF-8");
        at = next;
      }
    }
    return this.#fail(end, "the closing quote of a string");
  }

  /** From behind a backslash; returns where the escape ends. */
  #escape(at: number): number {
    const byte = at < this.#end ? this.#bytes[at]! : -1;
    if (byte !== 0x75) {
      const known = byte >= 0 && '"\\/bfnrt'.includes(String.fromCharCode(byte));
      return known ? at + 1 : this.#fail(at, "an escape");
    }
    const unit = this.#hex(at + 1);
    if (unit < 0) return -1;
    if (unit < 0xd800 || unit > 0xdfff) return at + 5;
    const paired =
      unit < 0xdc00 && at + 6 < this.#end && this.#bytes[at + 5] === 0x5c && this.#bytes[at + 6] === 0x75;
    const low = paired ? this.#hex(at + 7) : 0;
    if (low < 0) return -1;
    if (low < 0xdc00 || low > 0xdfff) return this.#fail(at - 1, "both halves of a surrogate pair");
    return at + 11;
  }

  #hex(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = i < this.#end ? this.#bytes[i]! : 0;
      const letter = byte | 0x20;
      if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
      else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
      else return this.#fail(i, "four hexadecimal digits");
    }
    return unit;
  }

  /** The entry of the name in `bytes[from … to)`, if anybody looks for it. */
  #entry(table: NameTable, from: number, to: number): NameEntry | undefined {
    if (this.#kind === kinds.escaped) return table.byText.get(decodeText(this.#bytes, from, to, true));
    const candidates = table.byLength[to - from];
    if (candidates === undefined) return undefined;
    next: for (const entry of candidates) {
      for (let i = 0; i < entry.bytes.length; i++)
        if (entry.bytes[i] !== this.#bytes[from + i]) continue next;
      return entry;
    }
    return undefined;
  }
}
