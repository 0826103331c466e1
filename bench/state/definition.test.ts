import { describe, expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { differenceOf, hoppingOf, slidingOf } from "./definition.ts";
import { keyedCases, unmeasured } from "./cases.ts";
import { batchesOf, hashOf, openStep, planOf } from "./stream.ts";
import { windowFault } from "./windows.ts";

const readings = [
  { device: "a", ts: 0, temp: 1 },
  { device: "b", ts: 5, temp: 9 },
  { device: "a", ts: 10, temp: 3 },
];

test("hopping windows by hand", () => {
  const rows = hoppingOf(readings, 20, 10);
  const expected = [
    { device: "a", end: 10, n: 1, min: 1, max: 1 },
    { device: "b", end: 10, n: 1, min: 9, max: 9 },
    { device: "a", end: 20, n: 2, min: 1, max: 3 },
    { device: "b", end: 20, n: 1, min: 9, max: 9 },
    { device: "a", end: 30, n: 1, min: 3, max: 3 },
  ];
  expect(differenceOf(rows, expected)).toBeNull();
  expect(differenceOf(rows, expected.slice(1))).toContain('"end":10');
});

test("sliding windows by hand", () => {
  const [first, , third] = slidingOf(readings, 11);
  expect([first!.n, third!.n]).toEqual([1, 2]);
  expect(slidingOf(readings, 10)[2]!.n).toBe(1);
});

test("the operator's windows are those of the definition", () => {
  expect(windowFault()).toBeNull();
});

describe("the stream", () => {
  const plan = planOf("deadband", { value: "temp", by: "device", band: 0.5 });
  const settings = { records: 5_000, keys: 10, step_ms: 10 };

  test("is the same however it is cut, and another with other settings", () => {
    const whole = hashOf(plan, batchesOf(plan, settings));
    expect(hashOf(plan, batchesOf(plan, { ...settings, batchRows: 37 }))).toBe(whole);
    expect(hashOf(plan, batchesOf(plan, { ...settings, late: false }))).not.toBe(whole);
  });

  test("has the watermarks of a source", () => {
    const batches = batchesOf(plan, { ...settings, batchRows: 100 });
    const [times, watermarks] = [
      batches.flatMap(({ time }) => [...time]),
      batches.flatMap(({ watermark }) => [...watermark]),
    ];
    times.forEach((_time, row) => {
      expect(watermarks[row]).toBe(Math.max(...times.slice(0, row)) - 1_000);
    });
  });

  test("runs through every keyed operator, each of which lets something pass", () => {
    for (const { operator, settings: config } of keyedCases) {
      const step = planOf(operator, config);
      expect(
        openStep(step)(batchesOf(step, { records: 20_000, keys: 20, step_ms: 100 }), true),
      ).toBeGreaterThan(0);
    }
    const known = new Set(catalog.map(({ name }) => name));
    expect(unmeasured().every((name) => known.has(name))).toBe(true);
  });
});
