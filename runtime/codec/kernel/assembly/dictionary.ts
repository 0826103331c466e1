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
export function headOf(bytes: v128, length: usize): v128 {
  return v128.and(bytes, v128.load(heads + 16 - length));
}

/**
 * One product is turned before they meet: the upper bits of a word change the upper bits of its product alone, so that texts
 * with two such bits changed would otherwise meet for half of all secrets.
 */
// @ts-ignore: decorator
@inline
function mixed(bytes: v128, low: u64, high: u64): u64 {
  return (u64(i64x2.extract_lane(bytes, 0)) * low) ^ rotl<u64>(u64(i64x2.extract_lane(bytes, 1)) * high, 29);
}

/**
 * Mixes once more. Keys that differ in a few digits only make a lattice, which one product may leave as clusters: of a
 * thousand device names, half were then far from their place for an unlucky secret, now 3 % for any.
 */
// @ts-ignore: decorator
@inline
function folded(hash: u64, low: u64): u64 {
  return (hash ^ (hash >>> 32)) * low;
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
    hash = folded(hash, multiplierLow);
    at += 16;
    rest -= 16;
  }
  return u32(folded(hash ^ mixed(headOf(v128.load(at), rest), multiplierLow, multiplierHigh), multiplierLow) >>> 32);
}

// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  while (length - i > 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    i += 16;
  }
  return !v128.any_true(v128.xor(headOf(v128.load(a + i), length - i), headOf(v128.load(b + i), length - i)));
}

/**
 * What the place of a text begins with: its first sixteen bytes, which tell how long it is when that is less, as none
 * of them is 0. But texts with control characters or backslashes are hidden from `nearPlace` behind bytes that no text
 * has: written as they are, between quotes, they are no JSON or another text.
 */
function keyOf(text: usize, length: usize): v128 {
  const size = min<usize>(length, 16);
  const head = headOf(v128.load(text), size);
  const special = v128.or(i8x16.lt_u(head, i8x16.splat(0x20)), i8x16.eq(head, i8x16.splat(0x5c)));
  return (u32(i8x16.bitmask(special)) & ((1 << u32(size)) - 1)) == 0 ? head : i8x16.splat(-1);
}

/**
 * Where the text of fewer than sixteen bytes stands whose head is given, if it is in its place or the one behind; else
 * any other place. Without a branch. `low` and `high` are the multipliers, `shift` is the dictionary's and 32. A free
 * place holds the empty text, and no code.
 */
// @ts-ignore: decorator
@inline
export function nearPlace(places: usize, shift: u64, head: v128, low: u64, high: u64): usize {
  const first = places + usize(folded(mixed(head, low, high), low) >>> shift) * dictionaryPlaceBytes;
  // Behind the last place there is one more, which is always free.
  return first + usize(v128.any_true(v128.xor(v128.load(first), head))) * dictionaryPlaceBytes;
}

/** The same for a text of fewer than eight bytes. Places of other texts begin with other words, as no byte of a text is 0. */
// @ts-ignore: decorator
@inline
export function nearShortPlace(places: usize, shift: u64, head: u64, low: u64): usize {
  const first = places + usize(folded(head * low, low) >>> shift) * dictionaryPlaceBytes;
  return first + usize(load<u64>(first) != head) * dictionaryPlaceBytes;
}

/** What `hashOf` gives for a text of fewer than sixteen bytes, which is the head and zeros. */
// @ts-ignore: decorator
@inline
export function hashOfHead(head: v128): u32 {
  return u32(folded(mixed(head, multiplierLow, multiplierHigh), multiplierLow) >>> 32);
}

/**
 * The same as `codeOf` for such a text, of which no place hides anything. -1 also where there is no room for sixteen bytes more.
 */
// @ts-ignore: decorator
@inline
export function codeOfShort(dictionary: usize, head: v128, length: usize, hash: u32): i32 {
  const places = usize(load<u32>(dictionary, dictionaryPlaces));
  const shift = load<u32>(dictionary, dictionaryShift);
  let index = hash >>> shift;
  while (true) {
    const place = places + usize(index) * dictionaryPlaceBytes;
    const found = load<u32>(place, placeCode);
    if (found == 0) {
      const code = appendShort(dictionary, head, length);
      if (code >= 0) settle(place, head, length, code, hash);
      return code;
    }
    if (!v128.any_true(v128.xor(v128.load(place), head))) return i32(found) - 1;
    index = (index + 1) & (0xffffffff >>> shift);
  }
}

// @ts-ignore: decorator
@inline
function appendShort(dictionary: usize, head: v128, length: usize): i32 {
  const count = load<u32>(dictionary, dictionaryCount);
  const used = load<u32>(dictionary, dictionaryUsed);
  if (count >= load<u32>(dictionary, dictionaryCountMax) || used + 16 > load<u32>(dictionary, dictionaryUsedMax))
    return -1;
  v128.store(usize(load<u32>(dictionary, dictionaryText)) + usize(used), head);
  store<u32>(usize(load<u32>(dictionary, dictionaryEnds)) + (usize(count) << 2), used + u32(length));
  store<u32>(dictionary, count + 1, dictionaryCount);
  store<u32>(dictionary, used + u32(length), dictionaryUsed);
  return i32(count);
}

/** The code of the text, given one when it has none; -1 when there is no room for it. */
export function codeOf(dictionary: usize, text: usize, length: usize): i32 {
  const hash = hashOf(text, length);
  const key = keyOf(text, length);
  const places = usize(load<u32>(dictionary, dictionaryPlaces));
  const shift = load<u32>(dictionary, dictionaryShift);
  let index = hash >>> shift;
  while (true) {
    const place = places + usize(index) * dictionaryPlaceBytes;
    const found = load<u32>(place, placeCode);
    if (found == 0) {
      const code = append(dictionary, text, length);
      if (code >= 0) settle(place, key, length, code, hash);
      return code;
    }
    if (load<u32>(place, placeHash) == hash && usize(load<u32>(place, placeLength)) == length) {
      if (equal(textOf(dictionary, found), text, length)) return i32(found) - 1;
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

function settle(place: usize, key: v128, length: usize, code: i32, hash: u32): void {
  v128.store(place, key);
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
