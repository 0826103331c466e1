// What each aggregate says, against plain definitions over the values themselves.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scalar } from "weir/sdk";
import { collectBytesMax, collectMax, valuesExactMax } from "./bounds.ts";
import { aggregates } from "./catalog.ts";
import { everySecond, named, type Reading, Trial } from "./slots.fixture.ts";

const trial = (name: string, parameters: readonly number[] = [], type?: Trial["type"]): Trial =>
  new Trial(named(aggregates, name), parameters, type);

const readings = everySecond(3, null, -1, 4, -1);

test.each<[name: string, parameters: readonly number[], expected: Scalar]>([
  ["count", [], 4],
  ["sum", [], 5],
  ["mean", [], 1.25],
  ["min", [], -1],
  ["max", [], 4],
  ["range", [], 5],
  ["first", [], 3],
  ["last", [], -1],
  ["delta", [], -4],
  ["var", [], (1.75 ** 2 + 2.25 ** 2 * 2 + 2.75 ** 2) / 3],
  ["stddev", [], Math.sqrt((1.75 ** 2 + 2.25 ** 2 * 2 + 2.75 ** 2) / 3)],
  ["var_pop", [], (1.75 ** 2 + 2.25 ** 2 * 2 + 2.75 ** 2) / 4],
  ["stddev_pop", [], Math.sqrt((1.75 ** 2 + 2.25 ** 2 * 2 + 2.75 ** 2) / 4)],
  ["median", [], 1],
  ["quantile_exact", [0], -1],
  ["quantile_exact", [0.9], 3.7],
  ["count_distinct", [], 3],
  ["mode", [], -1],
  ["integral", [], 1 * 2 + 1.5 + 1.5],
  ["time_mean", [], 5 / 4],
  ["slope", [], -5.25 / 8.75],
])("%s(%j)", (name, parameters, expected) => {
  expect(trial(name, parameters).whole(readings)).toBeCloseTo(expected as number, 12);
});

test.each(["sum", "mean"])("%s of values whose sum no float64 holds is null", (name) => {
  expect(trial(name).whole(everySecond(1e308, 1e308))).toBeNull();
  expect(named(aggregates, name).summary).toContain("null when there is no value, or the sum");
});

describe("of nothing", () => {
  test.each([
    "sum",
    "mean",
    "min",
    "range",
    "last",
    "delta",
    "var",
    "var_pop",
    "median",
    "mode",
    "rate",
    "integral",
  ])("%s is null", (name) => expect(trial(name).empty).toBeNull());
  test.each<[string, readonly number[], Scalar]>([
    ["count", [], 0],
    ["count_distinct", [], 0],
    ["top_k", [2], "[]"],
    ["collect", [2], "[]"],
    ["histogram", [1, 2], '{"bounds":[1,2],"counts":[0,0,0]}'],
  ])("%s says so", (name, parameters, expected) => {
    expect(trial(name, parameters).empty).toBe(expected);
  });
  test("one value has no spread, no rate and no slope, but a delta, a range, an area and a mean", () => {
    const one = everySecond(7);
    for (const name of ["var", "stddev", "rate", "slope", "corr"]) expect(trial(name).whole(one)).toBeNull();
    for (const name of ["delta", "range", "integral", "var_pop", "stddev_pop"])
      expect(trial(name).whole(one)).toBe(0);
    for (const name of ["time_mean", "median"]) expect(trial(name).whole(one)).toBe(7);
    expect(trial("ewma", [1]).whole(one)).toBe(7);
  });
});

describe("sums", () => {
  test("a sum keeps what plain addition loses", () => {
    const huge = everySecond(1, 1e100, 1, -1e100);
    expect(trial("sum").whole(huge)).toBe(2);
    expect(trial("sum").merged([huge.slice(0, 2), huge.slice(2)])).toBe(2);
  });

  test("a spread around a large mean is not lost", () => {
    const far = everySecond(4, 7, 13, 16).map((each) => ({ ...each, value: (each.value as number) + 1e9 }));
    expect(trial("stddev").whole(far)).toBeCloseTo(Math.sqrt(30), 9);
    expect(trial("slope").whole(far)).toBeCloseTo(4.2, 9);
  });

  test("equal values beyond the root of what float64 holds have no spread, whole or in parts", () => {
    const huge = everySecond(1e200, 1e200, 1e200);
    const parts = huge.map((each) => [each]);
    for (const name of ["var", "var_pop", "stddev", "stddev_pop", "slope"]) {
      expect(trial(name).whole(huge)).toBe(0);
      expect(trial(name).merged(parts)).toBe(0);
    }
  });

  test("a slope over times of today is that of the same times counted from 0", () => {
    const times = [7, 12, 28, 33, 41, 58, 64, 79, 85, 93];
    const line = (from: number): Reading[] => times.map((time) => ({ time: from + time, value: 3 * time }));
    for (const from of [0, 1_700_000_000_123, -1_700_000_000_123]) {
      const parts = [line(from).slice(0, 3), line(from).slice(3, 4), line(from).slice(4)];
      expect(trial("slope").whole(line(from))).toBeCloseTo(3_000, 9);
      expect(trial("slope").merged(parts)).toBeCloseTo(3_000, 9);
      expect(trial("slope").merged(parts.toReversed())).toBeCloseTo(3_000, 9);
    }
  });
});

describe("ends", () => {
  test("of equal times, first keeps the first to arrive and last the last", () => {
    const equal = [1, 2, 3].map((value) => ({ time: 7, value }));
    expect(trial("first").whole(equal)).toBe(1);
    expect(trial("last").whole(equal)).toBe(3);
    expect(trial("delta").whole(equal)).toBe(2);
  });

  test("they go by event time, not by arrival", () => {
    const late = [5, 1, 9].map((time) => ({ time, value: time * 10 }));
    expect(trial("first").whole(late)).toBe(10);
    expect(trial("last").whole(late)).toBe(90);
    expect(trial("delta").whole(late)).toBe(80);
  });

  test.each<[type: Trial["type"], values: readonly Scalar[], min: Scalar, max: Scalar]>([
    ["string", ["b", "", "é", "\ud83d\ude00", "\ud800"], "", "\ud83d\ude00"],
    ["int64", [2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n), -1n], -(2n ** 63n), 2n ** 63n - 1n],
    ["int64", [2n ** 53n + 1n, 2n ** 53n], 2n ** 53n, 2n ** 53n + 1n],
    ["bool", [true, false], false, true],
  ])("%s values come back as they were", (type, values, min, max) => {
    const readings = everySecond(...values);
    for (const [name, expected] of [
      ["min", min],
      ["max", max],
      ["first", values[0]],
      ["last", values.at(-1)],
    ] as const) {
      expect(trial(name, [], type).whole(readings)).toBe(expected);
      expect(trial(name, [], type).merged(readings.map((each) => [each]))).toBe(expected);
    }
  });

  test("a long text comes back whole", () => {
    const long = "weir \ud800 ".repeat(4_000);
    expect(trial("last", [], "string").whole(everySecond("a", long))).toBe(long);
  });

  test("the value of one column where another is extreme", () => {
    const given: readonly Reading[] = [
      { time: 3, value: "late", other: 9 },
      { time: 1, value: "early", other: 9 },
      { time: 0, value: "low", other: -2 },
      { time: 4, value: null, other: 99 },
      { time: 5, value: "no rank", other: null },
    ];
    expect(trial("arg_max", [], "string").whole(given)).toBe("early");
    expect(trial("arg_min", [], "string").whole(given)).toBe("low");
  });
});

describe("quantile_exact and median", () => {
  test("are what sorting says", () => {
    const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const sorted = values.toSorted((a, b) => a - b);
        const rank = share * (sorted.length - 1);
        const low = sorted[Math.floor(rank)]!;
        const high = sorted[Math.ceil(rank)]!;
        const expected = low + (high - low) * (rank % 1);
        const actual = trial("quantile_exact", [share]).whole(everySecond(...values)) as number;
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-6);
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  test("become a sketch above their bound, wherever the values come from, and keep to it", () => {
    const values = Array.from({ length: valuesExactMax + 1 }, (_, i) => i + 1);
    const median = trial("median");
    const cuts = [
      [values],
      [values.slice(0, 9), values.slice(9)],
      [values.slice(0, valuesExactMax), values.slice(valuesExactMax)],
      [[...values, ...values], values.slice(0, 5)],
      [values.slice(0, 5), [...values, ...values]],
    ];
    for (const cut of cuts) {
      const answer = median.merged(cut.map((part) => everySecond(...part))) as number;
      expect(Math.abs(answer / (valuesExactMax / 2) - 1)).toBeLessThanOrEqual(0.0101);
    }
    const state = median.state(1);
    median.add(state, 0, everySecond(...values.slice(1)));
    expect(state.buffers[0]!.length).toBe(valuesExactMax + 1);
    expect(median.finish(state, 0)).toBe(valuesExactMax / 2 + 1.5);
    median.add(state, 0, everySecond(1));
    expect(state.buffers[0]!.length).toBeLessThan(2_000);
  });
});

describe("along time", () => {
  const counter = everySecond(10, 15, 15, 2, 4, 1, 9);
  const increase = 5 + 0 + 2 + 2 + 1 + 8;

  test("a rate sees resets, also between parts, whatever their order", () => {
    expect(trial("rate").whole(counter)).toBe(increase / 6);
    for (let cut = 0; cut <= counter.length; cut++) {
      const parts = [counter.slice(0, cut), counter.slice(cut)];
      expect(trial("rate").merged(parts)).toBe(increase / 6);
      expect(trial("rate").merged(parts.toReversed())).toBe(increase / 6);
    }
  });

  test("parts that overlap lose nothing on a line, or of a counter without a reset", () => {
    const line = Array.from({ length: 30 }, (_, i) => ({ time: i * 100, value: 2 + i * 3 }));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 30, maxLength: 30 }), (places) => {
        const parts = [0, 1, 2].map((part) => line.filter((_, i) => places[i] === part));
        expect(trial("rate").merged(parts)).toBeCloseTo(30, 9);
        expect(trial("integral").merged(parts)).toBeCloseTo(trial("integral").whole(line) as number, 9);
        expect(trial("time_mean").merged(parts)).toBeCloseTo(2 + 14.5 * 3, 9);
      }),
      { seed: 4, numRuns: 50 },
    );
  });

  test("a value that comes late is left out, but for one before all others", () => {
    const [a, b, c] = [0, 1000, 2000].map((time, i) => ({ time, value: [0, 50, 4][i]! }));
    for (const name of ["rate", "integral", "time_mean"]) {
      expect(trial(name).whole([a!, c!, b!])).toBe(trial(name).whole([a!, c!]));
      expect(trial(name).whole([b!, c!, a!])).toBe(trial(name).whole([a!, b!, c!]));
      expect(trial(name).merged([[a!, c!], [b!]])).toBe(trial(name).whole([a!, c!]));
    }
  });

  test("time_mean weighs by time, ewma by age", () => {
    const held = [
      { time: 0, value: 10 },
      { time: 9000, value: 10 },
      { time: 10_000, value: 30 },
    ];
    expect(trial("time_mean").whole(held)).toBeCloseTo((90 + 20) / 10, 12);
    expect(trial("ewma", [1]).whole(held.slice(1))).toBeCloseTo((10 * 0.5 + 30) / 1.5, 12);
    expect(trial("ewma", [1]).whole(held.slice(1).toReversed())).toBeCloseTo((10 * 0.5 + 30) / 1.5, 12);
    expect(trial("ewma", [1e9]).whole(held)).toBeCloseTo(50 / 3, 6);
  });

  test("corr is 1 and -1 on lines, null where nothing varies, and small where nothing goes together", () => {
    const pairs = (other: (x: number) => number): readonly Reading[] =>
      [1, 2, 3, 4].map((value) => ({ time: 0, value, other: other(value) }));
    expect(trial("corr").whole(pairs((x) => 5 - 2 * x))).toBeCloseTo(-1, 12);
    expect(trial("corr").whole(pairs((x) => 1e6 + x))).toBeCloseTo(1, 9);
    expect(trial("corr").whole(pairs(() => 3))).toBeNull();
    expect(trial("corr").whole(pairs((x) => (x === 2 || x === 3 ? 1 : 0)))).toBeCloseTo(0, 12);
  });
});

describe("JSON results", () => {
  test("a histogram counts what stands on a bound above it", () => {
    const values = everySecond(-11, -10, 0, 0.5, 10, 1e9, null);
    const expected = { bounds: [-10, 0, 10], counts: [1, 1, 2, 2] };
    expect(JSON.parse(trial("histogram", [-10, 0, 10]).whole(values) as string)).toEqual(expected);
    expect(() => trial("histogram", [1, 1])).toThrow(/rise, got 1 after 1/);
  });

  test.each<[type: Trial["type"], values: readonly Scalar[], json: string]>([
    ["float64", [1, -0.5, 1e21], "[1,-0.5,1e+21]"],
    ["bool", [true, false], "[true,false]"],
    ["int64", [2n ** 63n - 1n], "[9223372036854775807]"],
    ["string", ['"', "\0", "é", "\ud800"], '["\\"","\\u0000","é","\\ud800"]'],
    ["json", ['{"a":[1,\n2]}', "null"], '[{"a":[1,\n2]},null]'],
  ])("collect keeps %s values as they are", (type, values, json) => {
    expect(trial("collect", [9], type).whole(everySecond(...values))).toBe(json);
  });

  test("collect keeps the first of too many values, and of too long texts", () => {
    const many = Array.from({ length: collectMax + 5 }, (_, i) => i);
    expect(JSON.parse(trial("collect", [collectMax]).whole(everySecond(...many)) as string)).toEqual(
      many.slice(0, collectMax),
    );
    const texts = ["a", "b".repeat(collectBytesMax), "c"];
    expect(trial("collect", [9], "string").whole(everySecond(...texts))).toBe('["a"]');
    for (const cut of [1, 2]) {
      const parts = [everySecond(...texts.slice(0, cut)), everySecond(...texts.slice(cut))];
      expect(trial("collect", [9], "string").merged(parts)).toBe('["a"]');
    }
    const halves = ["x", "y", "z"].map((each) => each.repeat(collectBytesMax / 2 - 9));
    const parts = halves.map((each) => everySecond(each));
    expect(JSON.parse(trial("collect", [9], "string").merged(parts) as string)).toEqual(halves.slice(0, 2));
    expect(() => trial("collect", [1.5])).toThrow(/whole number max, got 1.5/);
  });
});
