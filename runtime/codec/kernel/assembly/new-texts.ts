// Texts that a dictionary may not have yet: short ones of plain ASCII, which nearly all are, are put there by a
// loop of their own, and the rest row by row. A shortcut of `oddRow` that decides nothing.

import { differing, odds, placeEnd, placeRow } from "./block";
import { codeOfShort, headOf } from "./dictionary";
import { oddRow } from "./odd";
import {
  segmentExtra,
  segmentLength,
  segmentLong,
  segmentMask,
  segmentNew,
  segmentText,
  segmentValues,
  dictionaryCount,
} from "./shape";
import { shortText } from "./strings";

/**
 * Goes on in the rows whose places are listed, of a block of `size` rows. Not 0: one more than the length of a text that
 * there was no room for. Where half of the rows brought a new text, the next block's rows are all listed: to look for
 * them first would cost more than it saves.
 */
export function newTexts(segment: usize, count: u32, size: u32, bytes: usize): u32 {
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const before = load<u32>(dictionary, dictionaryCount);
  for (let i: u32 = 0; i < count; i++) {
    const place = usize(load<u32>(odds + (usize(i) << 2)));
    if (putShort(place, segment, dictionary)) continue;
    const needed = oddRow(place, segment, bytes);
    if (needed != 0) return needed;
  }
  store<u8>(segment, u8((load<u32>(dictionary, dictionaryCount) - before) * 2 > size), segmentNew);
  return 0;
}

// @ts-ignore: decorator
@inline
function putShort(place: usize, segment: usize, dictionary: usize): bool {
  const at = usize(load<u32>(place));
  const p = at + usize(load<u32>(segment, segmentLength));
  const length = shortText(p);
  const to = p + length + 2;
  const differs = differing(at, v128.load(segment, segmentText)) & load<u32>(segment, segmentMask);
  if (at == 0 || length >= 16 || differs != 0 || to > usize(load<u32>(place, placeEnd))) return false;
  const code = codeOfShort(dictionary, headOf(v128.load(p + 1), length), length);
  if (code < 0) return false;
  if (length >= 8) store<u8>(segment, 1, segmentLong);
  store<i32>(usize(load<u32>(segment, segmentValues)) + (usize(load<u32>(place, placeRow)) << 2), code);
  store<u32>(place, u32(to));
  return true;
}
