// Texts to codes by their bytes: open addressing with linear probing, texts appended one behind the other.
// Never grows by itself: the owner of the memory makes room and calls again.

import {
  dictionaryCount,
  dictionaryCountMax,
  dictionaryEnds,
  dictionaryPlaceBytes,
  dictionaryPlaces,
  dictionaryShift,
  dictionaryText,
  dictionaryUsed,
  dictionaryUsedMax,
  placeCode,
  placeHash,
  placeLength,
} from "./shape";
import { heads } from "./tables";

/** Secret odd multipliers: nobody can send keys that all meet in one place. */
export let multiplierLow: u64 = 0x9e3779b97f4a7c15;
export let multiplierHigh: u64 = 0xbf58476d1ce4e5b9;
export function seedHash(low: u64, high: u64): void {
  multiplierLow = low | 1;
  multiplierHigh = high | 1;
}

/** The first `length` of sixteen bytes, and zeros. */
// @ts-ignore: decorator
@inline
function headOf(text: usize, length: usize): v128 {
  return v128.and(v128.load(text), v128.load(heads + 16 - length));
}

// @ts-ignore: decorator
@inline
function mixed(bytes: v128, low: u64, high: u64): u64 {
  return (u64(i64x2.extract_lane(bytes, 0)) * low) ^ (u64(i64x2.extract_lane(bytes, 1)) * high);
}

/** Only the upper half of a product depends on every bit of what was multiplied. */
// @ts-ignore: decorator
@inline
function hashOf(text: usize, length: usize): u32 {
  let hash: u64 = 0;
  let at = text;
  let rest = length;
  while (rest > 16) {
    hash ^= mixed(v128.load(at), multiplierLow, multiplierHigh);
    hash = (hash ^ (hash >>> 32)) * multiplierLow;
    at += 16;
    rest -= 16;
  }
  return u32((hash ^ mixed(headOf(at, rest), multiplierLow, multiplierHigh)) >>> 32);
}

// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  while (length - i > 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    i += 16;
  }
  return !v128.any_true(v128.xor(headOf(a + i, length - i), headOf(b + i, length - i)));
}

// @ts-ignore: decorator
@inline
function differs(place: usize, head: v128, length: usize): u32 {
  return u32(v128.any_true(v128.xor(v128.load(place), head))) | u32(usize(load<u32>(place, placeLength)) != length);
}

/**
 * The code of a text of up to sixteen bytes, when it stands in its place or the one behind; else -1. Without a
 * branch. `low` and `high` are the multipliers.
 */
// @ts-ignore: decorator
@inline
export function nearCode(places: usize, shift: u32, text: usize, length: usize, low: u64, high: u64): i32 {
  const head = headOf(text, length);
  const index = u32(mixed(head, low, high) >>> 32) >>> shift;
  const first = places + usize(index) * dictionaryPlaceBytes;
  // Behind the last place there is one more, which is always free.
  const place = first + (usize(differs(first, head, length) != 0) * dictionaryPlaceBytes);
  // A free place holds the empty text and the code -1.
  return select<i32>(-1, i32(load<u32>(place, placeCode)) - 1, differs(place, head, length));
}

/** The code of the text, given one when it has none; -1 when there is no room for it. */
export function codeOf(dictionary: usize, text: usize, length: usize): i32 {
  const hash = hashOf(text, length);
  const head = headOf(text, min<usize>(length, 16));
  const places = usize(load<u32>(dictionary, dictionaryPlaces));
  const shift = load<u32>(dictionary, dictionaryShift);
  let index = hash >>> shift;
  while (true) {
    const place = places + usize(index) * dictionaryPlaceBytes;
    const found = load<u32>(place, placeCode);
    if (found == 0) {
      const code = append(dictionary, text, length);
      if (code >= 0) settle(place, head, length, code, hash);
      return code;
    }
    if (load<u32>(place, placeHash) == hash && differs(place, head, length) == 0) {
      if (length <= 16 || equal(textOf(dictionary, found), text, length)) return i32(found) - 1;
    }
    index = (index + 1) & (0xffffffff >>> shift);
  }
}

// @ts-ignore: decorator
@inline
function textOf(dictionary: usize, found: u32): usize {
  const start = load<u32>(usize(load<u32>(dictionary, dictionaryEnds)) + (usize(found) << 2) - 8);
  return usize(load<u32>(dictionary, dictionaryText)) + usize(start);
}

function settle(place: usize, head: v128, length: usize, code: i32, hash: u32): void {
  v128.store(place, head);
  store<u32>(place, u32(length), placeLength);
  store<u32>(place, u32(code) + 1, placeCode);
  store<u32>(place, hash, placeHash);
}

function append(dictionary: usize, text: usize, length: usize): i32 {
  const count = load<u32>(dictionary, dictionaryCount);
  const used = load<u32>(dictionary, dictionaryUsed);
  const end = used + u32(length);
  if (count >= load<u32>(dictionary, dictionaryCountMax) || end > load<u32>(dictionary, dictionaryUsedMax)) return -1;
  memory.copy(usize(load<u32>(dictionary, dictionaryText)) + usize(used), text, length);
  store<u32>(usize(load<u32>(dictionary, dictionaryEnds)) + (usize(count) << 2), end);
  store<u32>(dictionary, count + 1, dictionaryCount);
  store<u32>(dictionary, end, dictionaryUsed);
  return i32(count);
}

/** Moves the dictionary's places to a larger table, which is all zeros. */
export function rehash(dictionary: usize, places: usize, shift: u32): void {
  const old = usize(load<u32>(dictionary, dictionaryPlaces));
  const count = usize(0xffffffff >>> load<u32>(dictionary, dictionaryShift)) + 1;
  for (let i: usize = 0; i < count; i++) {
    const from = old + i * dictionaryPlaceBytes;
    if (load<u32>(from, placeCode) == 0) continue;
    let index = load<u32>(from, placeHash) >>> shift;
    while (load<u32>(places + usize(index) * dictionaryPlaceBytes, placeCode) != 0)
      index = (index + 1) & (0xffffffff >>> shift);
    memory.copy(places + usize(index) * dictionaryPlaceBytes, from, dictionaryPlaceBytes);
  }
  store<u32>(dictionary, u32(places), dictionaryPlaces);
  store<u32>(dictionary, shift, dictionaryShift);
}
