// How arrays of zeros grow. Nothing else.

type Growing = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** From this length on arrays leap to the next: as many entries as there may be keys. */
const leapFrom = 65_536;
const leapTo = 1_048_576;

/**
 * A longer copy, with room for `needed` entries. Pages that nobody has written to take no memory, while the
 * arrays left behind are hardly given back by the allocator: large ones grow seldom, and then by much.
 */
export function grown<T extends Growing>(array: T, needed: number = array.length + 1): T {
  let { length } = array;
  while (length < needed) length = length >= leapFrom && length < leapTo ? leapTo : length * 2;
  const copy = new (array.constructor as new (length: number) => T)(length);
  copy.set(array);
  return copy;
}
