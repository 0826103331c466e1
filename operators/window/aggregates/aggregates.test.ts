// The laws of every aggregate: parts that are merged say what all values together say, in the order in
// which they arrived, nulls left out; and nothing that is not a number comes out.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnType, Scalar } from "weir/sdk";
import { limits } from "../../../runtime/limits.ts";
import * as bounds from "./bounds.ts";
import { aggregates } from "./catalog.ts";
import { emptySketch } from "./ddsketch.ts";
import { named, type Reading, Trial } from "./slots.fixture.ts";
import { textOf } from "./sketch-text.ts";

const seed = 11;

/** Literals for those that need some. */
const parameters: Readonly<Record<string, readonly number[]>> = {
  quantile: [0.75],
  quantile_exact: [0.75],
  merge: [0.75],
  merge_top: [3],
  top_k: [3],
  histogram: [-2, 0, 1.5],
  collect: [25],
  ewma: [0.004],
};
/** Sums whose order of addition shows in the last bits. */
const rounding: ReadonlySet<string> = new Set([
  "sum",
  "mean",
  "stddev",
  "stddev_pop",
  "ewma",
  "integral",
  "time_mean",
  "rate",
]);
/** By the square of the values. */
const squareRounding: ReadonlySet<string> = new Set(["var", "var_pop", "slope", "corr"]);
/** Those that are merged by the times of their parts; what is not in order is left out. */
const ordered: ReadonlySet<string> = new Set(["rate", "integral", "time_mean"]);

const numbers = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
);
const byType: Readonly<Record<ColumnType, fc.Arbitrary<Scalar>>> = {
  float64: numbers,
  time: fc.integer({ min: -9, max: 9 }),
  int64: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -2n, max: 2n })),
  bool: fc.boolean(),
  string: fc.oneof(fc.constantFrom("", "a", "b", "ä\ud800"), fc.string({ unit: "binary", maxLength: 3 })),
  json: fc.json({ maxDepth: 1 }),
};
const sketchText = (sketch: string): fc.Arbitrary<Scalar> =>
  fc
    .constantFrom(0, 1, -5, 1e9)
    .map((value) => new Trial(named(aggregates, sketch), [], "float64").whole([{ time: 0, value }]));

/** The sketches that those read which read any. */
const sketchRead: Readonly<Record<string, string>> = {
  merge: "sketch",
  merge_distinct: "sketch_distinct",
  merge_top: "sketch_top",
};

function readingOf(name: string, type: ColumnType): fc.Arbitrary<Reading> {
  const sketch = sketchRead[name];
  const value = sketch === undefined ? byType[type] : sketchText(sketch);
  return fc.record({
    time: fc.integer({ min: -5, max: 5 }),
    value: fc.option(value, { freq: 8 }),
    other: fc.option(numbers, { freq: 8 }),
  });
}

const all = aggregates.flatMap((definition) =>
  definition.input.map((type) => ({
    name: definition.name,
    type,
    trial: new Trial(definition, parameters[definition.name], type),
    reading: readingOf(definition.name, type),
  })),
);

/** As cut, but so that no part begins before the one before it ends. */
function inOrder(cut: readonly (readonly Reading[])[]): readonly (readonly Reading[])[] {
  const sorted = cut.flat().toSorted((a, b) => a.time - b.time);
  let from = 0;
  return cut.map(({ length }) => sorted.slice(from, (from += length)));
}

function tolerance(name: string, readings: readonly Reading[]): number {
  const total = (part: (reading: Reading) => Scalar): number =>
    readings.reduce((sum, reading) => sum + Math.abs(Number(part(reading) ?? 0)), 1);
  if (rounding.has(name)) return 1e-11 * total(({ value }) => value);
  if (!squareRounding.has(name)) return 0;
  return name === "corr" ? 1e-6 : 1e-11 * total(({ value }) => value) ** (name === "var" ? 2 : 1) * 1000;
}

describe.each(all)("$name($type)", ({ name, trial, reading }) => {
  const parts = fc.array(fc.array(reading, { maxLength: 20 }), { minLength: 1, maxLength: 4 });

  test("parts merged are the whole", () => {
    fc.assert(
      fc.property(parts, (cut) => {
        const given = ordered.has(name) ? inOrder(cut) : cut;
        const readings = given.flat();
        const expected = trial.whole(readings);
        const actual = trial.merged(given);
        if (typeof expected !== "number" || typeof actual !== "number") {
          expect(actual).toEqual(expected);
          return;
        }
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance(name, readings));
      }),
      { seed, numRuns: 50 },
    );
  });

  test("merging an empty part changes nothing, on either side", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (readings) => {
        const expected = trial.whole(readings);
        expect(trial.merged([[], readings])).toEqual(expected);
        expect(trial.merged([readings, []])).toEqual(expected);
      }),
      { seed, numRuns: 30 },
    );
  });

  test("slots that are filled by turns do not touch each other", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (readings) => {
        const alone = [0, 1, 2].map((slot) => trial.whole(readings.filter((_, row) => row % 3 === slot)));
        expect(trial.dealt(readings)).toEqual(alone);
      }),
      { seed, numRuns: 50 },
    );
  });

  test("what is merged from stays as it was, and so do slots beside", () => {
    const [some, more] = fc.sample(fc.array(reading, { minLength: 5, maxLength: 9 }), { seed, numRuns: 2 });
    const source = trial.state(1);
    trial.add(source, 0, some!);
    const before = trial.finish(source, 0);
    const target = trial.state(3);
    trial.aggregate.merge(target, 1, source, 0);
    trial.add(target, 1, more!);
    expect(trial.finish(source, 0)).toEqual(before);
    expect(trial.finish(target, 0)).toEqual(trial.empty);
    expect(trial.finish(target, 2)).toEqual(trial.empty);
  });

  test("a result may be asked for twice, and in between", () => {
    const readings = fc.sample(reading, { seed, numRuns: 12 });
    const state = trial.state(1);
    for (const each of readings) {
      trial.add(state, 0, [each]);
      expect(trial.finish(state, 0)).toEqual(trial.finish(state, 0));
    }
    const given = trial.whole(readings);
    if (typeof given !== "number") expect(trial.finish(state, 0)).toEqual(given);
    else expect(trial.finish(state, 0)).toBeCloseTo(given, 6);
  });

  test("nulls are left out", () => {
    const nulls = [0, 1, 2].map((time) => ({ time, value: null, other: 1 }));
    expect(trial.whole(nulls)).toEqual(trial.empty);
  });
});

const ofNumbers = aggregates
  .filter(({ input, output }) => input.includes("float64") && output("float64") === "float64")
  .map((definition) => ({
    name: definition.name,
    trial: new Trial(definition, parameters[definition.name], "float64"),
  }));

test.each(ofNumbers)("no $name is infinite or not a number, even at the ends of the range", ({ trial }) => {
  const ends = [Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE];
  for (const some of [ends, ends.slice(0, 1), ends.slice(2), ends.slice(2).toReversed()]) {
    const readings = some.map((value, time) => ({ time, value, other: -value }));
    const result = trial.whole(readings);
    expect(result === null || Number.isFinite(result)).toBe(true);
  }
});

test("names are words of their own, and each says what it does", () => {
  const names = aggregates.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { summary } of aggregates) expect(summary).toMatch(/^[A-Z`].*[.]$/);
});

test("the bounds are those of the runtime's table", () => {
  expect({
    sketch_buckets_max: bounds.bucketsMax,
    distinct_exact_values_max: bounds.exactMax,
    quantile_exact_values_max: bounds.valuesExactMax,
    frequent_values_max: bounds.frequentMax,
    frequent_text_length_max: bounds.frequentTextMax,
    top_values_max: bounds.topMax,
    collect_values_max: bounds.collectMax,
    collect_bytes_max: bounds.collectBytesMax,
    state_text_bytes: bounds.textBytes,
  }).toEqual(
    Object.fromEntries(
      Object.entries(limits).filter(([name]) =>
        /^(sketch|distinct|quantile|frequent|top|collect)_|^state_text_bytes$/.test(name),
      ),
    ),
  );
});

test("an empty sketch has a text too", () => {
  expect(textOf(emptySketch())).toBe("REQCZAAAAAAAAPB/AAAAAAAA8P8AAAA=");
});
