// A quantile sketch as a text that can travel in a payload, and back. Reads only what it is sure of: any
// other text is no sketch, and no text makes it take more room than a sketch may.
//
// Texts, numbers and the first bytes are those of sketch-bytes.ts.
//
//   bytes            what
//   0x44 0x44 0x02   "DD", version 2
//   number           relative error, in 1/10,000: 100 for 1 %
//   8 bytes          the smallest value, IEEE 754 binary64, little endian; Infinity where there is none
//   8 bytes          the largest value; -Infinity where there is none
//   number           how many values are zero (magnitude below 1e-12)
//   positives        number n of buckets; if n > 0: number of the first bucket, zigzag (0, -1, 1, -2, … as
//                    0, 1, 2, 3, …), then n numbers: how many values each bucket holds
//   negatives        the same, by magnitude
//
// With the relative error a and g = (1 + a) / (1 - a), bucket i holds magnitudes above g^(i-1), up to g^i.
// Version 1, which is read as well, does not say the smallest and the largest value.

import { bucketsMax } from "./bounds.ts";
import { header, largestAt, relativeError, smallestAt } from "./ddsketch.ts";
import { type NumberReader, putNumber, reading, textOfBytes } from "./sketch-bytes.ts";

const magic = "DD";
const version = 2;
/** The first version, whose values are of any size. */
const unbounded = 1;
const errorUnits = relativeError * 10_000;
/** Farther from 0 than the bucket of any number that a column can hold. */
const bucketFarthest = 40_000;

/** The text of a sketch. The empty buckets at its ends are left away. */
export function textOf(sketch: Float64Array): string {
  const bytes: number[] = [];
  putNumber(bytes, errorUnits);
  bytes.push(...new Uint8Array(littleEndian(sketch[smallestAt]!, sketch[largestAt]!)));
  putNumber(bytes, sketch[0]!);
  const middle = header + sketch[2]!;
  putBuckets(bytes, sketch[1]!, sketch.subarray(header, middle));
  putBuckets(bytes, sketch[3]!, sketch.subarray(middle, middle + sketch[4]!));
  return textOfBytes(magic, version, bytes);
}

function littleEndian(...numbers: readonly number[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(numbers.length * 8));
  for (const [place, number] of numbers.entries()) view.setFloat64(place * 8, number, true);
  return view.buffer;
}

function putBuckets(bytes: number[], first: number, counts: Float64Array): void {
  let from = 0;
  let to = counts.length;
  while (from < to && counts[from] === 0) from++;
  while (to > from && counts[to - 1] === 0) to--;
  putNumber(bytes, to - from);
  if (from === to) return;
  const bucket = first + from;
  putNumber(bytes, bucket < 0 ? -2 * bucket - 1 : 2 * bucket);
  for (let i = from; i < to; i++) putNumber(bytes, counts[i]!);
}

interface Buckets {
  readonly first: number;
  readonly counts: Float64Array;
}

/** The sketch that a text is; null when it is none, or of another version or error. */
export function sketchOf(text: string): Float64Array | null {
  const bounded = reading(text, magic, version);
  const reader = bounded ?? reading(text, magic, unbounded);
  if (reader?.next() !== errorUnits) return null;
  const bounds = bounded === null ? anything : readBounds(bounded);
  const zeros = reader.next();
  const positives = readBuckets(reader);
  const negatives = readBuckets(reader);
  if (bounds === null || Number.isNaN(zeros) || positives === null || negatives === null) return null;
  if (!reader.atEnd) return null;
  return Float64Array.of(
    zeros,
    positives.first,
    positives.counts.length,
    negatives.first,
    negatives.counts.length,
    ...bounds,
    ...positives.counts,
    ...negatives.counts,
  );
}

/** The smallest and the largest value, where nobody has said them. */
const anything: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

function readBounds(reader: NumberReader): readonly [number, number] | null {
  const bytes = reader.take(16);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const [least, most] = [view.getFloat64(0, true), view.getFloat64(8, true)];
  const isEmpty = least === Number.POSITIVE_INFINITY && most === Number.NEGATIVE_INFINITY;
  const isRange = Number.isFinite(least) && Number.isFinite(most) && least <= most;
  return isEmpty || isRange ? [least, most] : null;
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
