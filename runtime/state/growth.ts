// How arrays of zeros grow, and when what is in use of one is better written down by itself. Nothing else.

type Growing = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** From this many entries on arrays leap to the next: as many as there may be keys. */
const leapFrom = 65_536;
const leapTo = 1_048_576;

/**
 * A longer copy, with room for `needed` numbers, of which an entry has `width`. Pages that nobody has written to take no memory, while the
 * arrays left behind are hardly given back by the allocator: large ones grow seldom, and then by much.
 */
export function grown<T extends Growing>(array: T, needed: number = array.length + 1, width: number = 1): T {
  let entries = array.length / width;
  while (entries * width < needed) entries = entries >= leapFrom && entries < leapTo ? leapTo : entries * 2;
  const copy = new (array.constructor as new (length: number) => T)(entries * width);
  copy.set(array);
  return copy;
}

/** So few places are always written down all together. */
const denseMax = 1_024;

/** True where most of the places so far are not in use any more. */
export function isSparse(inUse: number, used: number): boolean {
  return used > denseMax && inUse * 4 < used;
}
