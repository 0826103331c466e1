// A block of rows on its way through a template: for each where it is, where it ends, and which row it is. A
// cursor of 0 means that the row does not fit.

import {
  absentBytes,
  absentNulls,
  absentValid,
  segmentLength,
  segmentMask,
  segmentMore,
  segmentText,
  templateAbsent,
  templateAbsentCount,
  templateBytesMax,
} from "./shape";

export const blockRows: u32 = 256;
/** By place in the block, 12 bytes: cursor, end, row. */
export const places: usize = memory.data(256 * 12, 16);
export const placeEnd: usize = 4;
export const placeRow: usize = 8;
export const placeBytes: usize = 12;

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

/** One bit for each byte at `p` that differs from the literal's first sixteen. */
// @ts-ignore: decorator
@inline
export function differing(p: usize, text: v128): u32 {
  return ~u32(i8x16.bitmask(i8x16.eq(v128.load(p), text)));
}

/** The rest of a literal longer than sixteen bytes. */
export function differsLater(p: usize, segment: usize, end: usize): bool {
  const length = usize(load<u32>(segment, segmentLength));
  if (p + length > end) return true;
  return memory.compare(p + 16, usize(load<u32>(segment, segmentMore)), length - 16) != 0;
}

/** The last literal, behind which the record must end. */
export function verifyEnd(segment: usize, size: u32): void {
  const text = v128.load(segment, segmentText);
  const mask = load<u32>(segment, segmentMask);
  const length = usize(load<u32>(segment, segmentLength));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const p = usize(load<u32>(place));
    const end = usize(load<u32>(place, placeEnd));
    if (p + length != end || differing(p, text) & mask || (length > 16 && differsLater(p, segment, end)))
      store<u32>(place, 0);
    place += placeBytes;
  }
}

/** Lists the rows that did not fit, behind `leftCount` others, and gives those that did their nulls. */
export function finish(template: usize, size: u32, left: usize, leftCount: u32): u32 {
  const absent = load<u32>(template, templateAbsentCount);
  let count = leftCount;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const row = load<u32>(place, placeRow);
    const fits = load<u32>(place) != 0;
    store<u32>(left + (usize(count) << 2), row);
    count += u32(!fits);
    if (fits && absent != 0) putAbsent(usize(load<u32>(template, templateAbsent)), absent, usize(row));
    place += placeBytes;
  }
  return count;
}

function putAbsent(list: usize, count: u32, row: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = list + usize(i) * absentBytes;
    store<u8>(usize(load<u32>(at, absentValid)) + row, 0);
    store<u32>(usize(load<u32>(at, absentNulls)), 1);
  }
}
