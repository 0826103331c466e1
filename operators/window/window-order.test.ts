// What does not matter: the order in which records come, as long as none is late; and what steps after a
// window see of it: each record once, and no row too late.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OperatorDefinition } from "weir/sdk";
import { Harness, lawFaults } from "weir/testing";
import { align } from "../join/align.ts";
import { join } from "../join/join.ts";
import { run } from "../signal/stream.fixture.ts";
import { window } from "./window.ts";
import { type Fields, planOfWindows } from "./windows.fixture.ts";

interface Reading {
  readonly key: string | null;
  readonly ts: number;
  readonly x: number;
}

/** The rows of steps over `readings`, none of which is late. */
function rowsOf(
  steps: readonly Fields[],
  readings: readonly Reading[],
  batchRows: number,
): readonly Fields[] {
  const harness = new Harness(planOfWindows(steps, "200ms"), { batchRows });
  for (const reading of readings) harness.record({ ...reading });
  harness.finish();
  const counts = harness.counts();
  expect(lawFaults(counts)).toEqual([]);
  expect(counts[0]!.held).toBe(0);
  expect(counts[0]!.ledger.filter(({ reason }) => reason !== "filtered")).toEqual([]);
  return harness.rows(0);
}

const readings: fc.Arbitrary<readonly Reading[]> = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b", null),
    ts: fc.integer({ min: -100, max: 100 }),
    x: fc.integer({ min: -20, max: 20 }),
  }),
  { maxLength: 40, size: "max" },
);

/** Without what depends on the order of equal times. */
const select = { n: "count()", sum: "sum(x)", low: "min(x)", values: "count_distinct(x)" };

/** What align and join tell apart. */
const inputs = { low: "x < 0.0", high: "x >= 0.0" };
const members = { low: "low.x", high: "high.n" };

const sorted = (rows: readonly Fields[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

test.each<[string, Fields]>([
  ["tumbling", { tumbling: "10ms" }],
  ["hopping", { hopping: { size: "30ms", every: "7ms" } }],
  ["cumulate", { cumulate: { step: "5ms", max: "20ms" } }],
  ["session", { session: { gap: "6ms" } }],
  ["calendar", { calendar: { unit: "day", zone: "Asia/Tokyo" } }],
])("the order of records within the lateness: %s", (_kind, kind) => {
  const shuffled = readings.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, again]) => {
      const step = { ...kind, by: "key", select };
      expect(sorted(rowsOf([step], again, 3))).toEqual(sorted(rowsOf([step], all, 1)));
    }),
    { seed: 5, numRuns: 40 },
  );
});

test.each<[string, Fields]>([
  ["sliding", { sliding: "25ms" }],
  ["state", { state: { open: "x > 8.0", close: "x < -8.0" } }],
])("the order of records within the lateness, times being different: %s", (_kind, kind) => {
  const shuffled = readings
    .map((all) => [...new Map(all.map((reading) => [reading.ts, reading])).values()])
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  fc.assert(
    fc.property(shuffled, ([all, again]) => {
      const step = { ...kind, by: "key", select };
      expect(sorted(rowsOf([step], again, 3))).toEqual(sorted(rowsOf([step], all, 1)));
    }),
    { seed: 6, numRuns: 40 },
  );
});

test.each<[string, Fields]>([
  ["hopping", { hopping: { size: "30ms", every: "10ms" } }],
  ["cumulate", { cumulate: { step: "5ms", max: "20ms" } }],
  ["session", { session: { gap: "6ms", max: "40ms" } }],
  ["count", { count: { n: 4, every: 3 } }],
  ["sliding", { sliding: "25ms" }],
  ["state", { state: { open: "x > 0.0", close: "x < -8.0" } }],
])("a window over the rows of another has each record once, and is late for none: %s", (_kind, kind) => {
  fc.assert(
    fc.property(readings, (all) => {
      const first = { ...kind, by: "key", select: { n: "count()" } };
      const second = { tumbling: "10ms", select: { records: "count()", rows: "count(n)" } };
      const runs = [1, 1000].map((batchRows) => rowsOf([first, second], all, batchRows));
      expect(runs[1]).toEqual(runs[0]);
      const total = (name: string): number => runs[0]!.reduce((sum, row) => sum + (row[name] as number), 0);
      expect(total("rows")).toBe(rowsOf([first], all, 1000).length);
      if (_kind !== "state") expect(total("records")).toBe(all.length);
    }),
    { seed: 7, numRuns: 40 },
  );
});

test("a session that is shorter than its gap is sent once: a record that would begin it again is late", () => {
  const plan = planOfWindows(
    [{ session: { gap: "3s", max: "500ms" }, by: "key", select: { n: "count()" } }],
    "0ms",
  );
  const harness = new Harness(plan, { batchRows: 1 });
  for (const ts of [0, 600, 0]) harness.record({ key: "a", ts, x: 1 });
  harness.finish();
  expect(harness.rows(0)).toEqual([
    { window_start: 0, window_end: 500, key: "a", n: 1 },
    { window_start: 600, window_end: 1_100, key: "a", n: 1 },
  ]);
  expect(harness.counts()[0]!.ledger).toMatchObject([{ reason: "late", records: 1 }]);
});

/** What the rule of `window` says of aggregates that follow their values: which kinds see them in event time. */
const followed = {
  rate: "rate(x)",
  area: "integral(x)",
  mean: "time_mean(x)",
  all: "collect(x, 9)",
};
const asTheyCame = { rate: 1, area: 450, mean: 15, all: [0, 20, 50, 30] };
const inTime = { rate: 80 / 30, area: 850, mean: 850 / 30, all: [0, 50, 20, 30] };

test.each<[string, Fields, typeof inTime]>([
  ["tumbling", { tumbling: "1m" }, asTheyCame],
  ["tumbling, early", { tumbling: "1m", emit: { early: "10s" } }, inTime],
  ["tumbling, updates", { tumbling: "1m", emit: { updates: "1m" } }, asTheyCame],
  ["calendar", { calendar: { unit: "hour" } }, asTheyCame],
  ["session", { session: { gap: "20s" } }, asTheyCame],
  ["count", { count: { n: 4 } }, asTheyCame],
  ["hopping", { hopping: { size: "1m", every: "10s" } }, inTime],
  ["hopping, in one piece", { hopping: { size: "1m", every: "1m" } }, asTheyCame],
  ["cumulate", { cumulate: { step: "10s", max: "1m" } }, inTime],
  ["sliding", { sliding: "1m" }, inTime],
  ["state", { state: { open: "x < 1.0", close: "x == 30.0" } }, inTime],
])("values that follow each other, come out of order: %s", (_kind, kind, expected) => {
  const harness = new Harness(planOfWindows([{ ...kind, by: "key", select: followed }], "60s"));
  const readings = [
    [0, 0],
    [20_000, 20],
    [10_000, 50],
    [30_000, 30],
  ];
  for (const [ts, x] of readings) harness.record({ key: "a", ts, x });
  harness.finish();
  const whole = harness.rows(0).findLast((row) => row["window_start"] === 0)!;
  expect(whole["all"]).toEqual(expected.all);
  for (const name of ["rate", "area", "mean"] as const) expect(whole[name]).toBeCloseTo(expected[name], 9);
});

test.each<[string, OperatorDefinition, Fields]>([
  ["a sliding window", window, { sliding: "5ms", by: "key", select }],
  ["a state window", window, { state: { open: "x > 5.0", close: "x < -5.0" }, by: "key", select }],
  ["align", align, { by: "key", inputs, age: "5ms", select: members }],
  ["join", join, { on: "key", left: "low", right: "high", inputs, within: "2ms", select: members }],
])("%s takes more records at once than it lets in at once", (_, operator, config) => {
  const all = Array.from({ length: 5_000 }, (__, n) => ({
    n,
    key: ["a", "b", null][n % 3]!,
    ts: n - ((n * 7) % 12),
    x: ((n * 13) % 41) - 20,
  }));
  const { rows, ledger } = run({ steps: [[operator, config]], lateness: 4 }, all, [5_000, 700]);
  expect(rows.length).toBeGreaterThan(50);
  expect(ledger[`${operator.name}: late`]).toBeGreaterThan(100);
});
