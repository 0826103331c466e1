// How partitions are shared among workers: evenly, with the fewest moves, and the same each time.

import fc from "fast-check";
import { expect, test } from "vitest";
import { spread } from "./spread.ts";

const nameOf = (number: number): string => `w${number}`;
const members = (count: number): string[] => Array.from({ length: count }, (_, place) => `p~${place}`);

function shared(where: ReadonlyMap<string, string>): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(where.values(), (each) => each)].map(([name, all]) => [name, all.length]),
  );
}

test("one worker becomes two, three, and two again", () => {
  const all = members(12);
  const one = spread(all, new Map(), 1, nameOf);
  expect(shared(one)).toEqual({ w1: 12 });
  const two = spread(all, one, 2, nameOf);
  expect(shared(two)).toEqual({ w1: 6, w2: 6 });
  const three = spread(all, two, 3, nameOf);
  expect(shared(three)).toEqual({ w1: 4, w2: 4, w3: 4 });
  expect(all.filter((each) => three.get(each) !== two.get(each))).toHaveLength(4);
  const less = spread(all, three, 2, nameOf);
  expect(all.filter((each) => less.get(each) !== three.get(each))).toHaveLength(4);
});

/** The most members that can stay, of all choices of workers and of who has one more. */
function mostThatStay(held: readonly number[], total: number, count: number): number {
  const least = Math.floor(total / count);
  const best = (from: number, workers: number, oneMore: number): number => {
    if (workers === 0) return oneMore === 0 ? 0 : Number.NEGATIVE_INFINITY;
    if (from === held.length) return Number.NEGATIVE_INFINITY;
    const own = held[from]!;
    const choices = [
      best(from + 1, workers, oneMore),
      Math.min(own, least) + best(from + 1, workers - 1, oneMore),
    ];
    if (oneMore > 0) choices.push(Math.min(own, least + 1) + best(from + 1, workers - 1, oneMore - 1));
    return Math.max(...choices);
  };
  return best(0, count, total % count);
}

test("within one of each other, no move too many, and nothing moves twice", () => {
  const place = fc.option(fc.nat(7), { nil: null });
  fc.assert(
    fc.property(
      fc.array(place, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 10 }),
      (places, count) => {
        const all = members(places.length);
        const before = new Map(
          all.flatMap((each, at) => (places[at] === null ? [] : [[each, nameOf(places[at]! + 1)] as const])),
        );
        const where = spread(all, before, count, nameOf);
        expect([...where.keys()].sort()).toEqual([...all].sort());
        const sizes = Object.values(shared(where));
        const workers = Math.min(count, all.length);
        expect(sizes).toHaveLength(workers);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const held = all.map(
          (_, at) => [...before.values()].filter((each) => each === nameOf(at + 1)).length,
        );
        const stayed = all.filter((each) => where.get(each) === before.get(each)).length;
        expect(stayed).toBe(mostThatStay(held, all.length, workers));
        expect(spread(all, where, count, nameOf)).toEqual(where);
      },
    ),
  );
});
