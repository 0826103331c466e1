// What Space-Saving promises: exact counts while places are left, then counts that are too high by no more
// than they say, and no frequent value that is missing.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnType, Scalar } from "weir/sdk";
import { frequentMax, frequentTextMax } from "./bounds.ts";
import { everySecond, Trial } from "./slots.fixture.ts";
import { mode, topK } from "./top-k.ts";

interface Item {
  readonly value: unknown;
  readonly count: number;
  readonly error: number;
}

function top(k: number, type: ColumnType, ...parts: readonly (readonly Scalar[])[]): readonly Item[] {
  const trial = new Trial(topK, [k], type);
  return JSON.parse(trial.merged(parts.map((part) => everySecond(...part))) as string) as Item[];
}

function countsOf(values: readonly Scalar[]): Map<Scalar, number> {
  const counts = new Map<Scalar, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

test("while places are left the counts are exact, however the values were cut", () => {
  const word = fc.oneof(fc.constantFrom("a", "b", "c"), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 60 }), { minLength: 1, maxLength: 4 }), (parts) => {
      const counts = [...countsOf(parts.flat())].sort((a, b) => b[1] - a[1] || (a[0]! < b[0]! ? -1 : 1));
      const expected = counts.slice(0, 5).map(([value, count]) => ({ value, count, error: 0 }));
      expect(top(5, "string", ...parts)).toEqual(expected);
    }),
    { seed: 8, numRuns: 100 },
  );
});

describe.each<[ColumnType, (i: number) => Scalar]>([
  ["float64", (i) => i / 4],
  ["string", (i) => `device ${i} ${"x".repeat(i % 40)}`],
])("of more different values than there are places (%s)", (type, valueOf) => {
  // A few that come often, among thousands that come once or twice; the seeds shuffle them.
  const stream = (seed: number): readonly Scalar[] => {
    const ids = fc.sample(
      fc.oneof(
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 }) },
        { weight: 4, arbitrary: fc.integer({ min: 6, max: 5_000 }) },
      ),
      { seed, numRuns: 3_000 },
    );
    return ids.map(valueOf);
  };

  test.each([1, 2, 3])(
    "counts are never too low, and too high by their error at most; cut in %i",
    (pieces) => {
      for (const seed of [1, 2]) {
        const values = stream(seed);
        const size = Math.ceil(values.length / pieces);
        const parts = Array.from({ length: pieces }, (_, i) => values.slice(i * size, (i + 1) * size));
        const counts = countsOf(values);
        const found = top(100, type, ...parts);
        expect(found.length).toBe(100);
        for (const { value, count, error } of found) {
          const actual = counts.get(value as Scalar) ?? 0;
          expect(count).toBeGreaterThanOrEqual(actual);
          expect(count - error).toBeLessThanOrEqual(actual);
          expect(error).toBeLessThanOrEqual(values.length / frequentMax);
        }
        for (let id = 0; id <= 5; id++) expect(found.map(({ value }) => value)).toContain(valueOf(id));
        const most = [...counts].sort((a, b) => b[1] - a[1])[0]![1];
        const answer = new Trial(mode, [], type).whole(everySecond(...values));
        expect(counts.get(answer)).toBeGreaterThanOrEqual(most - values.length / frequentMax);
      }
    },
  );

  test("a table is bounded, however many come", () => {
    const trial = new Trial(topK, [1], type);
    const state = trial.state(1);
    for (let batch = 0; batch < 5; batch++) {
      const values = Array.from({ length: 2_000 }, (_, i) => valueOf(batch * 2_000 + i));
      trial.add(state, 0, everySecond(...values));
      expect(state.buffers[0]!.length).toBeLessThanOrEqual(5 + frequentMax * 2 * 4 + frequentMax * 64);
    }
  });
});

test("what a part has seen and given up counts when another part brings it", () => {
  const others = Array.from({ length: frequentMax + 50 }, (_, i) => [i + 1, i + 1, i + 1]).flat();
  const nines = Array.from({ length: 9 }, () => 0.5);
  for (const parts of [
    [[0.5, 0.5, ...others], nines],
    [nines, [0.5, 0.5, ...others]],
  ]) {
    const found = top(100, "float64", ...parts).find(({ value }) => value === 0.5)!;
    expect(found.count).toBeGreaterThanOrEqual(11);
    expect(found.count - found.error).toBeLessThanOrEqual(11);
  }
});

test("values of each type come out as they are", () => {
  expect(top(1, "bool", [true, true, false])).toEqual([{ value: true, count: 2, error: 0 }]);
  expect(top(1, "time", [5, 5, 4])).toEqual([{ value: 5, count: 2, error: 0 }]);
  expect(top(2, "json", ['{"a":1}', '"x"', '"x"'])).toEqual([
    { value: "x", count: 2, error: 0 },
    { value: { a: 1 }, count: 1, error: 0 },
  ]);
  const large = 2n ** 63n - 1n;
  expect(new Trial(mode, [], "int64").whole(everySecond(1n, large, large))).toBe(large);
  expect(new Trial(topK, [1], "int64").whole(everySecond(large))).toBe(
    `[{"value":${large},"count":1,"error":0}]`,
  );
});

test("of equally frequent values the smallest is the mode", () => {
  expect(new Trial(mode, [], "float64").whole(everySecond(9, -3, 9, -3, 1))).toBe(-3);
  expect(new Trial(mode, [], "string").whole(everySecond("b", "a"))).toBe("a");
});

test("of equally frequent int64 the smallest is the mode as a number, not as a text", () => {
  expect(new Trial(mode, [], "int64").whole(everySecond(10n, 9n))).toBe(9n);
  expect(new Trial(mode, [], "int64").whole(everySecond(-2n, -3n))).toBe(-3n);
  const far = 2n ** 53n;
  expect(new Trial(mode, [], "int64").whole(everySecond(far + 1n, 10n ** 18n, far))).toBe(far);
  expect(top(3, "int64", [10n, -2n, 9n, -3n]).map(({ value }) => value)).toEqual([-3, -2, 9]);
});

test("long values are told apart, but shown up to their bound", () => {
  const long = "x".repeat(frequentTextMax + 50);
  expect(top(9, "string", [`${long}1`, `${long}2`, `${long}2`])).toEqual([
    { value: "x".repeat(frequentTextMax), count: 2, error: 0 },
    { value: "x".repeat(frequentTextMax), count: 1, error: 0 },
  ]);
  const json = JSON.stringify([long, '"']);
  expect(top(1, "json", [json])).toEqual([{ value: json.slice(0, 100), count: 1, error: 0 }]);
});
