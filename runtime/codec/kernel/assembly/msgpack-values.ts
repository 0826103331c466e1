// MessagePack values one at a time: how long they are and what number they hold. Trusts nothing: a length is only an
// offer, and whoever asks compares the end with the record's.

import { nextCharacter } from "./strings";

/** By token, so many bytes: its value or length field included, a body of that length not. 0 where there is no such token. */
const headers: usize = memory.data<u8>([1, 0, 1, 1, 2, 3, 5, 3, 4, 6, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 2, 3, 5, 3, 5, 3, 5]);

/**
 * For the numbers, by token, 32 bytes: where each of eight bytes of a little-endian integer comes from, how far it is
 * shifted to and fro for its sign, and how long it is. A length of 0 means no integer.
 */
export const integers: usize = memory.data(256 * 32, 16);
export const integerShift: usize = 16;
export const integerLength: usize = 24;

function fillInteger(token: u32, from: u32, bytes: u32, signed: bool): void {
  const entry = integers + (usize(token) << 5);
  for (let i: u32 = 0; i < 16; i++) store<u8>(entry + usize(i), i < bytes ? u8(from + bytes - 1 - i) : 0xff);
  store<u64>(entry, signed ? u64(64 - bytes * 8) : 0, integerShift);
  store<u64>(entry, u64(from + bytes), integerLength);
}

/** By token, how long the whole value is; 0 where that takes more than the token to tell. */
export const plainLengths: usize = memory.data(256, 16);

function fillLengths(): void {
  for (let token: u32 = 0; token < 0x100; token++) {
    let length: u32 = token < 0x80 || token >= 0xe0 ? 1 : 0;
    if (token >> 5 == 5) length = 1 + (token & 0x1f);
    const fixed = token >= 0xc0 && (token <= 0xc3 || (token >= 0xca && token <= 0xd8));
    if (fixed) length = u32(load<u8>(headers + usize(token - 0xc0)));
    store<u8>(plainLengths + usize(token), u8(length));
  }
}

function fill(): void {
  fillLengths();
  for (let token: u32 = 0; token < 0x80; token++) fillInteger(token, 0, 1, false);
  for (let token: u32 = 0xe0; token < 0x100; token++) fillInteger(token, 0, 1, true);
  for (let power: u32 = 0; power < 4; power++) {
    fillInteger(0xcc + power, 1, 1 << power, false);
    fillInteger(0xd0 + power, 1, 1 << power, true);
  }
}

fill();

/** The eight bytes of a float64 the other way round. */
export const swapped: usize = memory.data<u8>([7, 6, 5, 4, 3, 2, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 16);

// @ts-ignore: decorator
@inline
export function float64Bits(p: usize, swap: v128): i64 {
  return i64x2.extract_lane(i8x16.swizzle(v128.load(p), swap), 0);
}

/** The integer at `p`, of whose token `entry` tells. */
// @ts-ignore: decorator
@inline
export function integerBits(p: usize, entry: usize): i64 {
  const bits = i64x2.extract_lane(i8x16.swizzle(v128.load(p), v128.load(entry)), 0);
  const shift = load<i64>(entry, integerShift);
  return (bits << shift) >> shift;
}

/** A length of two or four bytes, or of one. */
export function lengthAt(p: usize, bytes: usize): u32 {
  if (bytes == 1) return u32(load<u8>(p));
  return bytes == 2 ? u32(bswap(load<u16>(p))) : bswap(load<u32>(p));
}

let depthMax: i32 = 0;
let textMax: u32 = 0;
export function limitMsgpack(stringBytesMax: u32, payloadDepthMax: i32): void {
  textMax = stringBytesMax;
  depthMax = payloadDepthMax;
}

/** Where the body of the string at `p` begins, or 0 where there is none. `textLength` tells how long it is. */
let bodyLength: u32 = 0;
export function textLength(): u32 {
  return bodyLength;
}
export function textAt(p: usize): usize {
  const token = u32(load<u8>(p));
  if (token >> 5 == 5) {
    bodyLength = token & 0x1f;
    return p + 1;
  }
  if (token < 0xd9 || token > 0xdb) return 0;
  const bytes: usize = 1 << (token - 0xd9);
  bodyLength = lengthAt(p + 1, bytes);
  return bodyLength > textMax ? 0 : p + 1 + bytes;
}

/** True when `from … to` is well-formed UTF-8. */
export function isUtf8(from: usize, to: usize): bool {
  let at = from;
  while (at < to) {
    at = load<u8>(at) < 0x80 ? at + 1 : nextCharacter(at);
    if (at == 0) return false;
  }
  return at == to;
}

/** Where the value at `p` ends, an array or map included, or 0. `depth` is its own, were it one of those. */
export function msgpackEnd(p: usize, end: usize, depth: i32): usize {
  if (p >= end) return 0;
  const token = u32(load<u8>(p));
  if (token < 0x80 || token >= 0xe0) return p + 1;
  if (token < 0x90) return manyEnd(p + 1, end, (token & 0x0f) << 1, depth);
  if (token < 0xa0) return manyEnd(p + 1, end, token & 0x0f, depth);
  if (token < 0xc0) return within(p + 1, token & 0x1f, end);
  const header = usize(load<u8>(headers + usize(token - 0xc0)));
  const body = p + header;
  if (header == 0 || body > end) return 0;
  if (token >= 0xde) {
    const count = lengthAt(p + 1, header - 1);
    return count > u32(end - p) ? 0 : manyEnd(body, end, count << 1, depth);
  }
  if (token >= 0xdc) return manyEnd(body, end, lengthAt(p + 1, header - 1), depth);
  if (token >= 0xd9 || token <= 0xc3) return token <= 0xc3 ? body : within(body, lengthAt(p + 1, header - 1), end);
  if (token <= 0xc6) return within(body, lengthAt(p + 1, header - 1), end);
  // An extension's type stands behind its length.
  return token <= 0xc9 ? within(body, lengthAt(p + 1, header - 2), end) : body;
}

// @ts-ignore: decorator
@inline
function within(body: usize, length: u32, end: usize): usize {
  return u64(body) + u64(length) <= u64(end) ? body + usize(length) : 0;
}

function manyEnd(p: usize, end: usize, count: u32, depth: i32): usize {
  if (depth > depthMax || count > u32(end - p)) return 0;
  let at = p;
  for (let i: u32 = 0; i < count && at != 0; i++) at = msgpackEnd(at, end, depth + 1);
  return at;
}
