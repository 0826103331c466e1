// Windows whose records were aggregated before they came, where event time stands exactly at the ends of windows; how
// such rows travel is with the engine, and random streams are with the conformance suite.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Harness, lawFaults } from "weir/testing";
import { type Fields, planOfWindows } from "./windows.fixture.ts";

interface Outcome {
  readonly rows: readonly Fields[];
  readonly ledger: readonly string[];
}

const select = { n: "count()", sum: "sum(x)", low: "min(x)", first: "first(x)", last: "last(x)" };

function outcomeOf(kind: Fields, readings: readonly Fields[], batchRows: number, pooled: boolean): Outcome {
  const plan = planOfWindows([{ ...kind, by: "key", select }], "10ms");
  const harness = new Harness(plan, { batchRows, pooled });
  for (const reading of readings) harness.record(reading);
  harness.finish();
  const counts = harness.counts();
  expect(lawFaults(counts)).toEqual([]);
  const ledger = counts[0]!.ledger.map(({ step, reason, records }) => `${step} ${reason} ${records}`);
  return { rows: harness.rows(0), ledger };
}

/** Times on a grid, so that the watermark stands at the ends of windows more often than not. */
const readings = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b", null),
    ts: fc.integer({ min: 0, max: 12 }).map((step) => step * 5),
    x: fc.integer({ min: -20, max: 20 }),
  }),
  { maxLength: 40, size: "max" },
);

test.each<[string, Fields]>([
  ["tumbling", { tumbling: "10ms" }],
  ["hopping", { hopping: { size: "20ms", every: "10ms" } }],
  ["hopping, uneven", { hopping: { size: "15ms", every: "10ms" } }],
  ["cumulate", { cumulate: { step: "10ms", max: "30ms" } }],
  ["early", { tumbling: "20ms", emit: { early: "10ms" } }],
  ["with rows for empty windows", { tumbling: "10ms", gaps: "zero" }],
  ["again for late records, which come one by one", { tumbling: "10ms", emit: { updates: "20ms" } }],
])("aggregated before it comes: %s", (_name, kind) => {
  fc.assert(
    fc.property(readings, fc.constantFrom(1, 3, 7, 50), (records, batchRows) => {
      const expected = outcomeOf(kind, records, 1, false);
      expect(outcomeOf(kind, records, batchRows, true)).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

test("many records of a key become one row, and a text is a key like any other", () => {
  const records = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n % 7}`, ts: n, x: n }));
  const kind = { tumbling: "100ms" };
  const expected = outcomeOf(kind, records, 1, false);
  expect(outcomeOf(kind, records, 250, true)).toEqual(expected);
  expect(expected.rows).toHaveLength(70);
});
