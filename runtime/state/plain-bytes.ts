// Plain data as bytes, and back without believing them. A value is a tag, and what the tag says follows; whole numbers
// are groups of seven bits, the lowest first. Knows nothing of what any of it means.
//
//   tag   what follows
//   0–2   nothing: null, false, true
//   3     a number, IEEE 754, little-endian
//   4     a whole number
//   5, 6  a text: its length in bytes, then UTF-8; UTF-16 where half of a surrogate pair has no UTF-8
//   7     digits of a bigint, as a text of tag 5
//   8     bytes: how many, then they
//   9     a list: how many values, then they
//   10    a map: how many members, then for each a text with its tag, and a value
//   14    many bytes: how many, then 1 to 8 that say nothing, the first of them how many those are, so that what follows begins
//         at a multiple of 8: they can be read as numbers where they lie

import { limits } from "../limits.ts";
import { damaged, type Plain, put } from "./plain.ts";

const tags = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  whole: 4,
  text: 5,
  oddText: 6,
  bigint: 7,
  bytes: 8,
  list: 9,
  map: 10,
  // In between are those of changes.
  manyBytes: 14,
} as const;

/** From this tag on, up to that of many bytes, none is of a value. */
export const tagsEnd = 11;

export function isTagOfValue(tag: number): boolean {
  return tag < tagsEnd || tag === tags.manyBytes;
}

/** So many bytes are worth a place of their own. */
const manyBytesMin = 256;
const wordBytes = 8;

const bytesFirst = 4_096;
/** Pieces up to so long are copied in a loop, which costs less than a call; so are texts, which are shorter. */
const loopBytesMax = 128;
const loopTextMax = 32;
const digits = /^-?\d{1,40}$/;

export class PlainWriter {
  #bytes = Buffer.allocUnsafeSlow(bytesFirst);
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;

  /** How much was written. */
  get at(): number {
    return this.#at;
  }

  /** Forgets what was written from `at` on. */
  back(at: number): void {
    this.#at = at;
  }

  byte(byte: number): void {
    this.reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  whole(whole: number): void {
    this.reserve(8);
    for (; whole >= 128; whole = Math.floor(whole / 128)) this.#bytes[this.#at++] = (whole % 128) + 128;
    this.#bytes[this.#at++] = whole;
  }

  text(text: string): void {
    if (text.length > loopTextMax || !this.#plainText(text)) this.#anyText(text);
  }

  /** Writes a short text of one byte a character; where false, nothing. */
  #plainText(text: string): boolean {
    this.reserve(2 + loopTextMax);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = tags.text;
    bytes[at++] = text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #anyText(text: string): void {
    const isOdd = !text.isWellFormed();
    const length = Buffer.byteLength(text, isOdd ? "utf16le" : "utf8");
    this.byte(isOdd ? tags.oddText : tags.text);
    this.whole(length);
    this.reserve(length);
    this.#at += this.#bytes.write(text, this.#at, isOdd ? "utf16le" : "utf8");
  }

  /** The bytes `from … to - 1`, and nothing about how many they are. */
  raw(bytes: Uint8Array, from: number, to: number): void {
    this.reserve(to - from);
    if (to - from > loopBytesMax) {
      this.#bytes.set(bytes.subarray(from, to), this.#at);
      this.#at += to - from;
    } else for (let i = from; i < to; i++) this.#bytes[this.#at++] = bytes[i]!;
  }

  value(value: Plain, depth: number = 0): void {
    if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.text(value);
    else if (typeof value === "boolean") this.byte(value ? tags.true : tags.false);
    else if (typeof value === "bigint") {
      this.byte(tags.bigint);
      this.text(String(value));
    } else if (value === null) this.byte(tags.null);
    else if (value instanceof Uint8Array) {
      const isMany = value.length >= manyBytesMin;
      this.byte(isMany ? tags.manyBytes : tags.bytes);
      this.whole(value.length);
      if (isMany) this.#align();
      this.raw(value, 0, value.length);
    } else this.#container(value, depth);
  }

  /**
   * What was written, in memory of its own, which may go to another thread; it is as good as new afterwards. Where it fills
   * most of the memory that it was written to, that is given away, and as much, which nothing has touched, is ready for the next.
   */
  take(): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#bytes;
    const length = this.#at;
    const fills = length * 2 > buffer.byteLength;
    const taken = fills ? new Uint8Array(buffer, 0, length) : new Uint8Array(buffer.slice(0, length));
    this.#at = 0;
    if (fills) this.#resize(Math.max(bytesFirst, length + (length >>> 2)));
    return taken;
  }

  /** Makes room for so many bytes more. */
  reserve(length: number): void {
    const needed = this.#at + length;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, this.#bytes.length * 2));
  }

  #container(value: readonly Plain[] | { readonly [name: string]: Plain }, depth: number): void {
    if (depth >= limits.state_depth_max) throw new RangeError("state is nested too deeply");
    if (Array.isArray(value)) {
      const list = value as readonly Plain[];
      this.byte(tags.list);
      this.whole(list.length);
      for (const each of list) this.value(each, depth + 1);
      return;
    }
    const members = Object.entries(value as { readonly [name: string]: Plain });
    this.byte(tags.map);
    this.whole(members.length);
    for (const [name, each] of members) {
      this.text(name);
      this.value(each, depth + 1);
    }
  }

  #align(): void {
    const skipped = wordBytes - (this.#at % wordBytes);
    this.byte(skipped);
    for (let i = 1; i < skipped; i++) this.byte(0);
  }

  #number(number: number): void {
    if (Number.isSafeInteger(number) && number >= 0 && !Object.is(number, -0)) {
      this.byte(tags.whole);
      this.whole(number);
      return;
    }
    this.reserve(9);
    this.#bytes[this.#at] = tags.number;
    this.#view.setFloat64(this.#at + 1, number, true);
    this.#at += 9;
  }

  #resize(length: number): void {
    const bytes = Buffer.allocUnsafeSlow(length);
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Of its bytes and texts, about how long it is when it is written down. */
export function lengthOf(value: Plain): number {
  if (typeof value === "string") return value.length + 8;
  if (typeof value !== "object" || value === null) return 9;
  if (value instanceof Uint8Array) return value.length + 8 + wordBytes;
  let length = 8;
  if (Array.isArray(value)) for (const each of value as readonly Plain[]) length += lengthOf(each);
  else for (const [name, each] of Object.entries(value)) length += name.length + 8 + lengthOf(each);
  return length;
}

/** Reads what a `PlainWriter` wrote; whatever the bytes are, it takes no more memory than some times their length. */
export class PlainReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #shares: boolean;
  readonly #view: DataView;
  #at: number;

  /** `shares`: bytes that are read are views of `bytes`. */
  constructor(bytes: Uint8Array, at: number = 0, shares: boolean = false) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#shares = shares;
    this.#at = at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (this.#at >= this.#end) throw damaged("it ends too soon");
    return this.#bytes[this.#at++]!;
  }

  whole(): number {
    const first = this.byte();
    if (first < 128) return first;
    const second = this.byte();
    if (second < 128) return (first & 127) | (second << 7);
    let whole = (first & 127) | ((second & 127) << 7);
    for (let factor = 128 * 128; ; factor *= 128) {
      const byte = this.byte();
      whole += (byte & 127) * factor;
      if (whole > Number.MAX_SAFE_INTEGER) throw damaged("a number is too large");
      if (byte < 128) return whole;
    }
  }

  /** A number of things that are still to come, of at least a byte each. */
  count(): number {
    const count = this.whole();
    if (count > this.left) throw damaged("it ends too soon");
    return count;
  }

  /** A view of as many bytes. */
  raw(length: number): Uint8Array {
    if (length > this.left) throw damaged("it ends too soon");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Copies as many words of 32 bits to `target`, from `to` on: for few of them in a fraction of the time of a call. */
  words(target: Int32Array, to: number, count: number): void {
    const at = this.#at;
    const end = at + count * 4;
    if (end > this.#end) throw damaged("it ends too soon");
    const view = this.#view;
    for (let from = at; from < end; from += 4) target[to++] = view.getInt32(from, true);
    this.#at = end;
  }

  number(): number {
    this.raw(8);
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(tag: number = this.byte()): string {
    if (tag !== tags.text && tag !== tags.oddText) throw damaged("expected a text");
    const length = this.count();
    this.#at += length;
    return this.#bytes.toString(tag === tags.text ? "utf8" : "utf16le", this.#at - length, this.#at);
  }

  value(tag: number = this.byte(), depth: number = 0): Plain {
    switch (tag) {
      case tags.null:
        return null;
      case tags.false:
        return false;
      case tags.true:
        return true;
      case tags.number:
        return this.number();
      case tags.whole:
        return this.whole();
      case tags.text:
      case tags.oddText:
        return this.text(tag);
      case tags.bigint:
        return this.#bigint();
      case tags.bytes:
        return this.#valueBytes(this.count());
      case tags.manyBytes:
        return this.#manyBytes();
      default:
        return this.#container(tag, depth);
    }
  }

  #manyBytes(): Uint8Array {
    const length = this.count();
    const skipped = this.byte();
    if (skipped < 1 || skipped > wordBytes) throw damaged("expected how many bytes say nothing");
    this.raw(skipped - 1);
    return this.#valueBytes(length);
  }

  #valueBytes(count: number): Uint8Array {
    const { buffer, byteOffset, length } = this.raw(count);
    const view = new Uint8Array(buffer, byteOffset, length);
    return this.#shares ? view : new Uint8Array(view);
  }

  #container(tag: number, depth: number): Plain {
    if (tag !== tags.list && tag !== tags.map) throw damaged(`there is no value of tag ${tag}`);
    if (depth >= limits.state_depth_max) throw damaged("it is nested too deeply");
    const count = this.count();
    if (tag === tags.list) {
      const list: Plain[] = [];
      for (let i = 0; i < count; i++) list.push(this.value(this.byte(), depth + 1));
      return list;
    }
    const map: Record<string, Plain> = {};
    for (let i = 0; i < count; i++) {
      const name = this.text();
      if (Object.hasOwn(map, name)) throw damaged("expected each name once");
      put(map, name, this.value(this.byte(), depth + 1));
    }
    return map;
  }

  #bigint(): bigint {
    const text = this.text();
    if (!digits.test(text)) throw damaged("expected a whole number");
    return BigInt(text);
  }
}
