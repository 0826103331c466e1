// A quantile sketch as a text that can travel in a payload, and back. Reads only what it is sure of: any
// other text is no sketch, and no text makes it take more room than a sketch may.
//
// The text is base64 (RFC 4648, section 4, padded) of these bytes. A number is an unsigned LEB128 varint of
// at most 53 bits.
//
//   bytes            what
//   0x44 0x44        "DD"
//   0x01             version of the format
//   number           relative error, in 1/10,000: 100 for 1 %
//   number           how many values are zero (magnitude below 1e-12)
//   positives        number n of buckets; if n > 0: number of the first bucket, zigzag (0, -1, 1, -2, … as
//                    0, 1, 2, 3, …), then n numbers: how many values each bucket holds
//   negatives        the same, by magnitude
//
// With the relative error a and g = (1 + a) / (1 - a), bucket i holds magnitudes above g^(i-1), up to g^i.

import { bucketsMax } from "./bounds.ts";
import { header, relativeError } from "./ddsketch.ts";

const magic = [0x44, 0x44];
const version = 1;
const errorUnits = relativeError * 10_000;
/** Farther from 0 than the bucket of any number that a column can hold. */
const bucketFarthest = 40_000;

/** The text of a sketch. The empty buckets at its ends are left away. */
export function textOf(sketch: Float64Array): string {
  const bytes = [...magic, version];
  put(bytes, errorUnits);
  put(bytes, sketch[0]!);
  const middle = header + sketch[2]!;
  putBuckets(bytes, sketch[1]!, sketch.subarray(header, middle));
  putBuckets(bytes, sketch[3]!, sketch.subarray(middle, middle + sketch[4]!));
  return Buffer.from(bytes).toString("base64");
}

function putBuckets(bytes: number[], first: number, counts: Float64Array): void {
  let from = 0;
  let to = counts.length;
  while (from < to && counts[from] === 0) from++;
  while (to > from && counts[to - 1] === 0) to--;
  put(bytes, to - from);
  if (from === to) return;
  const bucket = first + from;
  put(bytes, bucket < 0 ? -2 * bucket - 1 : 2 * bucket);
  for (let i = from; i < to; i++) put(bytes, counts[i]!);
}

/** Beyond 32 bits, so by division. */
function put(bytes: number[], number: number): void {
  let rest = number;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Reads numbers one after the other; NaN once something is not one. */
class NumberReader {
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  next(): number {
    let number = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined) return Number.NaN;
      number += (byte & 0x7f) * scale;
      if (byte < 0x80) return number <= Number.MAX_SAFE_INTEGER ? number : Number.NaN;
    }
    return Number.NaN;
  }
}

interface Buckets {
  readonly first: number;
  readonly counts: Float64Array;
}

/** The sketch that a text is; null when it is none, or of another version or error. */
export function sketchOf(text: string): Float64Array | null {
  const bytes = Buffer.from(text, "base64");
  // The decoder skips what is not base64; then the text does not come back.
  if (bytes.toString("base64") !== text) return null;
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1] || bytes[2] !== version) return null;
  const reader = new NumberReader(bytes.subarray(3));
  if (reader.next() !== errorUnits) return null;
  const zeros = reader.next();
  const positives = readBuckets(reader);
  const negatives = readBuckets(reader);
  if (Number.isNaN(zeros) || positives === null || negatives === null || !reader.atEnd) return null;
  return Float64Array.of(
    zeros,
    positives.first,
    positives.counts.length,
    negatives.first,
    negatives.counts.length,
    ...positives.counts,
    ...negatives.counts,
  );
}

function readBuckets(reader: NumberReader): Buckets | null {
  const size = reader.next();
  if (size === 0) return { first: 0, counts: new Float64Array(0) };
  if (!(size <= bucketsMax)) return null;
  const folded = reader.next();
  if (!(folded <= 2 * bucketFarthest)) return null;
  const counts = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    counts[i] = reader.next();
    if (Number.isNaN(counts[i])) return null;
  }
  return { first: folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2, counts };
}
