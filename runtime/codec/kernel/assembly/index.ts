// The JSON kernel: records that are written the way an earlier one was, to columns.
//
// Machines write JSON with one printf: between two records of a sensor only values differ. So the layout of a
// record that the exact reader understood is kept as a template, in which literal bytes and slots for values
// alternate, and the next record is *assumed* to be written like it. Every literal byte is compared (sixteen
// at once) and every value is checked to the end of its grammar, so a record that is taken is well-formed,
// has the same members in the same places, and reads as the exact reader would read it. Nothing is parsed twice, no
// name is looked up, no bracket is counted. Whatever does not fit is left alone, and its row given back.
//
// Nothing here knows what JSON may look like beyond a slot: that is in the template. It reads only the payload
// region and `padding` bytes behind it, and writes only the regions that a template and a dictionary name.

import { codeOf, rehash, seedHash } from "./dictionary";
import { isoAt } from "./iso";
import { float64At, int64At, timeAt } from "./numbers";
import {
  absentBytes,
  absentNulls,
  absentValid,
  segmentBytes,
  segmentExtra,
  segmentKind,
  segmentLength,
  segmentMask,
  segmentMore,
  segmentNulls,
  segmentShift,
  segmentText,
  segmentValid,
  segmentValues,
  slotBool,
  slotEnd,
  slotFloat64,
  slotInt64,
  slotIso,
  slotJson,
  slotScalar,
  slotSkip,
  slotString,
  slotTime,
  templateAbsent,
  templateAbsentCount,
  templateBytesMax,
  templateHeader,
} from "./shape";
import { limit, quoteAfter } from "./strings";
import { boolAt, isNull, limitDepth, scalarEnd, valueEnd } from "./values";

export { rehash };

/** Where free memory begins. */
export function heapStart(): usize {
  return __heap_base;
}

/** To be called once before anything else. */
export function configure(stringBytesMax: u32, payloadDepthMax: i32, seed: u64): void {
  limit(stringBytesMax);
  limitDepth(payloadDepthMax);
  seedHash(seed);
}

/** The code of a text, for rows that the exact reader took. -1 when there is no room. */
export function lookUp(dictionary: usize, text: usize, length: usize): i32 {
  return codeOf(dictionary, text, length);
}

/** After `decode`: how many of its rows it went through, and, when not all, the dictionary that is full. */
let doneCount: u32 = 0;
let fullDictionary: usize = 0;
export function done(): u32 {
  return doneCount;
}
export function full(): usize {
  return fullDictionary;
}

/** Answers of `record`. */
const TAKEN: u32 = 0;
const LEFT: u32 = 1;
const NO_ROOM: u32 = 2;

/**
 * Takes those of the `count` rows listed at `rows` that fit the template, and lists the others at `left`; returns
 * how many those are. Payload r lies at bytes + offsets[r] … bytes + offsets[r + 1]. Row numbers in both lists
 * ascend; the lists may be the same.
 */
export function decode(template: usize, rows: usize, count: u32, left: usize, bytes: usize, offsets: usize): u32 {
  let leftCount: u32 = 0;
  const bytesMax = load<u32>(template, templateBytesMax);
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (usize(i) << 2));
    const from = load<u32>(offsets + (usize(row) << 2));
    const to = load<u32>(offsets + (usize(row) << 2), 4);
    const answer =
      to - from > bytesMax ? LEFT : record(template, bytes + from, bytes + to, usize(row), bytes);
    if (answer == TAKEN) continue;
    if (answer == NO_ROOM) {
      doneCount = i;
      return leftCount;
    }
    store<u32>(left + (usize(leftCount++) << 2), row);
  }
  doneCount = count;
  return leftCount;
}

// @ts-ignore: decorator
@inline
function literalEnd(p: usize, segment: usize, end: usize): usize {
  const differs = i8x16.bitmask(i8x16.ne(v128.load(p), v128.load(segment, segmentText)));
  if (u32(differs) & load<u32>(segment, segmentMask)) return 0;
  const length = usize(load<u32>(segment, segmentLength));
  return length > 16 ? longLiteralEnd(p, segment, length, end) : p + length;
}

function longLiteralEnd(p: usize, segment: usize, length: usize, end: usize): usize {
  if (p + length > end) return 0;
  const more = usize(load<u32>(segment, segmentMore));
  return memory.compare(p + 16, more, length - 16) == 0 ? p + length : 0;
}

// @ts-ignore: decorator
@inline
function record(template: usize, from: usize, end: usize, row: usize, bytes: usize): u32 {
  let p = from;
  for (let segment = template + templateHeader; ; segment += segmentBytes) {
    p = literalEnd(p, segment, end);
    if (p == 0) return LEFT;
    const kind = load<i32>(segment, segmentKind);
    if (kind == slotEnd) {
      if (p != end) return LEFT;
      break;
    }
    if (kind >= slotSkip) {
      const bracket = (load<u8>(p) | 0x20) == 0x7b;
      if (bracket && kind == slotScalar) return LEFT;
      p = bracket ? valueEnd(p, end, load<i32>(segment, segmentShift)) : scalarEnd(p, end);
      if (p == 0) return LEFT;
      continue;
    }
    const values = usize(load<u32>(segment, segmentValues));
    const valid = usize(load<u32>(segment, segmentValid)) + row;
    let to: usize = 0;
    switch (kind) {
      case slotFloat64:
        to = float64At(p, values + (row << 3), 0);
        break;
      case slotInt64:
        to = int64At(p, values + (row << 3));
        break;
      case slotBool:
        to = boolAt(p, values + row);
        break;
      case slotTime:
        to = timeAt(p, values + (row << 3), load<i32>(segment, segmentShift));
        break;
      case slotString:
        to = quoteAfter(p, end);
        if (to != 0) {
          const dictionary = usize(load<u32>(segment, segmentExtra));
          const code = codeOf(dictionary, p + 1, to - p - 1);
          if (code < 0) {
            fullDictionary = dictionary;
            return NO_ROOM;
          }
          store<i32>(values + (row << 2), code);
          to++;
        }
        break;
      case slotIso:
        to = quoteAfter(p, end);
        if (to != 0) to = isoAt(p + 1, to, values + (row << 3)) ? to + 1 : 0;
        break;
      case slotJson:
        // Not yet a code: where the text begins, complemented. Whoever called makes codes of them.
        if (isNull(p)) break;
        to = valueEnd(p, end, load<i32>(segment, segmentShift));
        store<i32>(values + (row << 2), ~i32(p - bytes));
        store<u32>(usize(load<u32>(segment, segmentExtra)) + (row << 2), u32(to - bytes));
        break;
    }
    if (to != 0) store<u8>(valid, 1);
    else {
      if (!isNull(p)) return LEFT;
      store<u8>(valid, 0);
      store<u32>(usize(load<u32>(segment, segmentNulls)), 1);
      to = p + 4;
    }
    p = to;
  }
  const absent = load<u32>(template, templateAbsentCount);
  if (absent != 0) putAbsent(usize(load<u32>(template, templateAbsent)), absent, row);
  return TAKEN;
}

function putAbsent(list: usize, count: u32, row: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = list + usize(i) * absentBytes;
    store<u8>(usize(load<u32>(at, absentValid)) + row, 0);
    store<u32>(usize(load<u32>(at, absentNulls)), 1);
  }
}
