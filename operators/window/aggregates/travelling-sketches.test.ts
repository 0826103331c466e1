// Sketches of distinct and of frequent values that travel as texts: parts of many sites answer as one,
// nothing is lost on the way, and a text that is no such sketch is never taken for one.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AggregateDefinition, ColumnType, Scalar } from "weir/sdk";
import { exactMax, frequentMax } from "./bounds.ts";
import { countDistinct } from "./count-distinct.ts";
import { distinctOf } from "./distinct-text.ts";
import { mergeDistinct, sketchDistinct } from "./sketch-distinct.ts";
import { mergeTop, sketchTop } from "./sketch-top.ts";
import { everySecond, Trial } from "./slots.fixture.ts";
import { topK } from "./top-k.ts";
import { topOf } from "./top-text.ts";

const textsOf = (
  sketch: AggregateDefinition,
  sites: readonly (readonly Scalar[])[],
  type: ColumnType,
): Scalar[] => sites.map((site) => new Trial(sketch, [], type).whole(everySecond(...site)));

const valuesOf: Readonly<Record<string, fc.Arbitrary<Scalar>>> = {
  string: fc.oneof(
    fc.constantFrom("a", "b", "", "ü", "日本", "\u0000"),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  ),
  float64: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bool: fc.boolean().map(Number),
  json: fc.json({ maxDepth: 1 }),
};

const sitesOf = (value: fc.Arbitrary<Scalar>): fc.Arbitrary<Scalar[][]> =>
  fc.array(fc.array(value, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 });

/** As many values as the sketches of few do not hold, and more than that. */
const many = (from: number, count: number): Scalar[] =>
  Array.from({ length: count }, (_, place) => `device-${from + (place % 7 === 0 ? 0 : place)}`);

describe.each(Object.keys(valuesOf))("values of type %s", (name) => {
  const type = name as ColumnType;
  const cases = sitesOf(valuesOf[name]!);

  test("distinct values of sketches are those of all values", () => {
    fc.assert(
      fc.property(cases, (sites) => {
        const expected = new Trial(countDistinct, [], type).merged(sites.map((site) => everySecond(...site)));
        const texts = textsOf(sketchDistinct, sites, type);
        expect(new Trial(mergeDistinct).whole(everySecond(...texts))).toBe(expected);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test("frequent values of sketches are those of all values", () => {
    fc.assert(
      fc.property(cases, (sites) => {
        const expected = new Trial(topK, [5], type).merged(sites.map((site) => everySecond(...site)));
        const texts = textsOf(sketchTop, sites, type);
        expect(new Trial(mergeTop, [5]).whole(everySecond(...texts))).toBe(expected);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

test("the same holds beyond what is counted exactly", () => {
  const sites = [many(0, 3 * exactMax), many(500, 3 * exactMax), many(100_000, 40)];
  const readings = sites.map((site) => everySecond(...site));
  const distinct = new Trial(countDistinct, [], "string").merged(readings) as number;
  expect(distinct).toBeGreaterThan(exactMax);
  expect(new Trial(mergeDistinct).whole(everySecond(...textsOf(sketchDistinct, sites, "string")))).toBe(
    distinct,
  );
  const texts = textsOf(sketchTop, sites, "string");
  const top = JSON.parse(new Trial(mergeTop, [3]).whole(everySecond(...texts)) as string) as {
    value: string;
    count: number;
    error: number;
  }[];
  const all = sites.flat();
  for (const { value, count, error } of top) {
    const times = all.filter((each) => each === value).length;
    expect(count).toBeGreaterThanOrEqual(times);
    expect(count - error).toBeLessThanOrEqual(times);
    expect(error).toBeLessThanOrEqual(all.length / frequentMax);
  }
});

test("merged in parts, on the way from site to region to cloud", () => {
  const texts = textsOf(sketchDistinct, [many(0, 400), many(200, 100), many(5000, 300)], "string");
  const whole = new Trial(mergeDistinct).whole(everySecond(...texts));
  expect(new Trial(mergeDistinct).merged(texts.map((text) => everySecond(text)))).toBe(whole);
});

test("one text that is no such sketch, or is of another type, leaves no answer", () => {
  const [good] = textsOf(sketchDistinct, [["a", "b"]], "string");
  const [top] = textsOf(sketchTop, [["a", "b"]], "string");
  const [numbers] = textsOf(sketchTop, [[1, 2]], "float64");
  const distinct = (...texts: Scalar[]): Scalar => new Trial(mergeDistinct).whole(everySecond(...texts));
  const frequent = (...texts: Scalar[]): Scalar => new Trial(mergeTop, [2]).whole(everySecond(...texts));
  expect(distinct(good!, null)).toBe(2);
  expect(distinct(good!, top!)).toBeNull();
  expect(frequent(top!, good!)).toBeNull();
  expect(frequent(top!, numbers!)).toBeNull();
  expect(frequent(numbers!)).toBe('[{"value":1,"count":1,"error":0},{"value":2,"count":1,"error":0}]');
  expect(distinct("")).toBeNull();
});

test("the bytes are as documented", () => {
  const bytes = [...Buffer.from(textsOf(sketchTop, [[2, 2, 0.5]], "float64")[0] as string, "base64")];
  expect(bytes.slice(0, 7)).toEqual([0x53, 0x53, 1, 1, 0x80, 2, 2]);
  const two = [...new Uint8Array(Float64Array.of(2).buffer)];
  expect(bytes.slice(-8)).toEqual([...new Uint8Array(Float64Array.of(0.5).buffer)]);
  expect(bytes.join().includes([2, 0, ...two].join())).toBe(true);
  const registers = Buffer.from(textsOf(sketchDistinct, [many(0, 2_000)], "string")[0] as string, "base64");
  expect([...registers.subarray(0, 4)]).toEqual([0x48, 0x4c, 1, 1]);
  expect(registers.length).toBe(4 + 2_560);
});

describe.each([
  ["distinct, few", textsOf(sketchDistinct, [["a", "b", "c"]], "string")[0] as string, distinctOf],
  ["distinct, many", textsOf(sketchDistinct, [many(0, 900)], "string")[0] as string, distinctOf],
  ["frequent texts", textsOf(sketchTop, [["a", "ü", "a"]], "string")[0] as string, topOf],
  ["frequent int64", textsOf(sketchTop, [[1n, -7n]], "int64")[0] as string, topOf],
  ["frequent json", textsOf(sketchTop, [['{"a":1}']], "json")[0] as string, topOf],
] as const)("hostile bytes: %s", (_name, good, read) => {
  test("a sketch that is cut short, or is longer, is none", () => {
    const bytes = Buffer.from(good, "base64");
    expect(read(good)).not.toBeNull();
    const step = Math.max(1, Math.floor(bytes.length / 200));
    for (let length = 0; length < bytes.length; length += step)
      expect(read(bytes.subarray(0, length).toString("base64"))).toBeNull();
    expect(read(Buffer.concat([bytes, Buffer.of(0)]).toString("base64"))).toBeNull();
    expect(read(`${good} `)).toBeNull();
  });

  test("whatever is changed, an answer is a number or JSON, or there is none", () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(good, "base64");
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
        const text = bytes.toString("base64");
        const distinct = new Trial(mergeDistinct).whole(everySecond(text, good));
        const top = new Trial(mergeTop, [5]).whole(everySecond(text, good));
        expect(distinct === null || Number.isFinite(distinct)).toBe(true);
        if (top !== null) expect(Array.isArray(JSON.parse(top as string))).toBe(true);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});
