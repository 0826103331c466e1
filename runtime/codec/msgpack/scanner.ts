// Walks one MessagePack record, checks its whole structure, and notes where the wanted values begin.
// Everything else is only stepped over. Never reads a value and never reads past the record's end.

import { Buffer } from "node:buffer";
import { limits } from "../../limits.ts";
import type { FieldRead } from "../codec.ts";
import { MetNames } from "../json/met-names.ts";
import { compilePaths, type NameEntry, type NameTable, type Paths } from "../json/paths.ts";
import { headerLength, kindOf, type Source, sizeAt } from "./token.ts";

/** In place of where a value begins: nobody knows which of several counts. */
export const several = -2;

export class MsgpackScanner implements Source {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** What is wrong with the record that `scan` refused. */
  fault = "";
  readonly #paths: Paths;
  /** By target of the paths. */
  readonly #positions: Int32Array;
  readonly #met: MetNames;
  #start = 0;
  #end = 0;
  #members = 0;

  constructor(fields: readonly FieldRead[]) {
    this.#paths = compilePaths(fields);
    this.#positions = new Int32Array(this.#paths.targets);
    this.#met = new MetNames(this.#paths);
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
    this.#met.begin();
    if (end - start > limits.payload_bytes_max)
      return this.#refuse(`expected at most ${limits.payload_bytes_max} bytes, got ${end - start}`);
    if (start === end) return this.#refuse("expected a map, got nothing");
    const token = this.bytes[start]!;
    const kind = kindOf(token);
    if (kind !== "map") return this.#refuse(`expected a map, got ${kind ?? "0xc1"}`);
    const next = this.#map(this.#paths.root, start, 1);
    if (next < 0) return false;
    return next === end || this.#refuse(`expected one map, got ${end - next} more bytes after it`);
  }

  /** Where the value of `field` begins in the record scanned last; -1 when the record has none, `several` when a name stands twice. */
  at(field: number): number {
    const targets = this.#paths.targetsOf[field]!;
    for (let i = 0; i < targets.length; i++) {
      if (this.#met.isTwice[targets[i]!] === 1) return several;
      const position = this.#positions[targets[i]!]!;
      if (position >= 0) return position;
    }
    return -1;
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
    if (kind === "map" || kind === "array") return this.#skipMany(header, kind === "map", size, depth);
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

  #map(table: NameTable, start: number, depth: number): number {
    const header = start + headerLength(this.bytes[start]!);
    if (header > this.#end) return this.#cut(start);
    const count = sizeAt(this, start);
    if (!this.#enter(header, true, count, depth)) return -1;
    let position = header;
    for (let i = 0; i < count; i++) {
      const key = position;
      const value = this.skip(key, depth + 1);
      if (value < 0) return -1;
      const entry = kindOf(this.bytes[key]!) === "string" ? this.#find(table, key, value) : undefined;
      position = entry === undefined ? this.skip(value, depth + 1) : this.#note(entry, value, depth);
      if (position < 0) return -1;
    }
    return position;
  }

  #find(table: NameTable, key: number, end: number): NameEntry | undefined {
    const start = key + headerLength(this.bytes[key]!);
    const entries = table.byLength[end - start];
    if (entries === undefined) return undefined;
    for (let i = 0; i < entries.length; i++)
      if (equal(entries[i]!.bytes, this.bytes, start)) return entries[i]!;
    return undefined;
  }

  #note(entry: NameEntry, value: number, depth: number): number {
    this.#met.meet(entry);
    if (entry.target >= 0) this.#positions[entry.target] = value;
    if (entry.child === null) return this.skip(value, depth + 1);
    if (value >= this.#end || kindOf(this.bytes[value]!) !== "map") return this.skip(value, depth + 1);
    return this.#map(entry.child, value, depth + 1);
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

function equal(name: Uint8Array, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
