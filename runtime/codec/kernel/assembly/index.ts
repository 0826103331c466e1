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

import { begin, blockRows, listLeft, passEnd, passLead, putAbsent } from "./block";
import { column } from "./columns";
import { codeOf, rehash, seedHash } from "./dictionary";
import { decodeMessages, limitMessage, messageDone, messageNeeded } from "./message";
import { limitMsgpack } from "./msgpack-values";
import { messageNodes, segmentBytes, segmentKind, slotEnd, stencilLength, templateHeader } from "./shape";
import { next, oversize, splitLines } from "./lines";
import { writeRows } from "./rows";
import { decodeStencil, stencilDone, stencilNeeded } from "./stencil";
import { limit } from "./strings";
import { limitDepth } from "./values";

export { next, oversize, rehash, splitLines, writeRows };

/** Where free memory begins. */
export function heapStart(): usize {
  return __heap_base;
}

/** To be called once before anything else. */
export function configure(stringBytesMax: u32, payloadDepthMax: i32, seedLow: u64, seedHigh: u64): void {
  limit(stringBytesMax);
  limitDepth(payloadDepthMax);
  limitMsgpack(stringBytesMax, payloadDepthMax);
  limitMessage(stringBytesMax);
  seedHash(seedLow, seedHigh);
}

/** The code of a text, for rows that the exact reader took. -1 when there is no room. */
export function lookUp(dictionary: usize, text: usize, length: usize): i32 {
  return codeOf(dictionary, text, length);
}

/** After `decode`: how many of its rows it went through, and, when not all, the text that there was no room for. */
let doneCount: u32 = 0;
let neededLength: u32 = 0;
export function done(): u32 {
  return doneCount;
}
export function needed(): u32 {
  return neededLength;
}

/**
 * Takes those of the `count` rows listed at `rows` that fit the template, and lists the others at `left`; returns
 * how many those are. Payload r lies at bytes + offsets[r] … bytes + offsets[r + 1]. Row numbers in both lists
 * ascend; the lists may be the same.
 *
 * Slot by slot over a block of rows, not row by row: each loop is short, its branches are alike from row to row,
 * and one row's digits are turned into a number while the next row's literal is compared. A block stays in the
 * first-level cache.
 */
export function decode(template: usize, rows: usize, count: u32, left: usize, bytes: usize, offsets: usize): u32 {
  if (load<u32>(template, stencilLength) != 0) {
    const remaining = decodeStencil(template, rows, count, left, bytes, offsets);
    doneCount = stencilDone();
    neededLength = stencilNeeded();
    return remaining;
  }
  if (load<u32>(template, messageNodes) != 0) {
    const remaining = decodeMessages(template, rows, count, left, bytes, offsets);
    doneCount = messageDone();
    neededLength = messageNeeded();
    return remaining;
  }
  let leftCount: u32 = 0;
  for (let from: u32 = 0; from < count; from += blockRows) {
    const size = min<u32>(blockRows, count - from);
    begin(template, rows + (usize(from) << 2), size, bytes, offsets);
    let segment = template + templateHeader;
    for (; load<i32>(segment, segmentKind) != slotEnd; segment += segmentBytes) {
      passLead(segment, size);
      neededLength = column(segment, size, bytes);
      if (neededLength != 0) {
        doneCount = from;
        return leftCount;
      }
    }
    passLead(segment, size);
    const fit = passEnd(segment, size);
    if (fit < size) leftCount = listLeft(size, left, leftCount);
    putAbsent(template, size);
  }
  doneCount = count;
  return leftCount;
}
