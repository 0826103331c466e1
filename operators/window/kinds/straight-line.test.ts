// Whole numbers on a straight line: the nearest, however large they are.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { wholeBetween } from "./straight-line.ts";

const most = 2n ** 63n - 1n;

test.each([
  [0n, 10n, 1n, 2n, 5n],
  [0n, 1n, 1n, 2n, 0n],
  [1n, 2n, 1n, 2n, 2n],
  [0n, -1n, 1n, 2n, 0n],
  [-1n, -2n, 1n, 2n, -2n],
  [0n, 10n, 1n, 3n, 3n],
  [0n, 10n, 2n, 3n, 7n],
  [10n, 0n, 1n, 3n, 7n],
  [0n, -10n, 1n, 3n, -3n],
  [most, most, 1n, 3n, most],
  [-most, most, 1n, 2n, 0n],
  [2n ** 53n, 2n ** 53n + 2n, 1n, 2n, 2n ** 53n + 1n],
])("from %s to %s, %s of %s: %s", (a, b, part, whole, expected) => {
  expect(wholeBetween(a, b, part, whole)).toBe(expected);
});

test("no whole number is nearer, and the line back is the same", () => {
  const value = fc.bigInt({ min: -most - 1n, max: most });
  const share = fc.tuple(fc.bigInt({ min: 0n, max: 1_000n }), fc.bigInt({ min: 0n, max: 1_000n }));
  fc.assert(
    fc.property(value, value, share, (a, b, [part, rest]) => {
      const whole = part + rest + 1n;
      const found = wholeBetween(a, b, part, whole);
      // How far it is off, in parts of the whole.
      const off = found * whole - (a * whole + (b - a) * part);
      const distance = 2n * (off < 0n ? -off : off);
      expect(distance < whole || (distance === whole && found % 2n === 0n)).toBe(true);
      expect(wholeBetween(b, a, whole - part, whole)).toBe(found);
    }),
    { seed: 3, numRuns: 500 },
  );
});
