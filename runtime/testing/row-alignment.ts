// Which items of two lists stand against each other: as many as can be that are alike, in order, and what lies between
// those one by one. Myers' algorithm, up to a bound. Pure.

import { limits } from "../limits.ts";

/** An item of each list; null where one list has none. */
export type Pair<T> = readonly [T | null, T | null];

type Alike<T> = (a: T, b: T) => boolean;

/** Every item of both lists once, in order. */
export function alignment<T>(a: readonly T[], b: readonly T[], alike: Alike<T>): readonly Pair<T>[] {
  const pairs: Pair<T>[] = [];
  let [x, y] = [0, 0];
  for (const [nextX, nextY] of [...commonPlaces(a, b, alike), [a.length, b.length] as const]) {
    for (const pair of oneByOne(a.slice(x, nextX), b.slice(y, nextY))) pairs.push(pair);
    if (nextX < a.length) pairs.push([a[nextX]!, b[nextY]!]);
    [x, y] = [nextX + 1, nextY + 1];
  }
  return pairs;
}

function oneByOne<T>(a: readonly T[], b: readonly T[]): Pair<T>[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, place) => [
    a[place] ?? null,
    b[place] ?? null,
  ]);
}

/** The places of items that are alike, by list, in order. */
function commonPlaces<T>(a: readonly T[], b: readonly T[], alike: Alike<T>): (readonly [number, number])[] {
  let start = 0;
  while (start < a.length && start < b.length && alike(a[start]!, b[start]!)) start++;
  let end = 0;
  const most = Math.min(a.length, b.length) - start;
  while (end < most && alike(a[a.length - 1 - end]!, b[b.length - 1 - end]!)) end++;
  const middle = shortestEdit(a.slice(start, a.length - end), b.slice(start, b.length - end), alike);
  return [
    ...Array.from({ length: start }, (_, place) => [place, place] as const),
    ...middle.map(([x, y]) => [x + start, y + start] as const),
    ...Array.from({ length: end }, (_, place) => [a.length - end + place, b.length - end + place] as const),
  ];
}

/** Of lists that begin and end with other items; none where they differ in more than the bound. */
function shortestEdit<T>(a: readonly T[], b: readonly T[], alike: Alike<T>): (readonly [number, number])[] {
  if (a.length === 0 || b.length === 0) return [];
  /** By number of edits, how far in `a` each diagonal (place in `a` less place in `b`) comes. */
  const reached: ReadonlyMap<number, number>[] = [];
  let before = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(a.length + b.length, limits.compared_edits_max); edits++) {
    const now = new Map<number, number>();
    reached.push(before);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = begin(before, diagonal, edits);
      while (x < a.length && x - diagonal < b.length && alike(a[x]!, b[x - diagonal]!)) x++;
      now.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return wayBack(reached, a.length, b.length);
    }
    before = now;
  }
  return [];
}

/** Where a diagonal is entered: below the one, or to the right of the other, that comes further. */
function begin(before: ReadonlyMap<number, number>, diagonal: number, edits: number): number {
  const [left, right] = [before.get(diagonal - 1) ?? -1, before.get(diagonal + 1) ?? -1];
  return diagonal === -edits || (diagonal !== edits && left < right) ? right : left + 1;
}

function wayBack(
  reached: readonly ReadonlyMap<number, number>[],
  endX: number,
  endY: number,
): (readonly [number, number])[] {
  const places: (readonly [number, number])[] = [];
  let [x, y] = [endX, endY];
  for (let edits = reached.length - 1; edits >= 0; edits--) {
    const before = reached[edits]!;
    const diagonal = x - y;
    const start = begin(before, diagonal, edits);
    for (; x > start; x--, y--) places.push([x - 1, y - 1]);
    if (edits === 0) break;
    const left = before.get(diagonal - 1) ?? -1;
    const isDown = diagonal === -edits || (diagonal !== edits && left < (before.get(diagonal + 1) ?? -1));
    if (isDown) y--;
    else x--;
  }
  return places.toReversed();
}
