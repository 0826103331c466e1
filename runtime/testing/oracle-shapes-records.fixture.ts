// Windows that begin and end with records, with everything that they may send.

import * as fc from "fast-check";
import { closes, early, final, opens, type Shape, shapesOf, updates } from "./oracle.fixture.ts";
import type { OracleWindow } from "./oracle-kinds.ts";

const session: fc.Arbitrary<OracleWindow> = fc.record({
  kind: fc.constant("session"),
  gap: fc.constantFrom(1, 5, 10, 30),
  // Some are shorter than the gap.
  max: fc.constantFrom(Infinity, Infinity, 3, 12, 30, 100),
});
const count: fc.Arbitrary<OracleWindow> = fc
  .constantFrom([1, 1], [3, 3], [5, 2], [6, 3], [4, 1], [7, 5])
  .map(([n, every]) => ({ kind: "count", n: n!, every: every! }));
const sliding: fc.Arbitrary<OracleWindow> = fc.record({
  kind: fc.constant("sliding"),
  length: fc.constantFrom(1, 10, 60, 400),
});
const state: fc.Arbitrary<OracleWindow> = fc.constant({ kind: "state", opens, closes });

export const recordShapes: Readonly<Record<string, fc.Arbitrary<Shape>>> = {
  session: shapesOf(session, final),
  "session, early": shapesOf(session, early(1, 7, 20)),
  "session, updates": shapesOf(session, updates()),
  count: shapesOf(count, final),
  sliding: shapesOf(sliding, final),
  state: shapesOf(state, final),
  "state, early": shapesOf(state, early(1, 7, 20)),
};
