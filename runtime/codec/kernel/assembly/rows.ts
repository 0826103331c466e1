// Columns to JSON objects: for each row the members in their order, each a text that is the same in every row and
// a value. The counterpart of a template; knows no more of JSON than how numbers, true, false and null are written.

import { putNumber } from "./decimal";
import {
  memberBool,
  memberBytes,
  memberEnds,
  memberKind,
  memberLength,
  memberNumber,
  memberText,
  memberValid,
  memberValues,
} from "./shape";

/** Copies sixteen bytes at a time, and may write fifteen too many. */
// @ts-ignore: decorator
@inline
function putText(out: usize, text: usize, length: usize): usize {
  v128.store(out, v128.load(text));
  for (let i: usize = 16; i < length; i += 16) v128.store(out + i, v128.load(text + i));
  return out + length;
}

/** Where the value of a row ends, or 0 where it cannot be written here. */
// @ts-ignore: decorator
@inline
function putValue(out: usize, member: usize, row: usize): usize {
  const valid = usize(load<u32>(member, memberValid));
  if (valid != 0 && load<u8>(valid + row) == 0) {
    store<u32>(out, 0x6c6c756e);
    return out + 4;
  }
  const values = usize(load<u32>(member, memberValues));
  switch (load<i32>(member, memberKind)) {
    case memberNumber:
      return putNumber(out, load<f64>(values + (row << 3)));
    case memberBool: {
      const yes = load<u8>(values + row) != 0;
      store<u64>(out, yes ? 0x65757274 : 0x65736c6166);
      return out + (yes ? 4 : 5);
    }
    default: {
      const ends = usize(load<u32>(member, memberEnds)) + (row << 2);
      const start = usize(load<u32>(ends));
      return putText(out, values + start, usize(load<u32>(ends, 4)) - start);
    }
  }
}

/** Writes `count` rows one behind the other from `out` on, and at `ends` where each ends; how many it could write. */
export function writeRows(members: usize, memberCount: u32, count: u32, out: usize, ends: usize): u32 {
  const last = members + usize(memberCount) * memberBytes;
  let at = out;
  for (let row: usize = 0; row < usize(count); row++) {
    for (let member = members; member < last; member += memberBytes) {
      at = putText(at, usize(load<u32>(member, memberText)), usize(load<u32>(member, memberLength)));
      at = putValue(at, member, row);
      if (at == 0) return u32(row);
    }
    store<u8>(at++, 0x7d);
    store<u32>(ends + (row << 2), u32(at - out));
  }
  return count;
}
