// Stencils: records of binary formats that have every value at the same place as an earlier one had. The bits that all
// such records share (names and tags, the kinds and lengths of values) are compared at once, sixteen bytes at a time;
// then a value is where it was, so that its column is read without looking for it, and what nobody reads costs
// nothing. One compare a record and a few instructions a value: half of what templates with slots between literals
// take. Records whose values have other lengths fit another stencil, or are left to those templates.

import { listLeft, placeBytes, placeEnd, placeRow, places, putAbsent } from "./block";
import { segmentBytes, segmentKind, slotEnd, stencilLength, stencilPattern, templateHeader } from "./shape";
import { refused, stencilColumn } from "./stencil-columns";

/** Rows at a time: with fewer than templates of the other kind take, payloads stay nearer to the processor (5 %). */
const stencilRows: u32 = 128;

let doneRows: u32 = 0;
let neededLength: u32 = 0;
export function stencilDone(): u32 {
  return doneRows;
}
export function stencilNeeded(): u32 {
  return neededLength;
}

/** As `decode` of index.ts. */
export function decodeStencil(template: usize, rows: usize, count: u32, left: usize, bytes: usize, offsets: usize): u32 {
  let leftCount: u32 = 0;
  neededLength = 0;
  for (let from: u32 = 0; from < count; from += stencilRows) {
    const size = min<u32>(stencilRows, count - from);
    const block = rows + (usize(from) << 2);
    const fits = match(template, block, size, bytes, offsets);
    // Where many do not fit, columns are gone through faster without them.
    const few = fits < size - (size >> 2);
    if (few) squeeze(size);
    const width = few ? fits : size;
    if (fits > 0) {
      let segment = template + templateHeader;
      for (; load<i32>(segment, segmentKind) != slotEnd; segment += segmentBytes) {
        neededLength = stencilColumn(segment, width);
        if (neededLength != 0) {
          doneRows = from;
          return leftCount;
        }
      }
      putAbsent(template, width);
    }
    const some = refused();
    if (few) leftCount = listOthers(block, size, width, left, leftCount);
    else if (some || fits < size) leftCount = listLeft(size, left, leftCount);
  }
  doneRows = count;
  return leftCount;
}

/** Which places of the block were taken, when it was squeezed. */
const taken: usize = memory.data(128);

/** Puts the rows that fit side by side, each with its place in the block. */
function squeeze(size: u32): void {
  let to = places;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = load<u32>(place);
    store<u32>(to, at);
    store<u32>(to, load<u32>(place, placeRow), placeRow);
    store<u32>(to, i, placeEnd);
    to += placeBytes & (0 - usize(at != 0));
    place += placeBytes;
  }
}

/** Lists the rows of a squeezed block that were not taken, behind `leftCount` others; how many are listed then. */
function listOthers(rows: usize, size: u32, width: u32, left: usize, leftCount: u32): u32 {
  memory.fill(taken, 0, usize(size));
  for (let i: u32 = 0; i < width; i++) {
    const place = places + usize(i) * placeBytes;
    store<u8>(taken + usize(load<u32>(place, placeEnd)), u8(load<u32>(place) != 0));
  }
  let count = leftCount;
  for (let i: u32 = 0; i < size; i++) {
    store<u32>(left + (usize(count) << 2), load<u32>(rows + (usize(i) << 2)));
    count += u32(load<u8>(taken + usize(i)) == 0);
  }
  return count;
}

/** Puts every row's cursor at its first byte, or to 0 where it does not fit; how many do. */
function match(template: usize, rows: usize, size: u32, bytes: usize, offsets: usize): u32 {
  const length = load<u32>(template, stencilLength);
  const pattern = usize(load<u32>(template, stencilPattern));
  const patternEnd = pattern + ((usize(length) + 15) & ~15) * 2;
  // Sixteen bytes, then the mask of those that count. The first four are held in registers, which saves a third.
  const first = v128.load(pattern);
  const firstMask = v128.load(pattern, 16);
  const second = v128.load(pattern, 32);
  const secondMask = v128.load(pattern, 48);
  const third = v128.load(pattern, 64);
  const thirdMask = v128.load(pattern, 80);
  const fourth = v128.load(pattern, 96);
  const fourthMask = v128.load(pattern, 112);
  let fits: u32 = 0;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const row = usize(load<u32>(rows + (usize(i) << 2)));
    const from = load<u32>(offsets + (row << 2));
    const at = bytes + usize(from);
    let differing = v128.or(
      v128.or(
        v128.and(v128.xor(v128.load(at), first), firstMask),
        v128.and(v128.xor(v128.load(at, 16), second), secondMask),
      ),
      v128.or(
        v128.and(v128.xor(v128.load(at, 32), third), thirdMask),
        v128.and(v128.xor(v128.load(at, 48), fourth), fourthMask),
      ),
    );
    let p = at + 48;
    for (let chunk = pattern + 128; chunk < patternEnd; chunk += 32) {
      p += 16;
      differing = v128.or(differing, v128.and(v128.xor(v128.load(p), v128.load(chunk)), v128.load(chunk, 16)));
    }
    const odd = u32(v128.any_true(differing)) | ((load<u32>(offsets + (row << 2), 4) - from) ^ length);
    const fit = u32(odd == 0);
    store<u32>(place, u32(at) & (0 - fit));
    store<u32>(place, u32(row), placeRow);
    fits += fit;
    place += placeBytes;
  }
  return fits;
}
