// One segment over a block of rows: compare the literal, then read the value behind it into its column.
//
// Each quick loop takes what nearly all rows are like, without a branch and without a call, so that the work on
// several rows overlaps in the processor; it lists the places where anything was odd, and those are gone through
// by `oddRow`, which can do all that is done here. Quick loops are shortcuts of it and decide nothing.

import { differing, odds, placeBytes, placeEnd, placeRow, places } from "./block";
import { multiplierHigh, multiplierLow, nearCode } from "./dictionary";
import { shortFloat64At, shortInt64At, shortNumberEnd, shortWholeAt } from "./numbers";
import { oddRow } from "./odd";
import {
  dictionaryPlaces,
  dictionaryShift,
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
  slotInt64,
  slotIso,
  slotJson,
  slotString,
  slotTime,
} from "./shape";
import { shortText } from "./strings";
import { boolAt, wordEnd } from "./values";

/** Goes one segment on in every row. Not 0: one more than the length of a text that its dictionary had no room for. */
export function column(segment: usize, size: u32, bytes: usize): u32 {
  const count = quick(segment, size);
  for (let i: u32 = 0; i < count; i++) {
    const needed = oddRow(usize(load<u32>(odds + (usize(i) << 2))), segment, bytes);
    if (needed != 0) return needed;
  }
  return 0;
}

/** Returns how many places are listed in `odds`. */
function quick(segment: usize, size: u32): u32 {
  switch (load<i32>(segment, segmentKind)) {
    case slotFloat64:
      return float64Column(segment, size);
    case slotInt64:
      return int64Column(segment, size);
    case slotBool:
      return boolColumn(segment, size);
    case slotString:
      return stringColumn(segment, size);
    case slotTime:
      return load<i32>(segment, segmentShift) == 0 ? wholeColumn(segment, size) : timeColumn(segment, size);
    case slotIso:
    case slotJson:
      return allOdd(size);
    default:
      return skipColumn(segment, size);
  }
}

function allOdd(size: u32): u32 {
  for (let i: u32 = 0; i < size; i++) store<u32>(odds + (usize(i) << 2), u32(places) + i * u32(placeBytes));
  return size;
}

/** Moves the row's cursor from `p` to `to`, or lists its place; how many places are listed then. */
// @ts-ignore: decorator
@inline
function move(place: usize, p: usize, to: usize, differs: u32, count: u32): u32 {
  const odd = u32(to == 0) | u32(differs != 0);
  store<u32>(place, u32(select<usize>(p, to, odd != 0)));
  store<u32>(odds + (usize(count) << 2), u32(place));
  return count + odd;
}

function float64Column(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const to = shortFloat64At(p + length, values + (row << 3), 0);
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function timeColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  const shift = load<i32>(segment, segmentShift);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const to = shortFloat64At(p + length, values + (row << 3), shift);
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function wholeColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const to = shortWholeAt(p + length, values + (row << 3));
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function int64Column(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const to = shortInt64At(p + length, values + (row << 3));
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function boolColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const to = boolAt(p + length, values + row);
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function stringColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const tableShift = load<u32>(dictionary, dictionaryShift);
  const low = multiplierLow;
  const high = multiplierHigh;
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const row = usize(load<u32>(place, placeRow));
    const from = p + length + 1;
    const size = shortText(from - 1);
    const code = nearCode(table, tableShift, from, size & 15, low, high);
    const to = select<usize>(from + size + 1, 0, size < 16 && code >= 0);
    store<i32>(values + (row << 2), code);
    store<u8>(valid + row, 1);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

/** Values that nobody reads, which are mostly of one kind: that of the first row's. */
function skipColumn(segment: usize, size: u32): u32 {
  const length = usize(load<u32>(segment, segmentLength));
  const first = load<u8>(usize(load<u32>(places)) + length);
  if (first == 0x22) return skipStrings(segment, size);
  if (first == 0x7b || first == 0x5b) return allOdd(size);
  return first < 0x40 ? skipNumbers(segment, size) : skipWords(segment, size);
}

function skipNumbers(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const to = shortNumberEnd(p + length);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}

function skipWords(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const to = wordEnd(p + length);
    count = move(place, p, to, differing(p, text) & mask, count);
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
    const p = usize(load<u32>(place));
    const size = shortText(p + length);
    const to = select<usize>(p + length + size + 2, 0, size < 16);
    count = move(place, p, to, differing(p, text) & mask, count);
    place += placeBytes;
  }
  return count;
}
