// State as plain data: what a snapshot is made of, and reading it back without believing it. Nothing here
// knows what any of it means, or how it is written down.

import { WeirError } from "../errors.ts";

export type Plain =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** What outlives its process. A snapshot holds only what is in use. */
export interface Lasting {
  /** Views of its own memory, for the most part: to be written down before anything else happens to it. */
  snapshot(): Plain;
  /** Takes in what `snapshot` gave. Asked once, and only of what is new; throws where the data cannot be, and is of no use then. */
  restore(data: Plain): void;
}

/** The same of what holds ids of keys, all of them below `keysEnd`. */
export interface LastingByKey {
  snapshot(): Plain;
  restore(data: Plain, keysEnd: number): void;
}

/** What is thrown for data that no snapshot holds. */
export function damaged(what: string): WeirError {
  return new WeirError("WEIR_STATE", `the snapshot is damaged: ${what}`, {
    remedy: "restore an older snapshot, or begin without one",
  });
}

/** Numbers as bytes, in the same memory; typed arrays of any other kind do not survive being written down. */
export function packed({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function packedNumbers(values: readonly number[]): Uint8Array {
  return packed(Float64Array.from(values));
}

export function packedWholes(values: readonly number[]): Uint8Array {
  return packed(Uint32Array.from(values));
}

/** A map's own member, whatever it is called. */
export function put(map: Record<string, Plain>, name: string, value: Plain): void {
  if (name === "__proto__")
    Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
  else map[name] = value;
}

/** In memory of its own. */
export function copied(value: Plain): Plain {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return (value as readonly Plain[]).map(copied);
  const map: Record<string, Plain> = {};
  for (const [name, each] of Object.entries(value)) put(map, name, copied(each));
  return map;
}

export function isMap(data: Plain | undefined): data is { readonly [name: string]: Plain } {
  return typeof data === "object" && data !== null && !Array.isArray(data) && !(data instanceof Uint8Array);
}

/** The member `name` of a map. */
export function member(data: Plain, name: string): Plain {
  const found = isMap(data) && Object.hasOwn(data, name) ? data[name] : undefined;
  if (found === undefined) throw damaged(`expected ${name}`);
  return found;
}

/** The members of a map, by name. */
export function membersOf(data: Plain): readonly (readonly [string, Plain])[] {
  if (!isMap(data)) throw damaged("expected a map");
  return Object.entries(data);
}

export function listOf(data: Plain, length?: number): readonly Plain[] {
  if (!Array.isArray(data) || (length !== undefined && data.length !== length))
    throw damaged(length === undefined ? "expected a list" : `expected a list of ${length}`);
  return data as readonly Plain[];
}

export function numberOf(data: Plain): number {
  if (typeof data !== "number") throw damaged("expected a number");
  return data;
}

/** A whole number from 0 to below `end`. */
export function wholeOf(data: Plain, end: number = Number.MAX_SAFE_INTEGER): number {
  const number = numberOf(data);
  if (!Number.isInteger(number) || number < 0 || number >= end)
    throw damaged(`expected a whole number below ${end}, found ${number}`);
  return number;
}

export function textOf(data: Plain): string {
  if (typeof data !== "string") throw damaged("expected a text");
  return data;
}

/** The bytes themselves, for whoever does not share `data`. */
export function sameBytesOf(data: Plain): Uint8Array {
  if (!(data instanceof Uint8Array)) throw damaged("expected bytes");
  return data;
}

/** Bytes in memory of their own: `data` may be somebody else's as well. */
export function bytesOf(data: Plain, length?: number): Uint8Array<ArrayBuffer> {
  if (!(data instanceof Uint8Array) || (length !== undefined && data.length !== length))
    throw damaged(length === undefined ? "expected bytes" : `expected ${length} bytes`);
  return new Uint8Array(data);
}

/** Numbers to be read, in the same memory where they can be: neither to be kept nor to be changed. */
export function numbersOf(data: Plain, length?: number): Float64Array {
  const { buffer, byteOffset, byteLength } = alignedOf(data, 8, length);
  return new Float64Array(buffer, byteOffset, byteLength / 8);
}

/** Whole numbers from 0 to below `end`, to be read as those of `numbersOf`. */
export function wholesOf(data: Plain, end: number, length?: number): Uint32Array {
  const { buffer, byteOffset, byteLength } = alignedOf(data, 4, length);
  const wholes = new Uint32Array(buffer, byteOffset, byteLength / 4);
  for (let i = 0; i < wholes.length; i++)
    if (wholes[i]! >= end) throw damaged(`expected numbers below ${end}, found ${wholes[i]}`);
  return wholes;
}

/** Bytes of numbers of so many bytes each, where numbers may stand. */
function alignedOf(data: Plain, width: number, length: number | undefined): Uint8Array {
  const bytes = sameBytesOf(data);
  if (bytes.length % width !== 0 || (length !== undefined && bytes.length !== length * width))
    throw damaged(`expected ${length ?? ""} numbers of ${width} bytes, found ${bytes.length} bytes`);
  return bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
}
