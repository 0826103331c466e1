// One segment of one MessagePack row, whatever stands there. Thorough where the loops of msgpack-columns.ts are
// quick: nil, numbers written in another way than the row's neighbours, long and new texts, nesting.

import { differing, placeEnd, placeRow } from "./block";
import { float64Bits, integerBits, integerLength, integers, isUtf8, msgpackEnd, swapped, textAt, textLength } from "./msgpack-values";
import { putCode } from "./odd";
import { exactMax, putTime } from "./scaled-time";
import {
  segmentKind,
  segmentLength,
  segmentMask,
  segmentNulls,
  segmentShift,
  segmentText,
  segmentValid,
  segmentValues,
  slotBool,
  slotFloat64,
  slotFormatMask,
  slotInt64,
  slotScalar,
  slotSkip,
  slotString,
  slotTime,
} from "./shape";

/** Moves the row's cursor on, or to 0. Not 0: one more than the length of a text that its dictionary had no room for. */
export function msgpackRow(place: usize, segment: usize): u32 {
  const at = usize(load<u32>(place));
  const end = usize(load<u32>(place, placeEnd));
  let to: usize = 0;
  if (at != 0 && (differing(at, v128.load(segment, segmentText)) & load<u32>(segment, segmentMask)) == 0) {
    const p = at + usize(load<u32>(segment, segmentLength));
    const kind = load<i32>(segment, segmentKind) & slotFormatMask;
    const token = u32(load<u8>(p));
    const many = (token >= 0x80 && token < 0xa0) || (token >= 0xdc && token < 0xe0);
    if (kind >= slotSkip) to = kind == slotScalar && many ? 0 : msgpackEnd(p, end, load<i32>(segment, segmentShift));
    else if (token == 0xc0) to = nilEnd(p, place, segment);
    else if (kind == slotString) {
      const text = textAt(p);
      const length = textLength();
      if (text != 0 && u64(text) + u64(length) <= u64(end) && isUtf8(text, text + usize(length))) {
        if (!putCode(text, usize(length), place, segment)) return length + 1;
        to = text + usize(length);
      }
    } else to = numberRow(p, token, kind, place, segment);
  }
  store<u32>(place, to > end ? 0 : u32(to));
  return 0;
}

function nilEnd(p: usize, place: usize, segment: usize): usize {
  store<u8>(usize(load<u32>(segment, segmentValid)) + usize(load<u32>(place, placeRow)), 0);
  store<u32>(usize(load<u32>(segment, segmentNulls)), 1);
  return p + 1;
}

function numberRow(p: usize, token: u32, kind: i32, place: usize, segment: usize): usize {
  const row = usize(load<u32>(place, placeRow));
  const values = usize(load<u32>(segment, segmentValues));
  store<u8>(usize(load<u32>(segment, segmentValid)) + row, 1);
  if (kind == slotBool) {
    store<u8>(values + row, u8(token & 1));
    return token == 0xc2 || token == 0xc3 ? p + 1 : 0;
  }
  const out = values + (row << 3);
  if (token == 0xca || token == 0xcb) {
    const value = token == 0xca
      ? f64(reinterpret<f32>(bswap(load<u32>(p + 1))))
      : reinterpret<f64>(float64Bits(p + 1, v128.load(swapped)));
    return putFloat(value, kind, out, segment) ? p + (token == 0xca ? 5 : 9) : 0;
  }
  const entry = integers + (usize(token) << 5);
  const length = load<usize>(entry, integerLength);
  const whole = integerBits(p, entry);
  // An unsigned integer of 64 bits with its top bit set has no place in a column.
  if (length == 0 || (token == 0xcf && whole < 0)) return 0;
  if (kind == slotInt64) store<i64>(out, whole);
  else if (u64(whole + exactMax) > u64(exactMax << 1)) return 0;
  else if (kind == slotFloat64) store<f64>(out, f64(whole));
  else if (!putTime(f64(whole), load<i32>(segment, segmentShift), out)) return 0;
  return p + length;
}

function putFloat(value: f64, kind: i32, out: usize, segment: usize): bool {
  if (!isFinite(value)) return false;
  if (kind == slotFloat64) {
    store<f64>(out, value);
    return true;
  }
  const whole = nearest(value) == value && abs(value) <= f64(exactMax);
  if (kind == slotTime) {
    const shift = load<i32>(segment, segmentShift);
    // A fraction means its decimal digits, which are not looked for here.
    return (whole || shift == 0) && putTime(value, shift, out);
  }
  // Whole numbers as floats are taken up to the last that is exact, and that one less: as Number.isSafeInteger has it.
  if (!whole || abs(value) == f64(exactMax)) return false;
  store<i64>(out, i64(value));
  return true;
}
