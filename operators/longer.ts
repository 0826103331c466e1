// Arrays that grow by doubling, so that what is put into one costs the same however long it gets. Nothing else.

/** A copy of twice the length. */
export function longer<T extends Int32Array | Uint32Array | Float64Array>(array: T): T {
  const copy = new (array.constructor as new (length: number) => T)(array.length * 2);
  copy.set(array);
  return copy;
}
