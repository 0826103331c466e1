// The benchmark is honest: both sides make the same rows, and a difference is found.

import { describe, expect, test } from "vitest";
import { limits } from "../runtime/limits.ts";
import { byHand } from "./by-hand.ts";
import { differenceOf, hashOf } from "./comparison.ts";
import type { Outcome } from "./contender.ts";
import { weir } from "./engine.ts";
import { bytesEach, makeReadings } from "./readings.ts";

const records = 130_000;
const batches = makeReadings(records);
const outcome = weir().open()(batches);
const expected = byHand.open()(batches);

/** The outcome with one row changed. */
function changed(change: (row: Record<string, unknown>) => void): Outcome {
  const rows = [...expected.rows];
  const row = JSON.parse(Buffer.from(rows[7]!).toString()) as Record<string, unknown>;
  change(row);
  rows[7] = Buffer.from(JSON.stringify(row));
  return { ...expected, rows };
}

test("the readings are what they are said to be", () => {
  expect(batches.reduce((total, { count }) => total + count, 0)).toBe(records);
  expect(Math.abs(bytesEach(batches) - 85)).toBeLessThan(1);
  expect(batches.every(({ count }) => count <= limits.batch_rows_max)).toBe(true);
  expect(makeReadings(100)[0]!.bytes).toEqual(makeReadings(100)[0]!.bytes);
  expect(makeReadings(100, 2)[0]!.bytes).not.toEqual(makeReadings(100)[0]!.bytes);
});

test("weir and the program by hand make the same rows", () => {
  expect(differenceOf(outcome, expected)).toBeNull();
  expect(hashOf(outcome)).toBe(hashOf(expected));
  // Two hundred devices in each of three windows, the last of which is short.
  expect(expected.rows.length).toBeGreaterThan(580);
  expect(expected.filtered).toBeGreaterThan(0);
});

describe("a difference is found", () => {
  test.each([
    ["max", (row: Record<string, unknown>) => (row["max"] = (row["max"] as number) + 0.01)],
    ["device", (row: Record<string, unknown>) => (row["device"] = "device-x")],
    ["sum", (row: Record<string, unknown>) => (row["sum"] = (row["sum"] as number) * (1 + 1e-11))],
    ["mean", (row: Record<string, unknown>) => (row["mean"] = null)],
    ["fields", (row: Record<string, unknown>) => delete row["n"]],
  ])("in %s", (name, change) => {
    expect(differenceOf(changed(change), expected)).toContain(name);
  });

  test("in the order of the rows, their number, and what was left out", () => {
    expect(differenceOf({ ...expected, rows: expected.rows.toReversed() }, expected)).not.toBeNull();
    expect(differenceOf({ ...expected, rows: expected.rows.slice(1) }, expected)).toContain("rows");
    expect(differenceOf({ ...expected, filtered: 0 }, expected)).toContain("left out");
  });
});
