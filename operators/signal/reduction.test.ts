// swinging_door, lttb and top against their definitions, told from all readings of a key; and the error
// bound that swinging_door promises.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lttb } from "./lttb.ts";
import { swinging_door } from "./swinging_door.ts";
import {
  type Arrival,
  arrivalsOf,
  byKey,
  expectSame,
  type Reading,
  readings,
  run,
} from "./stream.fixture.ts";
import { top } from "./top.ts";

const lateness = fc.constantFrom(0, 15);
const curves = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 8, arbitrary: fc.integer({ min: -4, max: 4 }) },
);

function known(own: readonly Arrival[], follows: (a: number, b: number) => boolean): Arrival[] {
  const chain: Arrival[] = [];
  for (const reading of own) {
    if (reading.x !== null && (chain.length === 0 || follows(chain.at(-1)!.ts, reading.ts)))
      chain.push(reading);
  }
  return chain;
}

interface Door {
  readonly band: number;
  readonly min: number;
  readonly max: number | null;
}

/** True when all of `between` are near enough to the line from `a` to `b`. */
function straight(a: Reading, b: Reading, between: readonly Reading[], band: number): boolean {
  const slope = (b.x! - a.x!) / (b.ts - a.ts);
  return between.every((each) => {
    const [rise, length] = [each.x! - a.x!, each.ts - a.ts];
    return (rise - band) / length <= slope && slope <= (rise + band) / length;
  });
}

function points(own: readonly Arrival[], { band, min, max }: Door): number[] {
  const longest = max ?? Number.POSITIVE_INFINITY;
  const sent: Arrival[] = [];
  let between: Arrival[] = [];
  const sendHeld = (): void => {
    if (between.length > 0) sent.push(between.at(-1)!);
    between = [];
  };
  for (const reading of known(own, (before, at) => at > before)) {
    if (sent.length > 0 && Math.max(reading.watermark, reading.ts) >= sent.at(-1)!.ts + longest) sendHeld();
    for (;;) {
      const last = sent.at(-1);
      if (last === undefined || reading.ts - last.ts >= longest) sent.push(reading);
      else if (reading.ts - last.ts >= min) {
        if (!straight(last, reading, between, band)) {
          sendHeld();
          continue;
        }
        between.push(reading);
      }
      break;
    }
  }
  sendHeld();
  return sent.map(({ n }) => n);
}

const doors = fc.record({
  band: fc.constantFrom(0, 0.5, 1, 3),
  min: fc.constantFrom(0, 0, 12),
  max: fc.constantFrom(null, 20, 60),
});

function doorConfig({ band, min, max }: Door): Readonly<Record<string, unknown>> {
  return { value: "x", by: "key", band, min: `${min}ms`, ...(max === null ? {} : { max: `${max}ms` }) };
}

test("swinging_door: a reading is sent where a line has to end", () => {
  let left = 0;
  fc.assert(
    fc.property(doors, lateness, readings({ x: curves }), (door, late, all) => {
      const result = run({ steps: [[swinging_door, doorConfig(door)]], lateness: late }, all);
      expectSame(result, arrivalsOf(all, late)[0], (own) => points(own, door));
      expect(result.held).toBe(0);
      left += result.ledger["swinging_door: filtered"] ?? 0;
    }),
    { seed: 13, numRuns: 100 },
  );
  expect(left).toBeGreaterThan(500);
});

test("swinging_door: no reading left out is farther from the line than the band, nor than is shown", () => {
  const drifting = readings({ x: fc.double({ min: -5, max: 5, noNaN: true }), length: 80 });
  let left = 0;
  let alone = 0;
  fc.assert(
    fc.property(fc.constantFrom(0, 0.1, 2, 4), fc.constantFrom(null, 60), drifting, (band, max, all) => {
      const setting = { steps: [[swinging_door, doorConfig({ band, min: 0, max })]] } as const;
      const { rows, metrics } = run(setting, all, [1, 1000]);
      const sent = byKey(rows);
      const shown = metrics["error_max"];
      let largest = 0;
      const lines = new Map<Reading, number>();
      for (const [key, own] of byKey(arrivalsOf(all, 0)[0])) {
        const line = sent.get(key) ?? [];
        for (const { ts, x } of known(own, (before, at) => at > before)) {
          const from = line.findLast((each) => each.ts <= ts)!;
          const to = line.find((each) => each.ts >= ts)!;
          const share = from === to ? 0 : (ts - from.ts) / (to.ts - from.ts);
          largest = Math.max(largest, Math.abs(from.x! + (to.x! - from.x!) * share - x!));
          if (from !== to) lines.set(from, (lines.get(from) ?? 0) + 1);
        }
      }
      left += [...lines.values()].reduce((total, each) => total + each, 0);
      expect(largest).toBeLessThanOrEqual(band + 1e-9);
      expect(shown === undefined).toBe(lines.size === 0);
      if (shown === undefined) return;
      expect(shown).toBeLessThanOrEqual(band);
      expect(shown).toBeGreaterThanOrEqual(largest - 1e-9);
      if ([...lines.values()].some((each) => each > 1)) return;
      expect(shown).toBeCloseTo(largest, 9);
      alone++;
    }),
    { seed: 14, numRuns: 80 },
  );
  expect(left).toBeGreaterThan(500);
  expect(alone).toBeGreaterThan(5);
});

/** The paper's three buckets, on whole numbers: areas are compared times the bucket's size. */
function triangles(curve: readonly Arrival[], size: number): number[] {
  if (curve.length <= size) return curve.map(({ n }) => n);
  const inner = curve.slice(1, -1);
  const cut = (bucket: number): number => Math.floor((bucket * inner.length) / (size - 2));
  const buckets = [
    ...Array.from({ length: size - 2 }, (_, bucket) => inner.slice(cut(bucket), cut(bucket + 1))),
    [curve.at(-1)!],
  ];
  const taken = [curve[0]!];
  for (const [place, bucket] of buckets.slice(0, -1).entries()) {
    const a = taken.at(-1)!;
    const next = buckets[place + 1]!;
    const areas = bucket.map((b) =>
      Math.abs(
        next.reduce((sum, c) => sum + (b.ts - a.ts) * (c.x! - a.x!) - (c.ts - a.ts) * (b.x! - a.x!), 0),
      ),
    );
    taken.push(bucket[areas.indexOf(Math.max(...areas))]!);
  }
  return [...taken, curve.at(-1)!].map(({ n }) => n);
}

function drawn(own: readonly Arrival[], length: number, size: number, within: number): number[] {
  const curves: Arrival[][] = [];
  for (const reading of known(own, (before, at) => at >= before)) {
    const curve = curves.at(-1);
    const ended =
      curve === undefined ||
      curve.length === length ||
      Math.max(reading.watermark, reading.ts) >= curve[0]!.ts + within;
    if (ended) curves.push([reading]);
    else curve.push(reading);
  }
  return curves.flatMap((curve) => triangles(curve, size));
}

test("lttb: of each bucket the reading of the largest triangle", () => {
  let left = 0;
  const cases = fc.record({
    sizes: fc.constantFrom([4, 3], [10, 3], [10, 5], [25, 9]) as fc.Arbitrary<[number, number]>,
    within: fc.constantFrom(null, 100),
    lateness,
  });
  fc.assert(
    fc.property(cases, readings({ x: curves }), ({ sizes, within, lateness: late }, all) => {
      const [length, size] = sizes;
      const config = {
        value: "x",
        by: "key",
        readings: length,
        points: size,
        ...(within === null ? {} : { within: `${within}ms` }),
      };
      const result = run({ steps: [[lttb, config]], lateness: late }, all);
      expectSame(result, arrivalsOf(all, late)[0], (own) =>
        drawn(own, length, size, within ?? Number.POSITIVE_INFINITY),
      );
      expect(result.held).toBe(0);
      left += result.ledger["lttb: filtered"] ?? 0;
    }),
    { seed: 15, numRuns: 80 },
  );
  expect(left).toBeGreaterThan(500);
});

function largest(own: readonly Arrival[], count: number, every: number): { sent: number[]; late: number } {
  const open = new Map<number, Arrival[]>();
  const sent: number[] = [];
  let late = 0;
  const closeUntil = (period: number): void => {
    for (const each of [...open.keys()].filter((other) => other <= period).sort((a, b) => a - b)) {
      const sorted = open.get(each)!.toSorted((a, b) => b.x! - a.x!);
      sent.push(...sorted.slice(0, count).map(({ n }) => n));
      open.delete(each);
    }
  };
  for (const reading of own) {
    const period = Math.floor(reading.ts / every);
    closeUntil(Math.floor(reading.watermark / every) - 1);
    if ((period + 1) * every <= reading.watermark) late++;
    else if (reading.x !== null) open.set(period, [...(open.get(period) ?? []), reading]);
  }
  closeUntil(Number.POSITIVE_INFINITY);
  return { sent, late };
}

test("top: the largest of each period", () => {
  let rows = 0;
  let lateInAll = 0;
  const cases = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    every: fc.constantFrom(7, 30, 100),
    lateness: fc.constantFrom(0, 15, 60, 400),
  });
  fc.assert(
    fc.property(cases, readings(), ({ count, every, lateness: late }, all) => {
      const config = { count, value: "x", every: `${every}ms`, by: "key" };
      const result = run({ steps: [[top, config]], lateness: late }, all);
      let lateNow = 0;
      expectSame(result, arrivalsOf(all, late)[0], (own) => {
        const expected = largest(own, count, every);
        lateNow += expected.late;
        return expected.sent;
      });
      expect(result.ledger["top: late"] ?? 0).toBe(lateNow);
      expect(result.held).toBe(0);
      rows += result.rows.length;
      lateInAll += lateNow;
    }),
    { seed: 16, numRuns: 120 },
  );
  expect(rows).toBeGreaterThan(1000);
  expect(lateInAll).toBeGreaterThan(50);
});

test("top: a period is open until event time has passed it, whatever came of later ones", () => {
  const config = { count: 1, value: "x", every: "1s", by: "key" };
  const all = [
    [500, 1],
    [2_500, 2],
    [3_500, 3],
    [600, 9],
    [1_500, 4],
    [30_500, 5],
    // The watermark is at 10.5 s.
    [700, 10],
  ].map(([ts, x], n) => ({ n, key: "a", ts: ts!, x: x! }));
  const result = run({ steps: [[top, config]], lateness: 20_000 }, all);
  expect(result.rows.map(({ x }) => x)).toEqual([9, 4, 2, 3, 5]);
  expect(result.ledger).toEqual({ "top: filtered": 1, "top: late": 1 });
});
