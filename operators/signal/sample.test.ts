// sample: which records pass depends on their order and their key alone, and a share is one.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runExample } from "weir/testing";
import { sample } from "./sample.ts";
import { arrivalsOf, expectSame, readings, run } from "./stream.fixture.ts";

test("every n-th of a key passes, beginning with the first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), readings(), (every, all) => {
      const result = run({ steps: [[sample, { every, by: "key" }]] }, all);
      expectSame(result, arrivalsOf(all, 0)[0], (own) =>
        own.filter((_reading, place) => place % every === 0).map(({ n }) => n),
      );
    }),
    { seed: 4, numRuns: 60 },
  );
});

function devicesOf(share: number, by: string | string[], devices: number): Set<string> {
  const input = Array.from({ length: devices * 2 }, (_, i) => ({
    device: `device-${i % devices}`,
    line: i % 3,
  }));
  const { rows, faults } = runExample(
    sample,
    { title: "", config: { share, by }, schema: { device: "string", line: "float64" }, input, output: [] },
    100,
  );
  expect(faults).toEqual([]);
  const chosen = new Set(rows.map(({ device }) => device as string));
  if (by === "device") expect(rows.length).toBe(2 * chosen.size);
  return chosen;
}

test("a share of the keys passes, and a larger share contains a smaller one", () => {
  const none = devicesOf(0, "device", 2000);
  const few = devicesOf(0.1, "device", 2000);
  const half = devicesOf(0.5, "device", 2000);
  const all = devicesOf(1, "device", 2000);
  expect([none.size, all.size]).toEqual([0, 2000]);
  // Five standard deviations of a fair choice.
  expect(Math.abs(few.size - 200)).toBeLessThan(5 * Math.sqrt(2000 * 0.1 * 0.9));
  expect(Math.abs(half.size - 1000)).toBeLessThan(5 * Math.sqrt(2000 * 0.5 * 0.5));
  expect([...few].every((device) => half.has(device))).toBe(true);
});

test("the choice is the same on every device and in every version", () => {
  expect([...devicesOf(0.3, "device", 20)]).toMatchInlineSnapshot(`
    [
      "device-0",
      "device-3",
      "device-5",
      "device-6",
      "device-8",
      "device-10",
      "device-11",
      "device-14",
      "device-15",
      "device-18",
    ]
  `);
  expect([...devicesOf(0.3, ["device", "line"], 10)]).toMatchInlineSnapshot(`
    [
      "device-1",
      "device-2",
      "device-3",
      "device-4",
      "device-8",
      "device-0",
      "device-7",
      "device-9",
    ]
  `);
});
