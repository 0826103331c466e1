// A hash with a secret: who does not know it cannot send keys that all meet in one place of a table.

import { randomBytes } from "node:crypto";

export interface HashSecret {
  readonly low: number;
  readonly high: number;
}

export function makeSecret(): HashSecret {
  const bytes = randomBytes(8);
  return { low: bytes.readInt32LE(0), high: bytes.readInt32LE(4) };
}

/**
 * HalfSipHash-1-3 of the words `from … to - 1` (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), but for
 * the round over their number, which tells words from those that go on: no key is the beginning of another.
 */
export function hashWords(words: Int32Array, from: number, to: number, { low, high }: HashSecret): number {
  let a = low;
  let b = high;
  let c = low ^ 0x6c796765;
  let d = high ^ 0x74656462;
  for (let i = from; i < to; i++) {
    const word = words[i]!;
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  c ^= 0xff;
  for (let round = 0; round < 3; round++) {
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
  }
  return b ^ d;
}
