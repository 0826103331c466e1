// What passes through of an original record, where the record or the sink is MessagePack. A MessagePack
// record's own bytes go into a MessagePack sink untouched, extensions and all. Only for records that
// the decoder has accepted; of anything else nothing passes.

import { Buffer } from "node:buffer";
import { forEachRestText } from "../json/encoder-members.ts";
import type { AppendMembers, RestMembers } from "../rest.ts";
import { mapHeaderLength, packValue } from "./encoder.ts";
import { JsonTranscoder } from "./json-text.ts";
import { jsonValue } from "./json-value.ts";
import { MsgpackScanner } from "./scanner.ts";
import { headerLength, kindOf, type Source, sizeAt } from "./token.ts";

export function msgpackRestToMsgpack(except: ReadonlySet<string>): RestMembers {
  const scanner = new MsgpackScanner([]);
  return (payload, append) => {
    let count = 0;
    forEachEntry(scanner, payload, (key, _value, end) => {
      const name = nameAt(scanner, key);
      if (name !== null && except.has(name)) return;
      append(payload, key, end);
      count++;
    });
    return count;
  };
}

/** What JSON has no form for (NaN, extensions) is null here; bytes are base64. */
export function msgpackRestToJson(except: ReadonlySet<string>): RestMembers {
  const scanner = new MsgpackScanner([]);
  const transcoder = new JsonTranscoder(scanner);
  return (payload, append) => {
    let count = 0;
    let text = "";
    forEachEntry(scanner, payload, (key, value) => {
      const name = nameAt(scanner, key) ?? transcoder.text(scanner, key);
      if (except.has(name)) return;
      text += `${count === 0 ? "" : ","}${JSON.stringify(name)}:${transcoder.text(scanner, value)}`;
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

function forEachEntry(
  scanner: MsgpackScanner,
  payload: Uint8Array,
  visit: (key: number, value: number, end: number) => void,
): void {
  scanner.load(payload);
  if (!scanner.scan(0, payload.length)) return;
  const count = sizeAt(scanner, 0);
  let position = headerLength(scanner.bytes[0]!);
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
