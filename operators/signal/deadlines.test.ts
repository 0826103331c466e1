// Deadlines: what a map of keys and times says, in the order of time and key, however far apart they are, and
// though all but the table is made anew in between.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { table } from "weir/sdk";
import { makeKeyedTable } from "../../runtime/state/keyed.ts";
import { Deadlines } from "./deadlines.ts";

const key = fc.nat(20);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ key, ahead: fc.integer({ min: -5, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ key, ahead: fc.double({ min: 0, max: 1e6, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ key, ahead: fc.integer({ min: 0, max: 2 ** 42 }) }) },
  { weight: 2, arbitrary: fc.record({ clear: key }) },
  { weight: 4, arbitrary: fc.record({ pass: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ pass: fc.nat(2 ** 42) }) },
  { weight: 1, arbitrary: fc.record({ anew: fc.constant(true) }) },
);

/** A table of some keys: their ids alone matter. */
function cells(): Parameters<typeof makeKeyedTable>[2] {
  return { size: 21, identify: () => undefined, write: () => undefined } as never;
}

test("say what a map says", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200, size: "max" }),
      fc.constantFrom(0, 15, 1000),
      (steps, period) => {
        const keyed = makeKeyedTable(table.keyed([], [Number.POSITIVE_INFINITY]), 64, cells());
        let now = Number.NEGATIVE_INFINITY;
        let visited: number[] = [];
        const make = (): Deadlines => new Deadlines(keyed, period, (own) => visited.push(own));
        let deadlines = make();
        const model = new Map<number, number>();
        for (const each of steps) {
          deadlines.open(now);
          if ("ahead" in each) {
            const time = (now === Number.NEGATIVE_INFINITY ? 0 : now) + each.ahead;
            deadlines.set(each.key, time);
            model.set(each.key, time);
          } else if ("clear" in each) {
            deadlines.clear(each.clear);
            model.delete(each.clear);
          } else if ("anew" in each) deadlines = make();
          else {
            now = (now === Number.NEGATIVE_INFINITY ? 0 : now) + each.pass;
            const due = [...model].filter(([, time]) => time <= now);
            for (const [own] of due) model.delete(own);
            visited = [];
            if (deadlines.next <= now) deadlines.reach(now);
            expect(visited).toEqual(due.toSorted(([a, i], [b, j]) => i - j || a - b).map(([own]) => own));
          }
          expect(deadlines.earliest).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()));
        }
      },
    ),
    { seed: 17, numRuns: 150 },
  );
});
