// Sketches that travel: nothing is lost on the way, parts of many sites answer as one, and a text that is
// not a sketch is never taken for one.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scalar } from "weir/sdk";
import { bucketsMax } from "./bounds.ts";
import { header } from "./ddsketch.ts";
import { merge, quantile, sketch } from "./quantile.ts";
import { sketchOf, textOf } from "./sketch-text.ts";
import { everySecond, Trial } from "./slots.fixture.ts";

const made = (values: readonly Scalar[]): string => new Trial(sketch).whole(everySecond(...values)) as string;
const mergedAt = (share: number, texts: readonly Scalar[]): Scalar =>
  new Trial(merge, [share]).whole(everySecond(...texts));

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.integer({ min: -9, max: 9 }),
);

test("quantiles of sketches are those of all values", () => {
  const shares = fc.constantFrom(0, 0.1, 0.5, 0.99, 1);
  const sites = fc.array(fc.array(value, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sites, shares, (sites, share) => {
      const expected = new Trial(quantile, [share]).merged(sites.map((site) => everySecond(...site)));
      expect(mergedAt(share, sites.map(made))).toBe(expected);
    }),
    { seed: 2, numRuns: 100 },
  );
});

test("the bytes are as documented", () => {
  const [g, logG] = [1.01 / 0.99, Math.log(1.01 / 0.99)];
  const bucket = Math.ceil(Math.log(100) / logG);
  expect(g ** (bucket - 1)).toBeLessThan(100);
  const zigzag = 2 * bucket;
  const buckets = [2, 1, (zigzag & 0x7f) | 0x80, zigzag >> 7, 3, 1, 0, 1];
  const ends = [0, 0, 0, 0, 0, 0, 0xf0, 0xbf, 0, 0, 0, 0, 0, 0, 0x59, 0x40];
  const text = (bytes: readonly number[]): string => Buffer.from(bytes).toString("base64");
  expect(made([0, 100, 0, 100, 100, -1])).toBe(text([0x44, 0x44, 2, 100, ...ends, ...buckets]));
  // The first version says no ends, so that answers are within 1 % of them.
  const first = text([0x44, 0x44, 1, 100, ...buckets]);
  expect(mergedAt(1, [first])).toBeCloseTo(100.6, 0);
  expect(mergedAt(1, [first, made([7])])).toBe(mergedAt(1, [first]));
  expect(mergedAt(1, [made([0, 100, -1])])).toBe(100);
});

test("counts beyond 32 bits travel", () => {
  const large = Float64Array.of(2 ** 53 - 1, -3, 2, 0, 0, 0, 1, 2 ** 40 + 1, 5);
  expect(sketchOf(textOf(large))).toEqual(large);
});

test("null is left out; one text that is no sketch makes the result null", () => {
  const good = made([1]);
  expect(mergedAt(0.5, [null, good, null])).toBeCloseTo(1, 1);
  expect(mergedAt(0.5, [good, "no sketch", good])).toBeNull();
  expect(new Trial(merge, [0.5]).merged([everySecond(good), everySecond("")])).toBeNull();
});

describe("what is no sketch", () => {
  const bytesOf = (text: string): number[] => [...Buffer.from(text, "base64")];
  const text = (bytes: readonly number[]): string => Buffer.from(bytes).toString("base64");
  const good = bytesOf(made([1, 2, 3, -4, 0]));

  test.each<[string, string]>([
    ["nothing", ""],
    ["another magic", text([0x44, 0x45, ...good.slice(2)])],
    ["another version", text([0x44, 0x44, 3, ...good.slice(3)])],
    ["another error", text([0x44, 0x44, 2, 101, ...good.slice(4)])],
    ["ends that are no numbers", text([...good.slice(0, 4), ...Array(16).fill(0xff), ...good.slice(20)])],
    [
      "a smallest value above the largest",
      text([...good.slice(0, 4), ...good.slice(12, 20), ...good.slice(4, 12), ...good.slice(20)]),
    ],
    ["a byte more", text([...good, 0])],
    ["characters that are not base64", `${made([1])} `],
    ["base64 without its end", made([100]).replace(/=+$/, "")],
    [
      "more buckets than there may be",
      text([0x44, 0x44, 1, 100, 0, 0x81, 0x10, 0, ...Array(2_049).fill(1), 0]),
    ],
    ["a bucket far out", text([0x44, 0x44, 1, 100, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0])],
    ["a number that does not end", text([0x44, 0x44, 1, 100, ...Array(12).fill(0xff), 0, 0])],
  ])("%s", (_name, wrong) => {
    expect(sketchOf(made([1]))).not.toBeNull();
    expect(sketchOf(wrong)).toBeNull();
  });

  test("a sketch that is cut short anywhere", () => {
    for (let length = 0; length < good.length; length++) {
      expect(sketchOf(text(good.slice(0, length)))).toBeNull();
    }
  });

  test("whatever the bytes, what is read is within bounds and its quantiles are finite", () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2),
        bytes,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (version, bytes, share) => {
          const hostile = text([0x44, 0x44, version, 100, ...bytes]);
          const read = sketchOf(hostile);
          if (read !== null) expect(read.length).toBeLessThanOrEqual(header + 2 * bucketsMax);
          const answer = mergedAt(share, [hostile, made([5])]);
          expect(answer === null || Number.isFinite(answer)).toBe(true);
          expect(answer === null).toBe(read === null);
        },
      ),
      { seed: 9, numRuns: 500 },
    );
  });
});
