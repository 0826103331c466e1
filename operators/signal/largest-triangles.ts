// Largest triangle three buckets, on plain numbers: which points of a curve stand for all. After the
// paper (Steinarsson 2013); knows no keys and no records.

/**
 * Writes to `chosen` the places of the points that are taken of the first `count`, ascending; returns how
 * many: as many as `chosen` has room for, at least 3, or all when there are no more than that.
 */
export function largestTriangles(
  x: Float64Array,
  y: Float64Array,
  count: number,
  chosen: Uint32Array,
): number {
  const points = chosen.length;
  if (count <= points) {
    for (let place = 0; place < count; place++) chosen[place] = place;
    return count;
  }
  const buckets = points - 2;
  const starts = (bucket: number): number => 1 + Math.floor((bucket * (count - 2)) / buckets);
  let taken = 0;
  chosen[0] = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const end = starts(bucket + 1);
    // Behind the last bucket there is the last point alone.
    const nextEnd = bucket === buckets - 1 ? count : starts(bucket + 2);
    taken = farthest(x, y, taken, starts(bucket), end, nextEnd);
    chosen[bucket + 1] = taken;
  }
  chosen[points - 1] = count - 1;
  return points;
}

/** The place from `start` to below `end` whose triangle with `before` and the mean of `end … nextEnd - 1` is the largest. */
function farthest(
  x: Float64Array,
  y: Float64Array,
  before: number,
  start: number,
  end: number,
  nextEnd: number,
): number {
  // Sums in place of means, and distances in place of times, which are large and close to each other:
  // so whole numbers stay whole, and equal triangles equal.
  let sumX = 0;
  let sumY = 0;
  for (let place = end; place < nextEnd; place++) {
    sumX += x[place]! - x[before]!;
    sumY += y[place]! - y[before]!;
  }
  let largest = -1;
  let found = start;
  for (let place = start; place < end; place++) {
    // The area times twice the size of the next bucket; which is larger is the same.
    const area = Math.abs(sumX * (y[place]! - y[before]!) - (x[place]! - x[before]!) * sumY);
    if (area > largest) {
      largest = area;
      found = place;
    }
  }
  return found;
}
