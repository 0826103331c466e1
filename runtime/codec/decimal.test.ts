// Numbers are written as JavaScript writes them, whatever way they take.

import fc from "fast-check";
import { expect, test } from "vitest";
import { numberBytesMax, writeNumber } from "./decimal.ts";

function written(value: number): string {
  const bytes = new Uint8Array(numberBytesMax + 3);
  return String.fromCharCode(...bytes.subarray(3, writeNumber(bytes, 3, value)));
}

test.each([
  0,
  -0,
  1,
  -1,
  10,
  99,
  100,
  2 ** 31 - 1,
  2 ** 31,
  1e9,
  1e10 - 1,
  999999999999,
  1e11,
  99999999999.9999,
  1e15,
  1e21,
  1e-7,
  0.1,
  0.0001,
  0.00011,
  -0.05,
  1234.56,
  0.1 + 0.2,
  1.005,
  1700000000123,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.MAX_SAFE_INTEGER,
])("writes %d", (value) => {
  expect(written(value)).toBe(`${value}`);
});

test("any number", () => {
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1e9, max: 1e9 }).map((whole) => whole / 100),
    fc.integer({ min: -1e9, max: 1e9 }).map((whole) => whole / 1e4),
    fc.maxSafeInteger(),
  );
  fc.assert(
    fc.property(numbers, (value) => {
      expect(written(value)).toBe(`${value}`);
    }),
    { numRuns: 20_000 },
  );
});
