// A block of rows on its way through a template: for each where it is, where it ends, and which row it is. A
// cursor of 0 means that the row does not fit.

import {
  absentBytes,
  absentNulls,
  absentValid,
  segmentBytes,
  segmentLead,
  segmentLeadLength,
  segmentLength,
  segmentMask,
  segmentText,
  templateAbsent,
  templateAbsentCount,
  templateBytesMax,
} from "./shape";

export const blockRows: u32 = 256;
/** By place in the block: all cursors, then all ends, then all rows. */
export const places: usize = memory.data(256 * 12, 16);
export const placeEnd: usize = 256 * 4;
export const placeRow: usize = 256 * 8;
export const placeBytes: usize = 4;

/** Puts every row's cursor at its first byte. */
export function begin(template: usize, rows: usize, size: u32, bytes: usize, offsets: usize): void {
  const bytesMax = load<u32>(template, templateBytesMax);
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const row = usize(load<u32>(rows + (usize(i) << 2)));
    const from = load<u32>(offsets + (row << 2));
    const to = load<u32>(offsets + (row << 2), 4);
    store<u32>(place, to - from > bytesMax ? 0 : u32(bytes) + from);
    store<u32>(place, u32(bytes) + to, placeEnd);
    store<u32>(place, u32(row), placeRow);
    place += placeBytes;
  }
}

/** Says of a column that it has a value in every row of the block. At once, which saves the loops over values 4 %. */
export function markValid(valid: usize, size: u32): void {
  const first = load<u32>(places, placeRow);
  const last = load<u32>(places + (usize(size) << 2) - 4, placeRow);
  if (last - first == size - 1) {
    memory.fill(valid + usize(first), 1, usize(size));
    return;
  }
  for (let i: u32 = 0; i < size; i++) store<u8>(valid + usize(load<u32>(places + (usize(i) << 2), placeRow)), 1);
}

/** The first byte of the literal behind the segment's value; 256, which no byte is, when that is empty. */
export function byteBehind(segment: usize): u32 {
  if (load<u32>(segment, segmentBytes + segmentLeadLength) != 0)
    return u32(load<u8>(usize(load<u32>(segment, segmentBytes + segmentLead))));
  if (load<u32>(segment, segmentBytes + segmentLength) == 0) return 256;
  return u32(load<u8>(segment, segmentBytes + segmentText));
}

/** Places of the block that the quick loop over a segment left to the thorough one, 4 bytes each. */
export const odds: usize = memory.data(256 * 4, 16);

/** Puts the row's cursor at `to`, and lists its place when that is where it was; how many places are listed then. */
// @ts-ignore: decorator
@inline
export function move(place: usize, at: usize, to: usize, count: u32): u32 {
  store<u32>(place, u32(to));
  store<u32>(odds + (usize(count) << 2), u32(place));
  return count + u32(to == at);
}

/** One bit for each byte at `p` that differs from the literal, or from its last sixteen bytes. */
// @ts-ignore: decorator
@inline
export function differing(p: usize, text: v128): u32 {
  return ~u32(i8x16.bitmask(i8x16.eq(v128.load(p), text)));
}

/** Takes every row past the first bytes of a literal that is longer than sixteen, or out. */
export function passLead(segment: usize, size: u32): void {
  const length = usize(load<u32>(segment, segmentLeadLength));
  if (length == 0) return;
  const lead = usize(load<u32>(segment, segmentLead));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const fits = p + length <= usize(load<u32>(place, placeEnd)) && memory.compare(p, lead, length) == 0;
    store<u32>(place, fits ? u32(p + length) : 0);
    place += placeBytes;
  }
}

/** The last literal, behind which the record must end. How many rows fit. */
export function passEnd(segment: usize, size: u32): u32 {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let count: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const odd = (differing(p, text) & mask) | u32(p + length != usize(load<u32>(place, placeEnd)));
    store<u32>(place, select<u32>(0, 1, odd != 0));
    count += u32(odd == 0);
    place += placeBytes;
  }
  return count;
}

/** Lists the rows that did not fit, behind `leftCount` others; how many are listed then. */
export function listLeft(size: u32, left: usize, leftCount: u32): u32 {
  let count = leftCount;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    store<u32>(left + (usize(count) << 2), load<u32>(place, placeRow));
    count += u32(load<u32>(place) == 0);
    place += placeBytes;
  }
  return count;
}

/** Gives the rows that did fit nulls in the columns that the template has no slot for. */
export function putAbsent(template: usize, size: u32): void {
  const list = usize(load<u32>(template, templateAbsent));
  const count = load<u32>(template, templateAbsentCount);
  for (let i: u32 = 0; i < count; i++) {
    const valid = usize(load<u32>(list + usize(i) * absentBytes, absentValid));
    const nulls = usize(load<u32>(list + usize(i) * absentBytes, absentNulls));
    let place = places;
    for (let j: u32 = 0; j < size; j++) {
      if (load<u32>(place) != 0) {
        store<u8>(valid + usize(load<u32>(place, placeRow)), 0);
        store<u32>(nulls, 1);
      }
      place += placeBytes;
    }
  }
}
