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

/** HalfSipHash-1-3 of the words `from … to - 1` (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
export function hashWords(words: Int32Array, from: number, to: number, { low, high }: HashSecret): number {
  let a = low | 0;
  let b = high | 0;
  let c = low ^ 0x6c796765;
  let d = high ^ 0x74656462;
  // One round for each word and for the count, which is the word behind them, three to finish.
  for (let i = from; i <= to; i++) {
    const word = i < to ? words[i]! : (to - from) << 26;
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
