// What passes through of an original record, where the record or the sink is MessagePack. A MessagePack
// record's own bytes go into a MessagePack sink untouched, extensions and all. Only for records that
// the decoder has accepted; of anything else nothing passes.

import { Buffer } from "node:buffer";
import { forEachRestText, jsonWithout } from "../json/encoder-members.ts";
import { type AppendMembers, dottedOf, innerPaths, type RestMembers } from "../rest.ts";
import { mapHeader, mapHeaderLength, packValue } from "./encoder.ts";
import { JsonTranscoder } from "./json-text.ts";
import { jsonValue } from "./json-value.ts";
import { MsgpackScanner } from "./scanner.ts";
import { headerLength, kindOf, type Source, sizeAt } from "./token.ts";

export function msgpackRestToMsgpack(except: ReadonlySet<string>): RestMembers {
  const scanner = new MsgpackScanner([]);
  const dotted = dottedOf(except);
  return (payload, append) => {
    let count = 0;
    forEachMember(scanner, payload, (key, value, end) => {
      const name = nameAt(scanner, key);
      if (name !== null && except.has(name)) return;
      count++;
      const inner = name === null ? [] : innerPaths(name, dotted);
      if (inner.length === 0) return append(payload, key, end);
      const entry = Buffer.concat([payload.subarray(key, value), valueWithout(scanner, value, end, inner)]);
      append(entry, 0, entry.length);
    });
    return count;
  };
}

/** The bytes of a value without the entries at `paths`; what is no map has none. */
function valueWithout(
  scanner: MsgpackScanner,
  position: number,
  end: number,
  paths: readonly string[],
): Uint8Array {
  const { bytes } = scanner;
  if (paths.length === 0 || kindOf(bytes[position]!) !== "map") return bytes.subarray(position, end);
  const kept: Uint8Array[] = [];
  forEachEntry(scanner, position, (key, value, next) => {
    const name = nameAt(scanner, key);
    if (name !== null && paths.includes(name)) return;
    const inner = name === null ? [] : innerPaths(name, paths);
    kept.push(Buffer.concat([bytes.subarray(key, value), valueWithout(scanner, value, next, inner)]));
  });
  return Buffer.concat([Uint8Array.from(mapHeader(kept.length)), ...kept]);
}

/** What JSON has no form for (NaN, extensions, texts that are no UTF-8) is null here; bytes are base64. */
export function msgpackRestToJson(except: ReadonlySet<string>): RestMembers {
  const scanner = new MsgpackScanner([]);
  const transcoder = new JsonTranscoder(scanner);
  const dotted = dottedOf(except);
  return (payload, append) => {
    let count = 0;
    let text = "";
    forEachMember(scanner, payload, (key, value) => {
      const name = nameAt(scanner, key) ?? transcoder.text(scanner, key);
      if (except.has(name)) return;
      const inner = innerPaths(name, dotted);
      const whole = transcoder.text(scanner, value);
      const left =
        inner.length === 0 ? whole : Buffer.from(jsonWithout(Buffer.from(whole), inner)).toString();
      text += `${count === 0 ? "" : ","}${JSON.stringify(name)}:${left}`;
      count++;
    });
    const bytes = Buffer.from(text);
    if (count > 0) append(bytes, 0, bytes.length);
    return count;
  };
}

export function jsonRestToMsgpack(except: ReadonlySet<string>): RestMembers {
  return (payload, append) => {
    // A map with a name twice is read in as many ways as there are readers: the last counts, as in JSON.
    const members = new Map<string, unknown>();
    forEachRestText(payload, except, (name, value) => members.set(name, jsonValue(value)));
    return appendPacked(members, append);
  };
}

/** Appends the entries of `members`, without the header of a map, and returns how many. */
export function appendPacked(members: ReadonlyMap<string, unknown>, append: AppendMembers): number {
  const packed = packValue(members);
  append(packed, mapHeaderLength(members.size), packed.length);
  return members.size;
}

type EntryVisit = (key: number, value: number, end: number) => void;

/** Visits the entries of the map that a record is. */
function forEachMember(scanner: MsgpackScanner, payload: Uint8Array, visit: EntryVisit): void {
  scanner.load(payload);
  if (scanner.scan(0, payload.length)) forEachEntry(scanner, 0, visit);
}

/** Visits the entries of the map at `start`. */
function forEachEntry(scanner: MsgpackScanner, start: number, visit: EntryVisit): void {
  const count = sizeAt(scanner, start);
  let position = start + headerLength(scanner.bytes[start]!);
  for (let i = 0; i < count; i++) {
    const value = scanner.skip(position, 1);
    const end = scanner.skip(value, 1);
    visit(position, value, end);
    position = end;
  }
}

function nameAt(source: Source, position: number): string | null {
  const token = source.bytes[position]!;
  if (kindOf(token) !== "string") return null;
  const start = position + headerLength(token);
  return source.bytes.toString("utf8", start, start + sizeAt(source, position));
}
