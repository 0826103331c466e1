import { expect, test } from "vitest";
import { timeOfDecimal, timeOfInteger, timeOfIso, timeOfNumber } from "./time-unit.ts";

test.each([
  [1.005, "s", 1005],
  [-1.5, "s", -1500],
  [1e-7, "s", 1e-4],
  [1_700_000_000, "s", 1_700_000_000_000],
  [1500, "ms", 1500],
  [1500, "us", 1.5],
  [2_500_000, "ns", 2.5],
  [8.64e15, "ms", 8.64e15],
  [8.65e15, "ms", Number.NaN],
  [8.65e12, "s", Number.NaN],
  [Number.POSITIVE_INFINITY, "s", Number.NaN],
  [Number.NaN, "ms", Number.NaN],
  [1500, "iso", Number.NaN],
] as const)("%d in %s is %d ms", (value, unit, ms) => {
  expect(timeOfNumber(value, unit)).toBe(ms);
});

test("integers and decimal text are rounded once, beyond 2^53 too", () => {
  expect(timeOfInteger(1_700_000_000_123_456_789n, "ns")).toBe(1_700_000_000_123.4568);
  expect(timeOfDecimal("1700000000123456789", "ns")).toBe(1_700_000_000_123.4568);
  expect(timeOfDecimal("1700000000.123", "s")).toBe(1_700_000_000_123);
  expect(timeOfDecimal("1.7E9", "s")).toBe(1_700_000_000_000);
  expect(timeOfInteger(2n ** 63n, "s")).toBeNaN();
});

test("text is a time only with its zone", () => {
  expect(timeOfIso("2024-02-29T12:30:00.250+02:00")).toBe(Date.UTC(2024, 1, 29, 10, 30, 0, 250));
  expect(timeOfIso("2024-02-29T12:30:00")).toBeNaN();
});
