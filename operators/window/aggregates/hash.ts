// Values of any type to numbers that tell them apart: 52 bits, as an integer in a double. Texts are
// hashed once for each entry of their dictionary.

import type { Column, Dictionary } from "weir/sdk";

const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);

/** 32 bits of a 64-bit input, well mixed (the finaliser of MurmurHash3 by Austin Appleby, public domain). */
function mix(low: number, high: number): number {
  let hash = Math.imul(low ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 52 bits, as an integer in a double: 32 that are counted by and 20 that tell values apart. */
function joined(low: number, high: number): number {
  return mix(low, high) * 2 ** 20 + (mix(high ^ 0x5bd1e995, low) >>> 12);
}

function hashNumber(value: number): number {
  bits[0] = value === 0 ? 0 : value;
  return joined(words[0]!, words[1]!);
}

function hashText(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995) ^ (high >>> 15);
  }
  return joined(low, high);
}

const hashesOf = new WeakMap<Dictionary, number[]>();

/** The hash of a value that is not null. */
export function hashAt(column: Column, row: number): number {
  if (column.type === "int64") return hashText(column.values[row]!.toString());
  if (column.type !== "string" && column.type !== "json") return hashNumber(column.values[row]!);
  let hashes = hashesOf.get(column.dictionary);
  if (hashes === undefined) {
    hashes = [];
    hashesOf.set(column.dictionary, hashes);
  }
  const code = column.values[row]!;
  hashes[code] ??= hashText(column.dictionary.text(code));
  return hashes[code];
}
