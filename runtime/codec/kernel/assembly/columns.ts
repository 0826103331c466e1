// One segment over a block of rows: compare the literal, then read the value behind it into its column.
//
// Each quick loop takes what nearly all rows are like, without a branch and without a call, so that the work on
// several rows overlaps in the processor; it lists the places where anything was odd, and those are gone through
// by `oddRow`, which can do all that is done here. Quick loops are shortcuts of it and decide nothing.

import { differing, markValid, move, odds, placeBytes, placeRow, places } from "./block";
import { headOf, multiplierHigh, multiplierLow, nearPlace, nearShortPlace } from "./dictionary";
import {
  float64Column,
  int64Column,
  signedFloat64Column,
  skipNumbers,
  skipSignedNumbers,
  timeColumn,
  wholeColumn,
} from "./number-columns";
import { quickMsgpack } from "./msgpack-columns";
import { msgpackRow } from "./msgpack-odd";
import { newTexts } from "./new-texts";
import { oddRow } from "./odd";
import {
  dictionaryPlaces,
  dictionaryShift,
  placeCode,
  placeLength,
  segmentExtra,
  segmentKind,
  segmentLength,
  segmentLong,
  segmentMask,
  segmentNew,
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
  slotMsgpack,
  slotString,
  slotTime,
} from "./shape";
import { shortText } from "./strings";
import { quotes } from "./tables";
import { boolAt, shortWordEnd } from "./values";

/** Goes one segment on in every row. Not 0: one more than the length of a text that its dictionary had no room for. */
export function column(segment: usize, size: u32, bytes: usize): u32 {
  const msgpack = load<i32>(segment, segmentKind) >= slotMsgpack;
  const count = msgpack ? quickMsgpack(segment, size) : quick(segment, size);
  if (load<i32>(segment, segmentKind) == slotString) return newTexts(segment, count, size, bytes);
  for (let i: u32 = 0; i < count; i++) {
    const place = usize(load<u32>(odds + (usize(i) << 2)));
    const needed = msgpack ? msgpackRow(place, segment) : oddRow(place, segment, bytes);
    if (needed != 0) return needed;
  }
  return 0;
}

/** Returns how many places are listed in `odds`. */
function quick(segment: usize, size: u32): u32 {
  const signed = load<u32>(segment, segmentSigned) != 0;
  switch (load<i32>(segment, segmentKind)) {
    case slotFloat64:
      return signed ? signedFloat64Column(segment, size) : float64Column(segment, size);
    case slotInt64:
      return int64Column(segment, size);
    case slotBool:
      return boolColumn(segment, size);
    case slotString:
      if (load<u8>(segment, segmentNew) != 0) return allNew(segment, size);
      return load<u8>(segment, segmentLong) == 0 ? shortStringColumn(segment, size) : stringColumn(segment, size);
    case slotTime:
      if (load<i32>(segment, segmentShift) != 0) return timeColumn(segment, size);
      return signed ? signedFloat64Column(segment, size) : wholeColumn(segment, size);
    case slotIso:
    case slotJson:
      return allOdd(size);
    default:
      return skipColumn(segment, size, signed);
  }
}

function allOdd(size: u32): u32 {
  for (let i: u32 = 0; i < size; i++) store<u32>(odds + (usize(i) << 2), u32(places) + i * u32(placeBytes));
  return size;
}

function allNew(segment: usize, size: u32): u32 {
  markValid(usize(load<u32>(segment, segmentValid)), size);
  return allOdd(size);
}

function boolColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const end = boolAt(at + length, values + usize(load<u32>(place, placeRow)));
    const to = select<usize>(at, end, u32(end == 0) | (differing(at, text) & mask));
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/**
 * Texts of fewer than sixteen bytes that the dictionary has. Nothing but their end is looked for: such a text was
 * well-formed when it was put there, and what JSON has to write in another way is hidden in it.
 */
function stringColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const tableShift = u64(load<u32>(dictionary, dictionaryShift) + 32);
  const quote: v128 = v128.load(quotes);
  const low = multiplierLow;
  const high = multiplierHigh;
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const from = at + length + 1;
    const bytes = v128.load(from);
    // 32 when there is no quote.
    const textLength = u32(ctz(u32(i8x16.bitmask(i8x16.eq(bytes, quote)))));
    const head = headOf(bytes, usize(textLength & 15));
    const found = nearPlace(table, tableShift, head, low, high);
    const code = load<u32>(found, placeCode) - 1;
    store<u32>(values + (usize(load<u32>(place, placeRow)) << 2), code);
    // A text with NULs at its end has the same head.
    const unknown =
      u32(v128.any_true(v128.xor(v128.load(found), head))) |
      (load<u32>(found, placeLength) ^ textLength) |
      (code >>> 31);
    const unquoted = (u32(load<u8>(from - 1)) ^ 0x22) | (textLength >>> 4);
    const odd = unknown | unquoted | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, from + textLength + 1, odd), count);
    place += placeBytes;
  }
  return count;
}

/** The same for texts of fewer than eight bytes, which take half the time: all of one is in a register. */
function shortStringColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const tableShift = u64(load<u32>(dictionary, dictionaryShift) + 32);
  const low = multiplierLow;
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const from = at + length + 1;
    const bytes = load<u64>(from);
    const others = bytes ^ 0x2222222222222222;
    // The lowest bit that is set is the highest of the first quote; 0 when there is none.
    const quoted = (others - 0x0101010101010101) & ~others & 0x8080808080808080;
    const head = bytes & ((quoted ^ (quoted - 1)) >>> 8);
    const found = nearShortPlace(table, tableShift, head, low);
    const code = load<u32>(found, placeCode) - 1;
    store<u32>(values + (usize(load<u32>(place, placeRow)) << 2), code);
    const textLength = u32(ctz(quoted) >>> 3);
    const unknown =
      u32(load<u64>(found) != head) |
      (load<u32>(found, placeLength) ^ textLength) |
      (code >>> 31) |
      u32(quoted == 0);
    const odd = unknown | (u32(load<u8>(from - 1)) ^ 0x22) | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, from + usize(textLength) + 1, odd), count);
    place += placeBytes;
  }
  return count;
}

/** Values that nobody reads, which are mostly of one kind: that of the first row's. */
function skipColumn(segment: usize, size: u32, signed: bool): u32 {
  const length = usize(load<u32>(segment, segmentLength));
  const first = load<u8>(usize(load<u32>(places)) + length);
  if (first == 0x22) return skipStrings(segment, size);
  if (first == 0x7b || first == 0x5b) return allOdd(size);
  if (first >= 0x40) return skipWords(segment, size);
  return signed ? skipSignedNumbers(segment, size) : skipNumbers(segment, size);
}

function skipWords(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const to = shortWordEnd(at, at + length, differing(at, text) & mask);
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

function skipStrings(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const size = shortText(at + length);
    const to = select<usize>(at, at + length + size + 2, u32(size >= 16) | (differing(at, text) & mask));
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}
