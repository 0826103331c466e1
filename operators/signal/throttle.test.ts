// throttle against its definition: the periods of a key, one after the other.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Arrival, arrivalsOf, expectSame, readings, run } from "./stream.fixture.ts";
import { throttle } from "./throttle.ts";

function firsts(own: readonly Arrival[], every: number): number[] {
  const passed: Arrival[] = [];
  for (const reading of own) {
    const before = passed.at(-1);
    if (before === undefined || reading.ts >= before.ts + every) passed.push(reading);
  }
  return passed.map(({ n }) => n);
}

/** Periods as lists of readings; a period is over when the watermark or one of its key's readings has reached its end. */
function lasts(own: readonly Arrival[], every: number): { sent: number[]; late: number } {
  const periods: { readonly start: number; readonly readings: Arrival[] }[] = [];
  let late = 0;
  for (const reading of own) {
    const period = periods.at(-1);
    const end = period === undefined ? Number.NEGATIVE_INFINITY : period.start + every;
    if (period !== undefined && end > Math.max(reading.watermark, reading.ts)) period.readings.push(reading);
    else if (reading.ts >= end) periods.push({ start: reading.ts, readings: [reading] });
    else late++;
  }
  const sent = periods.map(({ readings: all }) => {
    const newest = Math.max(...all.map(({ ts }) => ts));
    return all.findLast(({ ts }) => ts === newest)!.n;
  });
  return { sent, late };
}

const cases = fc.record({ every: fc.constantFrom(1, 12, 40), lateness: fc.constantFrom(0, 15) });

test("first: each period's first reading passes", () => {
  let passed = 0;
  fc.assert(
    fc.property(cases, readings(), ({ every, lateness }, all) => {
      const config = { every: `${every}ms`, by: "key" };
      const result = run({ steps: [[throttle, config]], lateness }, all);
      expectSame(result, arrivalsOf(all, lateness)[0], (own) => firsts(own, every));
      passed += result.rows.length;
    }),
    { seed: 2, numRuns: 80 },
  );
  expect(passed).toBeGreaterThan(500);
});

test("last: each period's newest reading is sent", () => {
  let lateInAll = 0;
  fc.assert(
    fc.property(cases, readings(), ({ every, lateness }, all) => {
      const config = { every: `${every}ms`, by: "key", keep: "last" };
      const result = run({ steps: [[throttle, config]], lateness }, all);
      let late = 0;
      expectSame(result, arrivalsOf(all, lateness)[0], (own) => {
        const expected = lasts(own, every);
        late += expected.late;
        return expected.sent;
      });
      expect(result.ledger["throttle: late"] ?? 0).toBe(late);
      expect(result.held).toBe(0);
      lateInAll += late;
    }),
    { seed: 3, numRuns: 70 },
  );
  expect(lateInAll).toBeGreaterThan(20);
});
