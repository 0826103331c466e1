// The engine against the oracle: every kind of window with everything it may send, over random pipelines, records,
// batches and silences. To replay a failure, put the seed and path that the report names into `replay`.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  closes,
  compare,
  events,
  expectSameInBatches,
  once,
  opens,
  type Shape,
  shapesOf,
} from "./oracle.fixture.ts";
import type { OracleEmission, OracleWindow } from "./oracle-kinds.ts";

/** For instance { seed: 1, path: "12:3" }. */
const replay: { readonly seed: number; readonly path?: string } = { seed: 20_260_726 };
/** Of each kind with each emission. */
const cases = 100;
const casesInBatches = 60;

const offset = fc.constantFrom(0, 3, 60);

const tumbling: fc.Arbitrary<OracleWindow> = fc.record({
  kind: fc.constant("tumbling"),
  size: fc.constantFrom(1, 10, 60),
  offset,
});
const hopping: fc.Arbitrary<OracleWindow> = fc
  .constantFrom([10, 5], [60, 25], [60, 7], [10, 10], [7, 1])
  .chain(([size, every]) =>
    fc.record({ kind: fc.constant("hopping"), size: fc.constant(size!), every: fc.constant(every!), offset }),
  );
const cumulate: fc.Arbitrary<OracleWindow> = fc
  .constantFrom([5, 20], [10, 10], [7, 70], [1, 12])
  .chain(([step, max]) =>
    fc.record({ kind: fc.constant("cumulate"), step: fc.constant(step!), max: fc.constant(max!), offset }),
  );
const session: fc.Arbitrary<OracleWindow> = fc.record({
  kind: fc.constant("session"),
  gap: fc.constantFrom(1, 5, 10, 30),
  max: fc.constantFrom(Infinity, Infinity, 12, 30, 100),
});
const count: fc.Arbitrary<OracleWindow> = fc
  .constantFrom([1, 1], [3, 3], [5, 2], [6, 3], [4, 1], [7, 5])
  .map(([n, every]) => ({ kind: "count", n: n!, every: every! }));
const sliding: fc.Arbitrary<OracleWindow> = fc.record({
  kind: fc.constant("sliding"),
  length: fc.constantFrom(1, 10, 60, 400),
});
const state: fc.Arbitrary<OracleWindow> = fc.constant({ kind: "state", opens, closes });

const final = fc.constant(once);
const early = (...steps: readonly number[]): fc.Arbitrary<OracleEmission> =>
  fc.constantFrom(...steps).map((each) => ({ ...once, early: each }));
const updates = fc.constantFrom(1, 10, 50, 300).map((each) => ({ ...once, updates: each }));
const gaps = fc.constantFrom("zero", "null", "last", "interpolate").map((each) => ({ ...once, gaps: each }));
const someGaps = gaps as fc.Arbitrary<OracleEmission>;

const tumblingEarly = fc
  .constantFrom([20, 5], [10, 10], [60, 15])
  .chain(([size, step]) =>
    shapesOf(fc.record({ kind: fc.constant("tumbling"), size: fc.constant(size!), offset }), early(step!)),
  );

const shapes: Readonly<Record<string, fc.Arbitrary<Shape>>> = {
  tumbling: shapesOf(tumbling, final),
  "tumbling, early": tumblingEarly,
  "tumbling, updates": shapesOf(tumbling, updates),
  "tumbling, gaps": shapesOf(tumbling, someGaps),
  hopping: shapesOf(hopping, final),
  "hopping, early": shapesOf(hopping, early(3, 10, 17)),
  "hopping, updates": shapesOf(hopping, updates),
  "hopping, gaps": shapesOf(hopping, someGaps),
  cumulate: shapesOf(cumulate, final),
  session: shapesOf(session, final),
  "session, early": shapesOf(session, early(1, 7, 20)),
  "session, updates": shapesOf(session, updates),
  count: shapesOf(count, final),
  sliding: shapesOf(sliding, final),
  state: shapesOf(state, final),
  "state, early": shapesOf(state, early(1, 7, 20)),
};

/** The ways in which each kind lets go of records. */
const everyReason = ["ahead", "filtered", "late", "time", "type"];

test.each(Object.keys(shapes))("the engine does what the oracle does: %s", (name) => {
  let rows = 0;
  const reasons = new Set<string>();
  fc.assert(
    fc.property(shapes[name]!, events, fc.nat(8), (shape, all, look) => {
      const oracle = compare(shape, all, look);
      rows += oracle.rows.length;
      for (const reason of Object.keys(oracle.ledger)) reasons.add(reason);
    }),
    { ...replay, numRuns: cases },
  );
  if (replay.path !== undefined) return;
  // The cases are worth something: many rows, and every way to leave the stream.
  expect(rows).toBeGreaterThan(100);
  expect([...reasons].sort()).toEqual(everyReason.filter((reason) => name !== "count" || reason !== "late"));
});

test.each(Object.keys(shapes))("how records are cut into batches changes nothing: %s", (name) => {
  fc.assert(fc.property(shapes[name]!, events, expectSameInBatches), { ...replay, numRuns: casesInBatches });
});
