// The laws of every aggregate: parts that are merged say what all values together say, in the order in
// which they arrived, nulls left out; and nothing that is not a number comes out.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aggregate, AggregateState, Batch, Column, WritableColumn } from "weir/sdk";
import { count, first, last, max, mean, min, stddev, sum } from "./aggregates.ts";
import { countDistinct } from "./count-distinct.ts";
import { quantile } from "./quantile.ts";
import { aggregates } from "./window.ts";

interface Reading {
  readonly time: number;
  readonly value: number | null;
}

function stateOf(aggregate: Aggregate, slots: number): AggregateState {
  return {
    cells: aggregate.initial.map((value) => new Float64Array(slots).fill(value)),
    buffers: [],
  };
}

function columnOf(readings: readonly Reading[]): Column {
  return {
    type: "float64",
    // What lies under a null is unspecified, so here it is something that would be noticed.
    values: Float64Array.from(readings, ({ value }) => value ?? 1e300),
    valid: Uint8Array.from(readings, ({ value }) => (value === null ? 0 : 1)),
    dictionary: null,
  };
}

function add(aggregate: Aggregate, state: AggregateState, slot: number, readings: readonly Reading[]): void {
  const input = columnOf(readings);
  const rows = Uint32Array.from(readings.keys());
  const time = Float64Array.from(readings, (reading) => reading.time);
  const batch: Batch = {
    schema: { fields: [{ name: "x", type: "float64" }], rest: null },
    columns: [input],
    rows: readings.length,
    selection: rows,
    count: readings.length,
    time,
    watermark: time,
    weight: null,
    origin: null,
  };
  aggregate.add(state, new Uint32Array(readings.length).fill(slot), rows, readings.length, input, batch);
}

function finish(aggregate: Aggregate, state: AggregateState, slot: number): number | null {
  const out: WritableColumn = {
    type: "float64",
    values: new Float64Array(1),
    valid: new Uint8Array(1).fill(1),
  };
  aggregate.finish(state, Uint32Array.of(slot), 1, out);
  return out.valid[0] === 0 ? null : (out.values[0] as number);
}

/** The result of all readings at once. */
function whole(aggregate: Aggregate, readings: readonly Reading[]): number | null {
  const state = stateOf(aggregate, 3);
  add(aggregate, state, 1, readings);
  return finish(aggregate, state, 1);
}

/** The result of parts in tables of their own, merged in their order. */
function merged(aggregate: Aggregate, parts: readonly (readonly Reading[])[]): number | null {
  const target = stateOf(aggregate, 4);
  for (const part of parts) {
    const source = stateOf(aggregate, 3);
    add(aggregate, source, 2, part);
    aggregate.merge(target, 1, source, 2);
  }
  for (const slot of [0, 2, 3]) expect(finish(aggregate, target, slot)).toBe(emptyOf(aggregate));
  return finish(aggregate, target, 1);
}

function emptyOf(aggregate: Aggregate): number | null {
  return finish(aggregate, stateOf(aggregate, 1), 0);
}

const reading: fc.Arbitrary<Reading> = fc.record({
  time: fc.integer({ min: -5, max: 5 }),
  value: fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
  ),
});
const parts = fc.array(fc.array(reading, { maxLength: 30 }), { minLength: 1, maxLength: 5 });
const seed = 11;

const all = aggregates.map((definition) => ({
  name: definition.name,
  aggregate: definition.create("float64", definition.name === "quantile" ? [0.75] : []),
}));

describe.each(all)("$name", ({ name, aggregate }) => {
  test("parts merged are the whole", () => {
    fc.assert(
      fc.property(parts, (cut) => {
        const readings = cut.flat();
        const expected = whole(aggregate, readings);
        const actual = merged(aggregate, cut);
        if (expected === null || actual === null) {
          expect(actual).toBe(expected);
          return;
        }
        const scale = readings.reduce((total, { value }) => total + Math.abs(value ?? 0), 0);
        const rounding = ["sum", "mean", "stddev"].includes(name) ? 1e-12 * scale : 0;
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(rounding);
      }),
      { seed, numRuns: 200 },
    );
  });

  test("merging an empty part changes nothing, on either side", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (readings) => {
        const expected = whole(aggregate, readings);
        expect(merged(aggregate, [[], readings])).toBe(expected);
        expect(merged(aggregate, [readings, []])).toBe(expected);
      }),
      { seed, numRuns: 100 },
    );
  });

  test("what is merged from stays as it was", () => {
    const readings = [1, 5, -2, 0, 700].map((value, time) => ({ time, value }));
    const source = stateOf(aggregate, 1);
    add(aggregate, source, 0, readings);
    const before = finish(aggregate, source, 0);
    const target = stateOf(aggregate, 1);
    aggregate.merge(target, 0, source, 0);
    add(aggregate, target, 0, [{ time: 9, value: 1e6 }]);
    expect(finish(aggregate, source, 0)).toBe(before);
  });

  test("nulls are left out", () => {
    const nulls = [0, 1, 2].map((time) => ({ time, value: null }));
    expect(whole(aggregate, nulls)).toBe(emptyOf(aggregate));
  });

  test("no result is infinite or not a number, even at the ends of the range", () => {
    const ends = [Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE];
    for (const some of [ends, ends.slice(0, 1), ends.slice(2)]) {
      const readings = some.map((value, time) => ({ time, value }));
      const result = whole(aggregate, readings);
      expect(result === null || Number.isFinite(result)).toBe(true);
    }
  });
});

describe("what each says", () => {
  const readings = [3, null, -1, 4, -1].map((value, time) => ({ time, value }));
  const cases = [
    [count, 4],
    [sum, 5],
    [mean, 1.25],
    [min, -1],
    [max, 4],
    [first, 3],
    [last, -1],
    [stddev, Math.sqrt((1.75 ** 2 + 2.25 ** 2 * 2 + 2.75 ** 2) / 3)],
    [countDistinct, 3],
  ] as const;
  test.each(cases.map(([definition, expected]) => [definition.name, definition, expected] as const))(
    "%s",
    (_name, definition, expected) => {
      expect(whole(definition.create("float64", []), readings)).toBeCloseTo(expected, 12);
    },
  );

  test("of equal times, first keeps the first to arrive and last the last", () => {
    const equal = [1, 2, 3].map((value) => ({ time: 7, value }));
    expect(whole(first.create("float64", []), equal)).toBe(1);
    expect(whole(last.create("float64", []), equal)).toBe(3);
  });

  test("first and last go by event time, not by arrival", () => {
    const late = [5, 1, 9].map((time) => ({ time, value: time * 10 }));
    expect(whole(first.create("float64", []), late)).toBe(10);
    expect(whole(last.create("float64", []), late)).toBe(90);
  });

  test("a sum keeps what plain addition loses", () => {
    const readings = [1, 1e100, 1, -1e100].map((value, time) => ({ time, value }));
    expect(whole(sum.create("float64", []), readings)).toBe(2);
    expect(merged(sum.create("float64", []), [readings.slice(0, 2), readings.slice(2)])).toBe(2);
  });

  test("a spread around a large mean is not lost", () => {
    const readings = [4, 7, 13, 16].map((value, time) => ({ time, value: value + 1e9 }));
    expect(whole(stddev.create("float64", []), readings)).toBeCloseTo(Math.sqrt(30), 9);
  });

  test("a quantile of one value is that value, but for 1 %", () => {
    const one = whole(quantile.create("float64", [0.5]), [{ time: 0, value: 40 }])!;
    expect(Math.abs(one - 40)).toBeLessThanOrEqual(0.4 * (1 + 1e-9));
  });
});
