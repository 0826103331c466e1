// One segment of one row, whatever stands there. Thorough where the loops of columns.ts are quick: nulls, long
// numbers, UTF-8, escapes, new texts, nesting.

import { differing, placeEnd, placeRow } from "./block";
import { codeOf } from "./dictionary";
import { isoAt } from "./iso";
import { float64At, int64At, timeAt } from "./numbers";
import {
  segmentExtra,
  segmentKind,
  segmentLength,
  segmentLong,
  segmentMask,
  segmentNulls,
  segmentShift,
  segmentSigned,
  segmentText,
  segmentValid,
  segmentValues,
  slotBool,
  slotFloat64,
  slotInt64,
  slotIso,
  slotJson,
  slotScalar,
  slotSkip,
  slotString,
  slotTime,
} from "./shape";
import { isEscaped, quoteAfter, unescape, unescaped, unescapedMax } from "./strings";
import { boolAt, isNull, scalarEnd, valueEnd } from "./values";

/** Moves the row's cursor on, or to 0. Not 0: one more than the length of a text that its dictionary had no room for. */
export function oddRow(place: usize, segment: usize, bytes: usize): u32 {
  const at = usize(load<u32>(place));
  let to: usize = 0;
  if (at != 0 && (differing(at, v128.load(segment, segmentText)) & load<u32>(segment, segmentMask)) == 0) {
    const p = at + usize(load<u32>(segment, segmentLength));
    const kind = load<i32>(segment, segmentKind);
    if (load<u8>(p) == 0x2d) store<u32>(segment, 1, segmentSigned);
    if (kind >= slotSkip) to = skippedEnd(p, place, segment, kind);
    else if (isNull(p)) to = nullEnd(p, place, segment);
    else if (kind == slotString) {
      to = quoteAfter(p, usize(load<u32>(place, placeEnd)));
      if (to > p + 8) store<u8>(segment, 1, segmentLong);
      if (to != 0 && isEscaped()) {
        if (to - p > unescapedMax) to = 0;
        else if (!putCode(unescaped, unescape(p + 1, to), place, segment)) return u32(to - p);
      } else if (to != 0 && !putCode(p + 1, to - p - 1, place, segment)) return u32(to - p);
      if (to != 0) to++;
    } else to = valueAt(p, place, segment, kind, bytes);
  }
  store<u32>(place, u32(to));
  return 0;
}

function skippedEnd(p: usize, place: usize, segment: usize, kind: i32): usize {
  const end = usize(load<u32>(place, placeEnd));
  return kind == slotScalar ? scalarEnd(p, end) : valueEnd(p, end, load<i32>(segment, segmentShift));
}

function nullEnd(p: usize, place: usize, segment: usize): usize {
  store<u8>(usize(load<u32>(segment, segmentValid)) + usize(load<u32>(place, placeRow)), 0);
  store<u32>(usize(load<u32>(segment, segmentNulls)), 1);
  return p + 4;
}

export function putCode(text: usize, length: usize, place: usize, segment: usize): bool {
  const row = usize(load<u32>(place, placeRow));
  const code = codeOf(usize(load<u32>(segment, segmentExtra)), text, length);
  if (code < 0) return false;
  store<i32>(usize(load<u32>(segment, segmentValues)) + (row << 2), code);
  store<u8>(usize(load<u32>(segment, segmentValid)) + row, 1);
  return true;
}

/** Reads any value but a string or null into its column; where it ends, or 0. */
function valueAt(p: usize, place: usize, segment: usize, kind: i32, bytes: usize): usize {
  const row = usize(load<u32>(place, placeRow));
  const end = usize(load<u32>(place, placeEnd));
  const values = usize(load<u32>(segment, segmentValues));
  const shift = load<i32>(segment, segmentShift);
  store<u8>(usize(load<u32>(segment, segmentValid)) + row, 1);
  switch (kind) {
    case slotFloat64:
      return float64At(p, values + (row << 3), 0);
    case slotInt64:
      return int64At(p, values + (row << 3));
    case slotBool:
      return boolAt(p, values + row);
    case slotTime:
      return timeAt(p, values + (row << 3), shift);
    case slotIso: {
      const quote = quoteAfter(p, end);
      return quote != 0 && isoAt(p + 1, quote, values + (row << 3)) ? quote + 1 : 0;
    }
    case slotJson: {
      // Not yet a code: where the text begins, complemented, and where it ends. Whoever called makes codes of them.
      const to = valueEnd(p, end, shift);
      store<i32>(values + (row << 2), ~i32(p - bytes));
      store<u32>(usize(load<u32>(segment, segmentExtra)) + (row << 2), u32(to - bytes));
      return to;
    }
    default:
      return 0;
  }
}
