// The quick loops of columns.ts over numbers. Most come with and without a sign, because looking for one costs about
// a nanosecond a number: a segment begins without, and `oddRow` marks it when a negative number comes by.

import { byteBehind, differing, markValid, move, placeBytes, placeRow, places } from "./block";
import { segmentLength, segmentMask, segmentShift, segmentText, segmentValid, segmentValues } from "./shape";
import { shortFloat64, shortInt64, shortNumber, shortWhole } from "./short-numbers";
import { digitsAbove, digitsBelow, hundreds, myriads, nibbles, points, tens } from "./tables";

/** Numbers that are not negative. */
export function float64Column(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const point: v128 = v128.load(points);
  const nibble: v128 = v128.load(nibbles);
  const tenfold: v128 = v128.load(tens);
  const hundred: v128 = v128.load(hundreds);
  const myriad: v128 = v128.load(myriads);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    const to = shortFloat64(
      at, at + length, 0, out, 0, differs, next,
      below, above, point, nibble, tenfold, hundred, myriad,
    );
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Numbers; and times in milliseconds, because fifteen digits of them are within their bounds. */
export function signedFloat64Column(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const point: v128 = v128.load(points);
  const nibble: v128 = v128.load(nibbles);
  const tenfold: v128 = v128.load(tens);
  const hundred: v128 = v128.load(hundreds);
  const myriad: v128 = v128.load(myriads);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    const minus = u32(load<u8>(at + length) == 0x2d);
    const to = shortFloat64(
      at, at + length, minus, out, 0, differs, next,
      below, above, point, nibble, tenfold, hundred, myriad,
    );
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Times that are not negative, in any unit. */
export function timeColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const shift = load<i32>(segment, segmentShift);
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const point: v128 = v128.load(points);
  const nibble: v128 = v128.load(nibbles);
  const tenfold: v128 = v128.load(tens);
  const hundred: v128 = v128.load(hundreds);
  const myriad: v128 = v128.load(myriads);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    const to = shortFloat64(
      at, at + length, 0, out, shift, differs, next,
      below, above, point, nibble, tenfold, hundred, myriad,
    );
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Times in milliseconds that are whole and not negative. */
export function wholeColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const nibble: v128 = v128.load(nibbles);
  const tenfold: v128 = v128.load(tens);
  const hundred: v128 = v128.load(hundreds);
  const myriad: v128 = v128.load(myriads);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    const to = shortWhole(
      at, at + length, out, differs, next,
      below, above, nibble, tenfold, hundred, myriad,
    );
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Integers. */
export function int64Column(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const nibble: v128 = v128.load(nibbles);
  const tenfold: v128 = v128.load(tens);
  const hundred: v128 = v128.load(hundreds);
  const myriad: v128 = v128.load(myriads);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const out = values + (usize(load<u32>(place, placeRow)) << 3);
    const minus = u32(load<u8>(at + length) == 0x2d);
    const to = shortInt64(
      at, at + length, minus, out, differs, next,
      below, above, nibble, tenfold, hundred, myriad,
    );
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Numbers that nobody reads and that are not negative. */
export function skipNumbers(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const point: v128 = v128.load(points);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const to = shortNumber(at, at + length, 0, differs, next, below, above, point);
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}

/** Numbers that nobody reads. */
export function skipSignedNumbers(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const next = byteBehind(segment);
  const below: v128 = v128.load(digitsBelow);
  const above: v128 = v128.load(digitsAbove);
  const point: v128 = v128.load(points);
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const differs = differing(at, text) & mask;
    const minus = u32(load<u8>(at + length) == 0x2d);
    const to = shortNumber(at, at + length, minus, differs, next, below, above, point);
    count = move(place, at, to, count);
    place += placeBytes;
  }
  return count;
}
