// rate, previous, ewma and outlier against their definitions: the column that each adds, recomputed from all
// readings of the key for every reading.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OperatorDefinition } from "weir/sdk";
import { ewma } from "./ewma.ts";
import { outlier } from "./outlier.ts";
import { previous } from "./previous.ts";
import { rate } from "./rate.ts";
import { set } from "../transform/set.ts";
import { type Arrival, arrivalsOf, byKey, type Reading, readings, run } from "./stream.fixture.ts";

type Value = number | boolean | null;

/** Compares the column `as` of every reading with what `oracle` says of it, from the key's readings up to it. */
function expectColumn(
  definition: OperatorDefinition,
  config: Readonly<Record<string, unknown>>,
  all: readonly Reading[],
  oracle: (own: readonly Arrival[]) => Value,
  type: "float64" | "int64" = "float64",
): Value[] {
  const as = "added";
  const { rows } = run({ steps: [[definition, { value: "x", by: "key", as, ...config }]], type }, all);
  expect(rows.map(({ n }) => n)).toEqual(all.map(({ n }) => n));
  const expected: Value[] = [];
  for (const own of byKey(arrivalsOf(all, 0)[0]).values())
    own.forEach(({ n }, place) => (expected[n] = oracle(own.slice(0, place + 1))));
  rows.forEach((row, n) => {
    const actual = row["added"] as Value;
    if (typeof actual === "number" && typeof expected[n] === "number")
      expect(actual).toBeCloseTo(expected[n], 9);
    else expect(actual).toBe(expected[n]);
  });
  return expected;
}

/** Readings that a rate counts: each newer than all that were counted before it. */
function counted(own: readonly Arrival[]): Arrival[] {
  const chain: Arrival[] = [];
  for (const reading of own) {
    const before = chain.at(-1);
    if (reading.x !== null && (before === undefined || reading.ts > before.ts)) chain.push(reading);
  }
  return chain;
}

function rateOf(own: readonly Arrival[]): Value {
  const chain = counted(own);
  const [before, reading] = chain.slice(-2);
  if (reading === undefined || reading.n !== own.at(-1)!.n) return null;
  const increase = reading.x! < before!.x! ? reading.x! : reading.x! - before!.x!;
  return increase / ((reading.ts - before!.ts) / 1000);
}

test("rate: the increase by the time that it took", () => {
  const counters = readings({ x: fc.oneof(fc.constant(null), fc.nat(1000)) });
  let known = 0;
  fc.assert(
    fc.property(counters, fc.constantFrom("float64" as const, "int64" as const), (all, type) => {
      known += expectColumn(rate, {}, all, rateOf, type).filter((value) => value !== null).length;
    }),
    { seed: 7, numRuns: 60 },
  );
  expect(known).toBeGreaterThan(500);
});

test("rate: a difference beyond the range of numbers is null, not infinite", () => {
  const all = [1e308, -1e308, 1.5e308].map((x, n) => ({ n, key: "a", ts: n, x }));
  const { rows } = run({ steps: [[rate, { value: "x" }]] }, all);
  expect(rows.map((row) => row["rate"])).toEqual([null, null, null]);
});

const added = { number_before: "x", text_before: "text", yes_before: "yes", time_before: "ts" };

test("previous: what the key's record before it said last, of any type and whatever its time", () => {
  const steps = [
    [set, { text: 'string(x) + " né🙂"', yes: "x > 2" }],
    [previous, { by: "key", values: added }],
  ] as const;
  let known = 0;
  fc.assert(
    fc.property(readings(), fc.constantFrom("float64" as const, "int64" as const), (all, type) => {
      const { rows } = run({ steps, type }, all);
      for (const own of byKey(rows).values()) {
        own.forEach((row, place) => {
          for (const [name, column] of Object.entries(added)) {
            const before = own.slice(0, place).map((each) => each[column]);
            const expected = before.findLast((value) => value !== null) ?? null;
            expect([row.n, name, row[name]]).toEqual([row.n, name, expected]);
            if (expected !== null) known++;
          }
        });
      }
    }),
    { seed: 5, numRuns: 60 },
  );
  expect(known).toBeGreaterThan(2_000);
});

test("previous: more texts than are kept in one go", () => {
  const all = Array.from({ length: 70_000 }, (_, n) => ({ n, key: n % 3 === 0 ? "a" : "b", ts: n, x: n }));
  const steps = [
    [set, { text: "string(x)" }],
    [previous, { by: "key", values: { before: "text" } }],
  ] as const;
  const { rows } = run({ steps }, all, [1_000]);
  const wrong = rows.filter(({ n, key, before }) => {
    const last = key === "a" ? n - 3 : n % 3 === 2 ? n - 1 : n - 2;
    return before !== (last < 0 ? null : String(last));
  });
  expect([rows.length, wrong]).toEqual([all.length, []]);
});

test("ewma: the mean weighted by age", () => {
  const halfLives = fc.constantFrom(1, 7, 100);
  fc.assert(
    fc.property(halfLives, readings(), (halfLife, all) => {
      expectColumn(ewma, { half_life: `${halfLife}ms` }, all, (own) => {
        if (own.at(-1)!.x === null) return null;
        const known = own.filter(({ x }) => x !== null);
        const newest = Math.max(...known.map(({ ts }) => ts));
        const weights = known.map(({ ts }) => 2 ** (-(newest - ts) / halfLife));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return known.reduce((sum, { x }, place) => sum + x! * (weights[place]! / total), 0);
      });
    }),
    { seed: 8, numRuns: 60 },
  );
});

test("ewma: of one value it is that value, even at the ends of the range", () => {
  const all = [0.1, 0.1, 1.7e308, -1.7e308, 1.7e308].map((x, n) => ({ n, key: String(n > 1), ts: n, x }));
  const { rows } = run({ steps: [[ewma, { value: "x", by: "key", half_life: "1s" }]] }, all);
  const averages = rows.map((row) => row["ewma"] as number);
  expect(averages.slice(0, 3)).toEqual([0.1, 0.1, 1.7e308]);
  expect(averages.every(Number.isFinite)).toBe(true);
});

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Judged {
  readonly last: number;
  readonly deviations: number;
  readonly floor: number;
}

function markOf(own: readonly Arrival[], { last, deviations, floor }: Judged): boolean | null {
  const reading = own.at(-1)!.x;
  if (reading === null) return null;
  const before = own.slice(0, -1).flatMap(({ x }) => (x === null ? [] : [x]));
  const compared = before.slice(-last);
  if (compared.length < 3) return false;
  const center = median(compared);
  const mad = median(compared.map((x) => Math.abs(x - center)));
  return Math.abs(reading - center) > Math.max(deviations * 1.4826 * mad, floor);
}

test("outlier: farther from the median of the last readings than they are from it", () => {
  const cases = fc.record({
    last: fc.integer({ min: 3, max: 8 }),
    deviations: fc.constantFrom(0, 1, 3),
    floor: fc.constantFrom(0, 2),
  });
  const spiky = fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 8, arbitrary: fc.integer({ min: -4, max: 4 }) },
    { weight: 2, arbitrary: fc.integer({ min: -50, max: 50 }) },
  );
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(cases, readings({ x: spiky }), (config, all) => {
      const marks = expectColumn(outlier, config, all, (own) => markOf(own, config));
      for (const mark of marks) if (mark !== null) seen[mark ? "true" : "false"]++;
      const kept = run({ steps: [[outlier, { value: "x", by: "key", action: "drop", ...config }]] }, all);
      expect(kept.rows.map(({ n }) => n)).toEqual(all.map(({ n }) => n).filter((n) => marks[n] !== true));
    }),
    { seed: 9, numRuns: 80 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(300);
});

test.each([3, 4, 11, 30, 101])("outlier: readings that climb and fall, the last %d of them", (last) => {
  // Long slopes and short ones, with spikes to both sides: the sorted readings wander up and down in their room.
  const all = Array.from({ length: 700 }, (_, n) => {
    const slope = n < 350 ? Math.abs((n % 240) - 120) * 2 : Math.abs((n % 14) - 7);
    const spike = n % 17 === 0 ? 60 : n % 23 === 0 ? -60 : 0;
    return { n, key: "a", ts: n, x: slope + spike + ((n * 7919) % 5) };
  });
  const config = { last, deviations: 1, floor: 0 };
  const marks = expectColumn(outlier, config, all, (own) => markOf(own, config));
  expect(new Set(marks).size).toBe(2);
});
