// DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", VLDB 12, 2019). Values fall into buckets whose bounds grow by a constant
// factor, so that any quantile is answered within 1 % of its value, and never beyond the smallest and the
// largest of them. When a sketch would need more buckets than its bound, the buckets nearest zero are
// joined: the high quantiles keep their accuracy.

import type { AggregateState } from "weir/sdk";
import { bucketsMax } from "./bounds.ts";

/** Answers are within this share of the true value. */
export const relativeError = 0.01;
const gamma = (1 + relativeError) / (1 - relativeError);
const logGamma = Math.log(gamma);
/** Smaller magnitudes count as zero. */
const magnitudeMin = 1e-12;
/**
 * A sketch is one Float64Array: [zeros, first bucket of the positives, how many, first bucket of the
 * negatives, how many, the smallest value, the largest, counts of the positives …, counts of the negatives …].
 */
export const header = 7;
export const smallestAt = 5;
export const largestAt = 6;
/** The most bytes that a sketch takes: buckets of both signs. */
export const sketchBytes: number = (header + 2 * bucketsMax) * 8;

function bucketOf(magnitude: number): number {
  return Math.ceil(Math.log(magnitude) / logGamma);
}

/** The bucket's lower bound and 1 % more: as far from both bounds. The last bucket ends beyond what a number can be. */
function middleOf(bucket: number): number {
  return Math.min(gamma ** (bucket - 1) * (1 + relativeError), Number.MAX_VALUE);
}

/** The sketch with room for `bucket` of a sign (0 positive, 1 negative), and that bucket's place in it. */
function withBucket(sketch: Float64Array, sign: 0 | 1, bucket: number): [Float64Array, number] {
  const firstAt = 1 + sign * 2;
  const first = sketch[firstAt]!;
  const size = sketch[firstAt + 1]!;
  const base = header + (sign === 0 ? 0 : sketch[2]!);
  if (size > 0 && bucket >= first && bucket < first + size) return [sketch, base + bucket - first];
  // A full sketch has no room nearer zero.
  if (size === bucketsMax && bucket < first) return [sketch, base];
  // A little room on both sides, so that a drifting value does not copy the sketch each time.
  const room = 8;
  let low = size === 0 ? bucket - room : Math.min(first, bucket - room);
  const high = size === 0 ? bucket + room : Math.max(first + size - 1, bucket + room);
  low = Math.max(low, high - bucketsMax + 1);
  const wider = new Float64Array(header + (high - low + 1) + sketch[2 + (1 - sign) * 2]!);
  wider.set(sketch.subarray(0, header));
  wider[firstAt] = low;
  wider[firstAt + 1] = high - low + 1;
  const otherBase = header + (sign === 0 ? sketch[2]! : 0);
  const other = sketch.subarray(otherBase, otherBase + sketch[2 + (1 - sign) * 2]!);
  const newBase = header + (sign === 0 ? 0 : other.length);
  wider.set(other, sign === 0 ? header + (high - low + 1) : header);
  for (let i = 0; i < size; i++) wider[newBase + Math.max(first + i, low) - low]! += sketch[base + i]!;
  return [wider, newBase + Math.max(bucket, low) - low];
}

/** The sketch with `value` added: the same one, or a wider one in its place. */
export function added(sketch: Float64Array, value: number): Float64Array {
  if (value < sketch[smallestAt]!) sketch[smallestAt] = value;
  if (value > sketch[largestAt]!) sketch[largestAt] = value;
  const magnitude = Math.abs(value);
  if (magnitude < magnitudeMin) {
    sketch[0]!++;
    return sketch;
  }
  const sign = value > 0 ? 0 : 1;
  const bucket = bucketOf(magnitude);
  // Nearly every value falls into a bucket that is there.
  const offset = bucket - sketch[1 + sign * 2]!;
  if (offset >= 0 && offset < sketch[2 + sign * 2]!) {
    sketch[header + (sign === 0 ? 0 : sketch[2]!) + offset]!++;
    return sketch;
  }
  const [wide, place] = withBucket(sketch, sign, bucket);
  wide[place]!++;
  return wide;
}

/** The value at rank `share` of a sketch, 0 the smallest and 1 the largest; NaN when it is empty. */
export function quantileOf(sketch: Float64Array, share: number): number {
  const [least, most] = [sketch[smallestAt]!, sketch[largestAt]!];
  if (share === 0 && Number.isFinite(least)) return least;
  if (share === 1 && Number.isFinite(most)) return most;
  return Math.max(least, Math.min(most, estimateOf(sketch, share)));
}

function estimateOf(sketch: Float64Array, share: number): number {
  const positives = sketch[2]!;
  const negatives = sketch[4]!;
  let total = sketch[0]!;
  for (let i = header; i < header + positives + negatives; i++) total += sketch[i]!;
  if (total === 0) return Number.NaN;
  let rank = share * (total - 1);
  for (let i = negatives - 1; i >= 0; i--) {
    rank -= sketch[header + positives + i]!;
    if (rank < 0) return -middleOf(sketch[3]! + i);
  }
  rank -= sketch[0]!;
  if (rank < 0) return 0;
  let answer = Number.NaN;
  for (let i = 0; i < positives; i++) {
    if (sketch[header + i] === 0) continue;
    rank -= sketch[header + i]!;
    answer = middleOf(sketch[1]! + i);
    if (rank < 0) break;
  }
  return answer;
}

export function emptySketch(): Float64Array {
  return Float64Array.of(0, 0, 0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
}

/** The sketch of a slot, an empty one when it has none. */
export function sketchAt(state: AggregateState, slot: number): Float64Array {
  let sketch = state.buffers[slot] as Float64Array | undefined;
  if (sketch === undefined) {
    sketch = emptySketch();
    state.buffers[slot] = sketch;
  }
  return sketch;
}

/** `sketch` with everything that `other` holds. */
export function joined(sketch: Float64Array, other: Float64Array): Float64Array {
  let result = sketch;
  result[0]! += other[0]!;
  result[smallestAt] = Math.min(result[smallestAt]!, other[smallestAt]!);
  result[largestAt] = Math.max(result[largestAt]!, other[largestAt]!);
  for (let i = 0; i < other[2]! + other[4]!; i++) {
    const times = other[header + i]!;
    if (times === 0) continue;
    const positive = i < other[2]!;
    const bucket = positive ? other[1]! + i : other[3]! + i - other[2]!;
    const [wide, place] = withBucket(result, positive ? 0 : 1, bucket);
    wide[place]! += times;
    result = wide;
  }
  return result;
}
