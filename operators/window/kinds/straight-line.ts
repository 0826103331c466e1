// Where a value is on the straight line between two others. Decides only; knows no window.

/** `share` of the way from `a` to `b`. */
export function between(a: number, b: number, share: number): number {
  return (1 - share) * a + share * b;
}

/** `part` of `whole` of the way from `a` to `b`: the nearest whole number, of two that are as near the even one. Never rounds what it is made of. */
export function wholeBetween(a: bigint, b: bigint, part: bigint, whole: bigint): bigint {
  const way = (b - a) * part;
  let rest = way % whole;
  if (rest < 0n) rest += whole;
  const below = a + (way - rest) / whole;
  const isUp = 2n * rest > whole || (2n * rest === whole && below % 2n !== 0n);
  return isUp ? below + 1n : below;
}
