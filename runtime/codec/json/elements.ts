// Where the elements of a JSON array begin and end. Finds that and nothing else: whoever reads them sees whether they are well-formed.

import type { RecordList } from "../../batch/payloads.ts";

const [quote, backslash, comma] = [34, 92, 44];
const [bracket, bracketEnd, brace, braceEnd] = [91, 93, 123, 125];
const [space, tab, lineFeed, carriageReturn] = [32, 9, 10, 13];

const isSpace = (byte: number | undefined): boolean =>
  byte === space || byte === lineFeed || byte === carriageReturn || byte === tab;

function skipSpace(message: Uint8Array, at: number): number {
  while (isSpace(message[at])) at++;
  return at;
}

/** Adds the elements of one JSON array, without the white space around them; false where the message is not one. */
export function cutArray(message: Uint8Array, records: RecordList): boolean {
  let start = skipSpace(message, 0);
  if (message[start] !== bracket) return false;
  start = skipSpace(message, start + 1);
  if (message[start] === bracketEnd) return skipSpace(message, start + 1) === message.length;
  for (;;) {
    const behind = elementEnd(message, start);
    if (behind >= message.length) return false;
    let end = behind;
    while (end > start && isSpace(message[end - 1])) end--;
    records.add(start, end);
    if (message[behind] === bracketEnd) return skipSpace(message, behind + 1) === message.length;
    start = skipSpace(message, behind + 1);
  }
}

/** Where the comma or bracket stands that ends the element which begins at `at`. */
function elementEnd(message: Uint8Array, at: number): number {
  let depth = 0;
  let inText = false;
  for (; at < message.length; at++) {
    const byte = message[at];
    if (inText) {
      if (byte === backslash) at++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === bracket || byte === brace) depth++;
    else if (depth === 0 && (byte === comma || byte === bracketEnd)) return at;
    else if (byte === bracketEnd || byte === braceEnd) depth--;
  }
  return message.length;
}
