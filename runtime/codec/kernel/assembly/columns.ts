// One segment over a block of rows: compare the literal, then read the value behind it into its column. The loops
// are alike but for the reading; each is written out, so that it has no branch on the kind of value.

import { differing, differsLater, placeBytes, placeEnd, placeRow, places } from "./block";
import { codeOf } from "./dictionary";
import { isoAt } from "./iso";
import { float64At, int64At, timeAt } from "./numbers";
import {
  segmentExtra,
  segmentKind,
  segmentLength,
  segmentMask,
  segmentNulls,
  segmentShift,
  segmentText,
  segmentValid,
  segmentValues,
  slotScalar,
} from "./shape";
import { quoteAfter } from "./strings";
import { boolAt, isNull, scalarEnd, valueEnd } from "./values";

/** Behind a literal of up to sixteen bytes or more at `p`, or 0. A row that is out already stays out. */
// @ts-ignore: decorator
@inline
function literalEnd(place: usize, segment: usize, text: v128, mask: u32, length: usize): usize {
  const p = usize(load<u32>(place));
  if (p == 0 || differing(p, text) & mask) return 0;
  if (length > 16 && differsLater(p, segment, usize(load<u32>(place, placeEnd)))) return 0;
  return p + length;
}

/** Marks the row as valid, or as null when that is what stands there; where its cursor goes. */
// @ts-ignore: decorator
@inline
function settled(p: usize, to: usize, segment: usize, valid: usize): usize {
  if (to != 0) {
    store<u8>(valid, 1);
    return to;
  }
  return nullEnd(p, segment, valid);
}

function nullEnd(p: usize, segment: usize, valid: usize): usize {
  if (p == 0 || !isNull(p)) return 0;
  store<u8>(valid, 0);
  store<u32>(usize(load<u32>(segment, segmentNulls)), 1);
  return p + 4;
}

export function float64Column(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    const to: usize = p == 0 ? 0 : float64At(p, values + (row << 3), 0);
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

export function timeColumn(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  const shift = load<i32>(segment, segmentShift);
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    const to: usize = p == 0 ? 0 : timeAt(p, values + (row << 3), shift);
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

export function int64Column(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    const to: usize = p == 0 ? 0 : int64At(p, values + (row << 3));
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

export function boolColumn(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    const to: usize = p == 0 ? 0 : boolAt(p, values + row);
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

export function isoColumn(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    let to: usize = p == 0 ? 0 : quoteAfter(p, usize(load<u32>(place, placeEnd)));
    if (to != 0) to = isoAt(p + 1, to, values + (row << 3)) ? to + 1 : 0;
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

/** Not yet codes: where each text begins, complemented, and where it ends. Whoever called makes codes of them. */
export function jsonColumn(segment: usize, size: u32, bytes: usize): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  const depth = load<i32>(segment, segmentShift);
  const ends = usize(load<u32>(segment, segmentExtra));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    let to: usize = 0;
    if (p != 0 && !isNull(p)) {
      to = valueEnd(p, usize(load<u32>(place, placeEnd)), depth);
      store<i32>(values + (row << 2), ~i32(p - bytes));
      store<u32>(ends + (row << 2), u32(to - bytes));
    }
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
}

/** Not 0: one more than the length of a text that the dictionary had no room for. */
export function stringColumn(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const values = usize(load<u32>(segment, segmentValues));
  const valid = usize(load<u32>(segment, segmentValid));
  const dictionary = usize(load<u32>(segment, segmentExtra));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    const row = usize(load<u32>(place, placeRow));
    let to: usize = p == 0 ? 0 : quoteAfter(p, usize(load<u32>(place, placeEnd)));
    if (to != 0) {
      const code = codeOf(dictionary, p + 1, to - p - 1);
      if (code < 0) return u32(to - p - 1) + 1;
      store<i32>(values + (row << 2), code);
      to++;
    }
    store<u32>(place, u32(settled(p, to, segment, valid + row)));
    place += placeBytes;
  }
  return 0;
}

/** Values that nobody reads. */
export function skipped(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  const depth = load<i32>(segment, segmentShift);
  const nesting = load<i32>(segment, segmentKind) != slotScalar;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = literalEnd(place, segment, text, mask, length);
    let to: usize = 0;
    if (p != 0) {
      const end = usize(load<u32>(place, placeEnd));
      if ((load<u8>(p) | 0x20) != 0x7b) to = scalarEnd(p, end);
      else if (nesting) to = valueEnd(p, end, depth);
    }
    store<u32>(place, u32(to));
    place += placeBytes;
  }
}
