// What does not matter: the order in which records come, as long as none is late; and what steps after a
// window see of it: each record once, and no row too late.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exampleLimits, Harness, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { window } from "./window.ts";

type Fields = Readonly<Record<string, unknown>>;

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
  const content = JSON.stringify({
    name: "w",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { key: "string", ts: "time", x: "float64" },
      time: { field: "ts", lateness: "200ms" },
    },
    limits: exampleLimits,
    steps: [...steps.map((step) => ({ window: step })), { sink: { stdout: {}, format: "json" } }],
  });
  const { plan, diagnostics } = loadPipeline({ file: "w", content, catalogue: [window] });
  if (plan === null) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  const harness = new Harness(plan, { batchRows });
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
