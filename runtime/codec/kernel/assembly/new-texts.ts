// Texts that a dictionary may not have yet: short ones of plain ASCII, which nearly all are, are put there by a
// loop of their own, and the rest row by row. A shortcut of `oddRow` that decides nothing.

import { differing, odds, placeEnd, placeRow } from "./block";
import { codeOfShort, hashOfHead, headOf } from "./dictionary";
import { oddRow } from "./odd";
import {
  dictionaryCount,
  dictionaryPlaceBytes,
  dictionaryPlaces,
  dictionaryShift,
  placeCode,
  segmentExtra,
  segmentLength,
  segmentLong,
  segmentMask,
  segmentNew,
  segmentText,
  segmentValues,
} from "./shape";
import { shortText } from "./strings";

/** By place listed in `odds`: how long its text is, 16 or more when it is not for here; its hash; what stood where it belongs. */
const lengths: usize = memory.data(256 * 12, 16);
const hash: usize = 256 * 4;
const touched: usize = 256 * 8;

/**
 * Goes on in the rows whose places are listed, of a block of `size` rows. Not 0: one more than the length of a text that
 * there was no room for. Where half of the rows brought a new text, the next block's rows are all listed: to look for
 * them first would cost more than it saves.
 */
export function newTexts(segment: usize, count: u32, size: u32, bytes: usize): u32 {
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const before = load<u32>(dictionary, dictionaryCount);
  touch(segment, dictionary, count);
  for (let i: u32 = 0; i < count; i++) {
    const place = usize(load<u32>(odds + (usize(i) << 2)));
    if (putShort(place, segment, dictionary, lengths + (usize(i) << 2))) continue;
    const needed = oddRow(place, segment, bytes);
    if (needed != 0) return needed;
  }
  store<u8>(segment, u8((load<u32>(dictionary, dictionaryCount) - before) * 2 > size), segmentNew);
  return 0;
}

/** Reads where the texts belong without a branch, so that the processor waits for the memory of many at once. */
function touch(segment: usize, dictionary: usize, count: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const literal = usize(load<u32>(segment, segmentLength));
  const places = usize(load<u32>(dictionary, dictionaryPlaces));
  const shift = load<u32>(dictionary, dictionaryShift);
  for (let i: u32 = 0; i < count; i++) {
    const place = usize(load<u32>(odds + (usize(i) << 2)));
    const at = usize(load<u32>(place));
    const p = at + literal;
    const length = shortText(p);
    const odd = (differing(at, text) & mask) | u32(at == 0) | u32(p + length + 2 > usize(load<u32>(place, placeEnd)));
    const hashed = hashOfHead(headOf(v128.load(p + 1), length & 15));
    const out = lengths + (usize(i) << 2);
    store<u32>(out, select<u32>(u32(length), 16, odd == 0));
    store<u32>(out, hashed, hash);
    store<u32>(out, load<u32>(places + usize(hashed >>> shift) * dictionaryPlaceBytes, placeCode), touched);
  }
}

// @ts-ignore: decorator
@inline
function putShort(place: usize, segment: usize, dictionary: usize, found: usize): bool {
  const length = usize(load<u32>(found));
  if (length >= 16) return false;
  const from = usize(load<u32>(place)) + usize(load<u32>(segment, segmentLength)) + 1;
  const code = codeOfShort(dictionary, headOf(v128.load(from), length), length, load<u32>(found, hash));
  if (code < 0) return false;
  if (length >= 8) store<u8>(segment, 1, segmentLong);
  store<i32>(usize(load<u32>(segment, segmentValues)) + (usize(load<u32>(place, placeRow)) << 2), code);
  store<u32>(place, u32(from + length + 1));
  return true;
}
