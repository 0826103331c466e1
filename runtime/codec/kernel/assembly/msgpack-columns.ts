// One segment over a block of MessagePack rows, as columns.ts has it for JSON: quick loops without a branch that
// data decides take what nearly all rows are like, and list the others for `msgpackRow`. A loop over numbers bets on
// the way in which the first row's number is written.

import { differing, markValid, move, placeBytes, placeRow, places } from "./block";
import { headOf, multiplierHigh, multiplierLow, nearPlace } from "./dictionary";
import { float64Bits, integerBits, integerLength, integers, plainLengths, swapped } from "./msgpack-values";
import { timeMax } from "./numbers";
import { exactMax, putTime } from "./scaled-time";
import {
  dictionaryPlaces,
  dictionaryShift,
  placeCode,
  placeLength,
  segmentExtra,
  segmentKind,
  segmentLength,
  segmentMask,
  segmentShift,
  segmentText,
  segmentValid,
  segmentValues,
  slotBool,
  slotFloat64,
  slotFormatMask,
  slotInt64,
  slotString,
  slotTime,
} from "./shape";

/** Returns how many places are listed in `odds`. */
export function quickMsgpack(segment: usize, size: u32): u32 {
  const p = usize(load<u32>(places)) + usize(load<u32>(segment, segmentLength));
  const isFloat = load<u8>(p) == 0xcb;
  switch (load<i32>(segment, segmentKind) & slotFormatMask) {
    case slotString:
      return stringColumn(segment, size);
    case slotBool:
      return boolColumn(segment, size);
    case slotInt64:
      return int64Column(segment, size);
    case slotFloat64:
      return isFloat ? float64Column(segment, size) : integerColumn(segment, size);
    case slotTime:
      return isFloat && load<i32>(segment, segmentShift) == 0 ? timeColumn(segment, size) : integerTimeColumn(segment, size);
    default:
      return skipColumn(segment, size);
  }
}

function float64Column(segment: usize, size: u32): u32 {
  return floatColumn(segment, size, false);
}

function timeColumn(segment: usize, size: u32): u32 {
  return floatColumn(segment, size, true);
}

/** Numbers, or times in milliseconds, that are written as float64. */
// @ts-ignore: decorator
@inline
function floatColumn(segment: usize, size: u32, isTime: bool): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const swap: v128 = v128.load(swapped);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const p = at + length;
    const value = reinterpret<f64>(float64Bits(p + 1, swap));
    store<f64>(values + (usize(load<u32>(place, placeRow)) << 3), value);
    // What is not finite is not below infinity.
    const fits = u32(abs(value) <= (isTime ? timeMax : f64.MAX_VALUE));
    const odd = (u32(load<u8>(p)) ^ 0xcb) | (fits ^ 1) | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, p + 9, odd), count);
    place += placeBytes;
  }
  return count;
}

function integerColumn(segment: usize, size: u32): u32 {
  return wholeColumn(segment, size, slotFloat64);
}

function integerTimeColumn(segment: usize, size: u32): u32 {
  return wholeColumn(segment, size, slotTime);
}

function int64Column(segment: usize, size: u32): u32 {
  return wholeColumn(segment, size, slotInt64);
}

/** Columns of any kind whose numbers are written as integers, each as short as it goes. */
// @ts-ignore: decorator
@inline
function wholeColumn(segment: usize, size: u32, kind: i32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const shift = load<i32>(segment, segmentShift);
  markValid(usize(load<u32>(segment, segmentValid)), size);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const p = at + length;
    const token = u32(load<u8>(p));
    const entry = integers + (usize(token) << 5);
    const whole = integerBits(p, entry);
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    let fits = u32(u64(whole + exactMax) <= u64(exactMax << 1));
    if (kind == slotInt64) store<i64>(out, whole);
    else if (kind == slotFloat64) store<f64>(out, f64(whole));
    else fits &= u32(putTime(f64(whole), shift, out));
    const bytes = load<u32>(entry, integerLength);
    // An unsigned integer of 64 bits whose top bit is set has no place in a column.
    const beyond = u32(token == 0xcf) & u32(u64(whole) >> 63);
    const odd = (fits ^ 1) | u32(bytes == 0) | beyond | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, p + usize(bytes), odd), count);
    place += placeBytes;
  }
  return count;
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
    const token = u32(load<u8>(at + length));
    store<u8>(values + usize(load<u32>(place, placeRow)), u8(token & 1));
    const odd = ((token >> 1) ^ 0x61) | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, at + length + 1, odd), count);
    place += placeBytes;
  }
  return count;
}

/** Texts of fewer than sixteen bytes that the dictionary has, and which were well-formed when they were put there. */
function stringColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const tableShift = u64(load<u32>(dictionary, dictionaryShift) + 32);
  const low = multiplierLow;
  const high = multiplierHigh;
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const p = at + length;
    const textLength = u32(load<u8>(p)) - 0xa0;
    const head = headOf(v128.load(p + 1), usize(textLength & 15));
    const found = nearPlace(table, tableShift, head, low, high);
    const code = load<u32>(found, placeCode) - 1;
    store<u32>(values + (usize(load<u32>(place, placeRow)) << 2), code);
    // A text may end in zero bytes here, so its head alone does not tell how long it is.
    const unknown = u32(v128.any_true(v128.xor(v128.load(found), head))) | (load<u32>(found, placeLength) ^ textLength);
    const odd = unknown | (code >>> 31) | (textLength >>> 4) | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, p + 1 + usize(textLength), odd), count);
    place += placeBytes;
  }
  return count;
}

/** Values that nobody reads, as far as their first byte tells how long they are. */
function skipColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const p = at + length;
    const bytes = usize(load<u8>(plainLengths + usize(load<u8>(p))));
    const odd = u32(bytes == 0) | (differing(at, text) & mask);
    count = move(place, at, select<usize>(at, p + bytes, odd), count);
    place += placeBytes;
  }
  return count;
}
