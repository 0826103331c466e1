// Walks one MessagePack record, checks its whole structure, and notes where the wanted values begin.
// Everything else is only stepped over. Never reads a value and never reads past the record's end.

import { Buffer } from "node:buffer";
import { limits } from "../../limits.ts";
import { headerLength, kindOf, type Source, sizeAt } from "./token.ts";

/** The names wanted in one map, and below them those wanted in maps within it. */
interface Level {
  readonly names: Buffer[];
  /** By name: the slots that its value fills. */
  readonly slots: number[][];
  /** By name: the map below it, where a path leads on. */
  readonly below: (Level | null)[];
  /** By name: every slot filled from within it. */
  readonly within: number[][];
  /** Where the next key is looked for first: writers keep their order. */
  next: number;
}

export class MsgpackScanner implements Source {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** What is wrong with the record that `scan` refused. */
  fault = "";
  readonly #fields: number;
  readonly #root: Level = { names: [], slots: [], below: [], within: [], next: 0 };
  /** A field's place under its own full name, then its place under its path. */
  readonly #positions: Int32Array;
  #start = 0;
  #end = 0;
  #members = 0;

  constructor(names: readonly string[]) {
    this.#fields = names.length;
    this.#positions = new Int32Array(names.length * 2);
    for (const [field, name] of names.entries()) {
      this.#root.slots[place(this.#root, name)]!.push(field);
      if (name.includes(".")) addPath(this.#root, name.split("."), names.length + field);
    }
  }

  /** The bytes that records are scanned in. */
  load(bytes: Uint8Array): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** True when `start … end` is one map and nothing else; then `at` tells where each field's value begins. */
  scan(start: number, end: number): boolean {
    this.#start = start;
    this.#end = end;
    this.#members = 0;
    this.#positions.fill(-1);
    if (end - start > limits.payload_bytes_max)
      return this.#refuse(`expected at most ${limits.payload_bytes_max} bytes, got ${end - start}`);
    if (start === end) return this.#refuse("expected a map, got nothing");
    const token = this.bytes[start]!;
    const kind = kindOf(token);
    if (kind !== "map") return this.#refuse(`expected a map, got ${kind ?? "0xc1"}`);
    const next = this.#map(this.#root, start, 1);
    if (next < 0) return false;
    return next === end || this.#refuse(`expected one map, got ${end - next} more bytes after it`);
  }

  /** Where the value of `field` begins in the record scanned last; -1 when the record has none. */
  at(field: number): number {
    const own = this.#positions[field]!;
    return own >= 0 ? own : this.#positions[this.#fields + field]!;
  }

  /** The position behind the value at `position`; -1 when it is broken or too deep. */
  skip(position: number, depth: number): number {
    if (position >= this.#end) return this.#cut(position);
    const token = this.bytes[position]!;
    if (token < 0x80 || token >= 0xe0) return position + 1;
    const header = position + headerLength(token);
    if (header > this.#end) return this.#cut(position);
    const size = sizeAt(this, position);
    const kind = kindOf(token);
    if (kind === "map" || kind === "array")
      return this.#skipMany(header, kind === "map", size, depth);
    if (kind === undefined) return this.#broken("0xc1, which begins no value,", position);
    return header + size > this.#end ? this.#cut(position) : header + size;
  }

  #skipMany(start: number, map: boolean, size: number, depth: number): number {
    if (!this.#enter(start, map, size, depth)) return -1;
    const count = map ? size * 2 : size;
    let position = start;
    for (let i = 0; i < count && position >= 0; i++) position = this.skip(position, depth + 1);
    return position;
  }

  #map(level: Level, start: number, depth: number): number {
    const header = start + headerLength(this.bytes[start]!);
    if (header > this.#end) return this.#cut(start);
    const count = sizeAt(this, start);
    if (!this.#enter(header, true, count, depth)) return -1;
    let position = header;
    for (let i = 0; i < count; i++) {
      const key = position;
      const value = this.skip(key, depth + 1);
      if (value < 0) return -1;
      const name = kindOf(this.bytes[key]!) === "string" ? this.#find(level, key, value) : -1;
      position = name < 0 ? this.skip(value, depth + 1) : this.#note(level, name, value, depth);
      if (position < 0) return -1;
    }
    return position;
  }

  #find(level: Level, key: number, end: number): number {
    const start = key + headerLength(this.bytes[key]!);
    const { names } = level;
    for (let i = 0, name = level.next; i < names.length; i++, name++) {
      if (name >= names.length) name = 0;
      if (!equal(names[name]!, this.bytes, start, end)) continue;
      level.next = name + 1 < names.length ? name + 1 : 0;
      return name;
    }
    return -1;
  }

  #note(level: Level, name: number, value: number, depth: number): number {
    const positions = this.#positions;
    for (const slot of level.slots[name]!) positions[slot] = value;
    const below = level.below[name]!;
    if (below === null) return this.skip(value, depth + 1);
    // Of a name that stands twice the last counts, with all that is in it.
    for (const slot of level.within[name]!) positions[slot] = -1;
    if (value >= this.#end || kindOf(this.bytes[value]!) !== "map") return this.skip(value, depth + 1);
    return this.#map(below, value, depth + 1);
  }

  #enter(position: number, map: boolean, size: number, depth: number): boolean {
    if (map) this.#members += size;
    if (depth > limits.payload_depth_max)
      return this.#refuse(`expected at most ${limits.payload_depth_max} levels, got more`);
    if (this.#members > limits.payload_fields_max)
      return this.#refuse(`expected at most ${limits.payload_fields_max} fields, got more`);
    // Each value takes a byte at least, so a count larger than what is left is known for a lie at once.
    return (map ? size * 2 : size) <= this.#end - position || this.#cut(position) >= 0;
  }

  #cut(position: number): number {
    return this.#broken("the end of the payload within the value", position);
  }

  #broken(what: string, position: number): number {
    this.fault = `expected MessagePack, got ${what} at byte ${position - this.#start}`;
    return -1;
  }

  #refuse(fault: string): boolean {
    this.fault = fault;
    return false;
  }
}

function place(level: Level, name: string): number {
  const bytes = Buffer.from(name);
  const found = level.names.findIndex((each) => each.equals(bytes));
  if (found >= 0) return found;
  level.names.push(bytes);
  level.slots.push([]);
  level.below.push(null);
  level.within.push([]);
  return level.names.length - 1;
}

function addPath(root: Level, segments: readonly string[], slot: number): void {
  let level = root;
  for (const [depth, segment] of segments.entries()) {
    const name = place(level, segment);
    if (depth === segments.length - 1) {
      level.slots[name]!.push(slot);
      return;
    }
    level.within[name]!.push(slot);
    level = level.below[name] ??= { names: [], slots: [], below: [], within: [], next: 0 };
  }
}

function equal(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
