// Finds the top-level members of a JSON object and hands on their bytes as they stand, so that nothing
// that passes through is ever read as a number and written again. Only for records that a decoder has
// accepted: it checks no syntax; of anything else it merely ends without reading past the end.

import { Buffer } from "node:buffer";
import { limits } from "../../limits.ts";
import { dottedOf, innerPaths, type RestMembers } from "../rest.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Members as `"name":value` in the original's own bytes, but for those named in `except`, also within others. */
export function jsonRestToJson(except: ReadonlySet<string>): RestMembers {
  const names = new MemberNames(except);
  const dotted = dottedOf(except);
  return (payload, append) => {
    let count = 0;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    forEachMember(payload, (order, key, keyEnd, value, end) => {
      if (!names.passes(order, payload, key, keyEnd)) return;
      count++;
      const inner = dotted.length === 0 ? dotted : innerPaths(nameOf(bytes, key, keyEnd), dotted);
      if (inner.length === 0) return append(payload, key, end);
      const left = jsonWithout(bytes.subarray(value, end), inner);
      const member = Buffer.concat([bytes.subarray(key, value), left]);
      append(member, 0, member.length);
    });
    return count;
  };
}

/** The name and the raw text of each member that is not named in `except`. */
export function forEachRestText(
  payload: Uint8Array,
  except: ReadonlySet<string>,
  visit: (name: string, value: string) => void,
): void {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const dotted = dottedOf(except);
  forEachMember(payload, (_order, key, keyEnd, value, end) => {
    const name = nameOf(bytes, key, keyEnd);
    if (except.has(name)) return;
    const left = jsonWithout(bytes.subarray(value, end), innerPaths(name, dotted));
    visit(name, Buffer.from(left).toString("utf8"));
  });
}

/** An object without the members at `paths`, the other bytes as they stand; what is no object has none. */
export function jsonWithout(value: Uint8Array, paths: readonly string[]): Uint8Array {
  if (paths.length === 0 || value[0] !== 0x7b) return value;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const pieces: Uint8Array[] = [openBrace];
  forEachMember(bytes, (_order, key, keyEnd, start, end) => {
    const name = nameOf(bytes, key, keyEnd);
    if (paths.includes(name)) return;
    if (pieces.length > 1) pieces.push(comma);
    pieces.push(bytes.subarray(key, start), jsonWithout(bytes.subarray(start, end), innerPaths(name, paths)));
  });
  return Buffer.concat([...pieces, closeBrace]);
}

const openBrace = Buffer.from("{");
const closeBrace = Buffer.from("}");
const comma = Buffer.from(",");

type MemberVisit = (order: number, key: number, keyEnd: number, value: number, end: number) => void;

/** Visits each member of the object in `bytes`: where its quoted name and its value begin and end. */
export function forEachMember(bytes: Uint8Array, visit: MemberVisit): void {
  let position = skipSpace(bytes, skipSpace(bytes, 0) + 1);
  for (let order = 0; bytes[position] === quote; order++) {
    const keyEnd = stringEnd(bytes, position);
    const value = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const end = valueEnd(bytes, value);
    if (end > bytes.length || end === value) return;
    visit(order, position, keyEnd, value, end);
    position = skipSpace(bytes, skipSpace(bytes, end) + 1);
  }
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let position = start;
  while (position < bytes.length && bytes[position]! <= 0x20) position++;
  return position;
}

/** The position behind the string that begins at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let position = start + 1;
  while (position < bytes.length && bytes[position] !== quote)
    position += bytes[position] === backslash ? 2 : 1;
  return position + 1;
}

function valueEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === quote) return stringEnd(bytes, start);
  if (first === 0x7b || first === 0x5b) return nestedEnd(bytes, start);
  let position = start;
  for (; position < bytes.length; position++) {
    const byte = bytes[position]!;
    if (byte <= 0x20 || byte === 0x2c || byte === 0x7d) break;
  }
  return position;
}

function nestedEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let position = start; position < bytes.length; ) {
    const byte = bytes[position]!;
    if (byte === quote) {
      position = stringEnd(bytes, position);
      continue;
    }
    position++;
    if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return position;
  }
  return bytes.length + 1;
}

function nameOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start + 1, end - 1);
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** Whether members pass, by name. Records of one source are alike, so the name last seen at a place is compared first. */
class MemberNames {
  readonly #except: ReadonlySet<string>;
  readonly #seen: { readonly key: Buffer; readonly passes: boolean }[] = [];

  constructor(except: ReadonlySet<string>) {
    this.#except = except;
  }

  passes(order: number, payload: Uint8Array, start: number, end: number): boolean {
    const seen = this.#seen[order];
    if (seen !== undefined && same(seen.key, payload, start, end)) return seen.passes;
    const key = Buffer.from(payload.subarray(start, end));
    const passes = !this.#except.has(nameOf(key, 0, key.length));
    // Neither very many members nor very long names may make this grow.
    if (order < limits.template_slots_max && key.length <= limits.key_bytes_max)
      this.#seen[order] = { key, passes };
    return passes;
  }
}

function same(key: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
