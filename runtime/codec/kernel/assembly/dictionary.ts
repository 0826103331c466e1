// Texts to codes by their bytes: open addressing with linear probing, texts appended one behind the other.
// Never grows by itself: the owner of the memory makes room and calls again.

import {
  dictionaryCount,
  dictionaryCountMax,
  dictionaryEnds,
  dictionaryMask,
  dictionaryPlaces,
  dictionaryText,
  dictionaryUsed,
  dictionaryUsedMax,
} from "./shape";
import { heads } from "./tables";

/** Differs from process to process, so that nobody can send keys that all meet in one place. */
let seed: u64 = 0x9e3779b97f4a7c15;
export function seedHash(value: u64): void {
  seed = value | 1;
}

// @ts-ignore: decorator
@inline
function head(bytes: usize): v128 {
  return v128.load(heads + 16 - bytes);
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, bytes: v128): u64 {
  const low = (hash ^ u64(i64x2.extract_lane(bytes, 0))) * 0xbf58476d1ce4e5b9;
  const high = (rotl<u64>(low, 32) ^ u64(i64x2.extract_lane(bytes, 1))) * 0x94d049bb133111eb;
  return high ^ (high >>> 29);
}

// @ts-ignore: decorator
@inline
function hashOf(text: usize, length: usize): u32 {
  let hash = seed + u64(length);
  let at = text;
  let rest = length;
  while (rest > 16) {
    hash = mix(hash, v128.load(at));
    at += 16;
    rest -= 16;
  }
  hash = mix(hash, v128.and(v128.load(at), head(rest))) * seed;
  return u32(hash >>> 32);
}

// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  while (length - i > 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    i += 16;
  }
  return !v128.any_true(v128.and(v128.xor(v128.load(a + i), v128.load(b + i)), head(length - i)));
}

/** The code of the text, or -1 when it has none. */
// @ts-ignore: decorator
@inline
export function knownCode(places: usize, mask: u32, ends: usize, texts: usize, text: usize, length: usize): i32 {
  const hash = hashOf(text, length);
  let at = places + (usize(hash & mask) << 3);
  let found = load<u32>(at, 4);
  while (found != 0 && load<u32>(at) != hash) {
    at = places + (((at - places) + 8) & ((usize(mask) << 3) | 7));
    found = load<u32>(at, 4);
  }
  if (found == 0) return -1;
  // Another text of the same hash is as good as none: whoever asks then looks closer.
  const entry = ends + (usize(found) << 2);
  const start = usize(load<u32>(entry - 8));
  if (usize(load<u32>(entry - 4)) - start != length || !equal(texts + start, text, length)) return -1;
  return i32(found) - 1;
}

/** The code of the text, given one when it has none; -1 when there is no room for it. */
export function codeOf(dictionary: usize, text: usize, length: usize): i32 {
  const hash = hashOf(text, length);
  const places = usize(load<u32>(dictionary, dictionaryPlaces));
  const mask = load<u32>(dictionary, dictionaryMask);
  const ends = usize(load<u32>(dictionary, dictionaryEnds));
  const texts = usize(load<u32>(dictionary, dictionaryText));
  let place = hash & mask;
  while (true) {
    const at = places + (usize(place) << 3);
    const found = load<u32>(at, 4);
    if (found == 0) return insert(dictionary, at, hash, text, length);
    if (load<u32>(at) == hash) {
      const entry = ends + (usize(found) << 2);
      const start = usize(load<u32>(entry - 8));
      if (usize(load<u32>(entry - 4)) - start == length && equal(texts + start, text, length))
        return i32(found) - 1;
    }
    place = (place + 1) & mask;
  }
}

function insert(dictionary: usize, place: usize, hash: u32, text: usize, length: usize): i32 {
  const count = load<u32>(dictionary, dictionaryCount);
  const used = load<u32>(dictionary, dictionaryUsed);
  const end = used + u32(length);
  if (count >= load<u32>(dictionary, dictionaryCountMax) || end > load<u32>(dictionary, dictionaryUsedMax)) return -1;
  memory.copy(usize(load<u32>(dictionary, dictionaryText)) + used, text, length);
  store<u32>(usize(load<u32>(dictionary, dictionaryEnds)) + (usize(count) << 2), end);
  store<u32>(place, hash);
  store<u32>(place, count + 1, 4);
  store<u32>(dictionary, count + 1, dictionaryCount);
  store<u32>(dictionary, end, dictionaryUsed);
  return i32(count);
}

/** Moves the dictionary's places to a larger table, which is all zeros. */
export function rehash(dictionary: usize, places: usize, mask: u32): void {
  const old = usize(load<u32>(dictionary, dictionaryPlaces));
  const count = usize(load<u32>(dictionary, dictionaryMask)) + 1;
  for (let i: usize = 0; i < count; i++) {
    const from = old + (i << 3);
    if (load<u32>(from, 4) == 0) continue;
    let place = load<u32>(from) & mask;
    while (load<u32>(places + (usize(place) << 3), 4) != 0) place = (place + 1) & mask;
    store<u64>(places + (usize(place) << 3), load<u64>(from));
  }
  store<u32>(dictionary, u32(places), dictionaryPlaces);
  store<u32>(dictionary, mask, dictionaryMask);
}
