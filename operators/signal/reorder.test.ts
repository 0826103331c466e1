// reorder against its definition, and what windows make of values behind it: as if all had come in order.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { window } from "../window/window.ts";
import { reorder } from "./reorder.ts";
import { arrivalsOf, type Reading, readings, run } from "./stream.fixture.ts";
import { throttle } from "./throttle.ts";
import { top } from "./top.ts";

test("records go by their time, or by the watermark that they found where that is later", () => {
  let moved = 0;
  fc.assert(
    fc.property(fc.constantFrom(0, 15, 1_000), readings(), (lateness, all) => {
      const { rows, ledger, held } = run({ steps: [[reorder, {}]], lateness }, all);
      const turns = arrivalsOf(all, lateness)[0].map(({ n, ts, watermark }) => ({
        n,
        turn: Math.max(ts, watermark),
      }));
      const expected = turns.toSorted((a, b) => a.turn - b.turn).map(({ n }) => n);
      expect(rows.map(({ n }) => n)).toEqual(expected);
      expect([ledger, held]).toEqual([{}, 0]);
      moved += expected.filter((n, place) => n !== place).length;
    }),
    { seed: 41, numRuns: 100 },
  );
  expect(moved).toBeGreaterThan(300);
});

/** Of each key all times are different: which of two equal ones came first is nothing that order shows. */
const inTime = readings({ x: fc.integer({ min: -8, max: 8 }) }).map((all) =>
  [...new Map(all.map((reading) => [`${reading.key} ${reading.ts}`, reading])).values()].toSorted(
    (a, b) => a.ts - b.ts,
  ),
);

/** The same, each late by up to so many ms. */
const late = 40;
const delayed = (all: readonly Reading[]): fc.Arbitrary<readonly Reading[]> =>
  fc
    .array(fc.integer({ min: 0, max: late }), { minLength: all.length, maxLength: all.length })
    .map((delays) =>
      all
        .map((reading, place) => ({ reading, came: reading.ts + delays[place]! }))
        .toSorted((a, b) => a.came - b.came)
        .map(({ reading }) => reading),
    );

/** Event time goes past all windows before the stream ends, of which an end alone would send some sooner. */
const after: Reading = { n: -1, key: null, ts: 1_000_000, x: 0 };

const select = {
  rate: "rate(x)",
  area: "integral(x)",
  mean: "time_mean(x)",
  all: "collect(x, 9)",
  n: "count()",
};

test.each<[string, Readonly<Record<string, unknown>>]>([
  ["tumbling", { tumbling: "60ms" }],
  ["tumbling, updates", { tumbling: "60ms", emit: { updates: "50ms" } }],
  ["calendar", { calendar: { unit: "hour" } }],
  ["hopping", { hopping: { size: "60ms", every: "25ms" } }],
  ["cumulate", { cumulate: { step: "20ms", max: "80ms" } }],
  ["session", { session: { gap: "12ms" } }],
  ["count", { count: { n: 5, every: 2 } }],
  ["sliding", { sliding: "30ms" }],
])("values that follow each other, in windows behind it: %s", (_kind, kind) => {
  const config = { ...kind, by: "key", select };
  const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
  let rows = 0;
  fc.assert(
    fc.property(
      inTime.chain((all) => fc.tuple(fc.constant(all), delayed(all))),
      ([all, shuffled]) => {
        const expected = run({ steps: [[window, config]], lateness: late }, [...all, after]);
        const result = run(
          {
            steps: [
              [reorder, {}],
              [window, config],
            ],
            lateness: late,
          },
          [...shuffled, after],
        );
        expect(sorted(result.rows)).toEqual(sorted(expected.rows));
        rows += result.rows.length;
      },
    ),
    { seed: 42, numRuns: 25 },
  );
  expect(rows).toBeGreaterThan(25);
});

test("at the end event time goes along with what was held, and does not go back for what comes behind", () => {
  const all: readonly Reading[] = [
    { n: 0, key: "a", ts: 0, x: 1 },
    { n: 1, key: "b", ts: 90, x: 2 },
    { n: 2, key: "c", ts: 105, x: 3 },
  ];
  const { rows, ledger } = run(
    {
      steps: [
        [reorder, {}],
        [throttle, { every: "20ms", by: "key", keep: "last" }],
        [top, { count: 1, value: "x", every: "100ms" }],
      ],
      lateness: 40,
    },
    all,
  );
  // The first period was over with the reading of 105, before the end let go of that of 90: it is not sent a second time.
  expect(rows.map(({ n }) => n)).toEqual([0, 2]);
  expect(ledger).toEqual({ "top: late": 1 });
});
