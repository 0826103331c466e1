// Windows of time with everything that they may send.

import * as fc from "fast-check";
import { early, final, gaps, type Shape, shapesOf, updates } from "./oracle.fixture.ts";
import type { OracleWindow } from "./oracle-kinds.ts";

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
const tumblingEarly = fc
  .constantFrom([20, 5], [10, 10], [60, 15])
  .chain(([size, step]) =>
    shapesOf(fc.record({ kind: fc.constant("tumbling"), size: fc.constant(size!), offset }), early(step!)),
  );

export const timeShapes: Readonly<Record<string, fc.Arbitrary<Shape>>> = {
  tumbling: shapesOf(tumbling, final),
  "tumbling, early": tumblingEarly,
  "tumbling, updates": shapesOf(tumbling, updates()),
  "tumbling, gaps": shapesOf(tumbling, gaps),
  hopping: shapesOf(hopping, final),
  "hopping, early": shapesOf(hopping, early(3, 10, 17)),
  "hopping, updates": shapesOf(hopping, updates()),
  "hopping, gaps": shapesOf(hopping, gaps),
  cumulate: shapesOf(cumulate, final),
};
