// hold, absence and pattern against their definitions, told from all records of a key at once.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runTest } from "weir/testing";
import { catalog } from "../catalog.ts";
import {
  type Arrival,
  arrivalsOf,
  expectSame,
  type Reading,
  readings,
  run,
} from "../signal/stream.fixture.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { absence } from "./absence.ts";
import { hold } from "./hold.ts";
import { pattern } from "./pattern.ts";

const lateness = fc.constantFrom(0, 15);

/** The readings that are not older than one before them, and how many are. */
function inOrder(own: readonly Arrival[]): Arrival[] {
  return own.filter(({ ts }, place) => own.slice(0, place).every((before) => before.ts <= ts));
}

function lateOf(all: readonly Reading[]): number {
  const [arrivals] = arrivalsOf(all, 0);
  const keys = new Set(all.map(({ key }) => key));
  return [...keys].reduce((late, key) => {
    const own = arrivals.filter((each) => each.key === key);
    return late + own.length - inOrder(own).length;
  }, 0);
}

/** True when the moment has come by the time that `next` is looked at: by the watermark, or by its own time. */
function reached(moment: number, next: Arrival | undefined, last: number): boolean {
  return next === undefined ? last >= moment : Math.max(next.watermark, next.ts) >= moment;
}

interface HoldRule {
  readonly for: number;
  readonly quiet: number;
  readonly clear: boolean;
  readonly again: number | null;
  readonly returns: boolean;
}

/** What a record or event time shows of a condition that lasts at a moment: the place of the row, and how far time has come. */
function shownAt(
  lasting: readonly Arrival[],
  moment: number,
  next: Arrival | undefined,
  last: number,
): { readonly place: number; readonly at: number } | null {
  const shown = lasting.findIndex((each) => each.ts >= moment);
  const passed = lasting.findIndex((each, place) => place > 0 && each.watermark >= moment);
  if (passed > 0 && (shown < 0 || passed <= shown)) return { place: passed - 1, at: moment };
  if (shown >= 0) return { place: shown, at: lasting[shown]!.ts };
  const isReached = (next?.watermark ?? last) >= moment;
  return isReached ? { place: lasting.length - 1, at: moment } : null;
}

function held(own: readonly Arrival[], last: number, rule: HoldRule): number[] {
  const ends = ({ x }: Arrival): boolean => x !== null && (rule.clear ? x < -2 : x <= 1);
  const sent: number[] = [];
  let quietUntil = Number.NEGATIVE_INFINITY;
  const rest = inOrder(own);
  while (rest.length > 0) {
    if (rest[0]!.x === null || rest[0]!.x <= 1) {
      rest.shift();
      continue;
    }
    const end = rest.findIndex(ends);
    const lasting = rest.splice(0, end < 0 ? rest.length : end);
    let moment = Math.max(lasting[0]!.ts + rule.for, quietUntil);
    let row = shownAt(lasting, moment, rest[0], last);
    // The record that ends it tells of a first row as well.
    if (row === null && reached(moment, rest[0], last)) row = { place: lasting.length - 1, at: moment };
    const isSent = row !== null;
    while (row !== null) {
      sent.push(lasting[row.place]!.n);
      quietUntil = moment + rule.quiet;
      if (rule.again === null) break;
      moment += rule.again * (Math.floor((row.at - moment) / rule.again) + 1);
      row = shownAt(lasting, moment, rest[0], last);
    }
    if (isSent && rule.returns && rest.length > 0) sent.push(rest[0]!.n);
  }
  return sent;
}

test("hold: one row when the condition has lasted", () => {
  let rows = 0;
  const rules = fc.record({
    for: fc.constantFrom(0, 10, 30),
    clear: fc.boolean(),
    returns: fc.boolean(),
  });
  const pauses = fc.constantFrom(
    { quiet: 0, again: null },
    { quiet: 100, again: null },
    { quiet: 0, again: 10 },
    { quiet: 30, again: 45 },
  );
  fc.assert(
    fc.property(rules, pauses, lateness, readings(), (other, pause, late, all) => {
      const rule = { ...other, ...pause };
      const config = {
        when: "x > 1.0",
        for: `${rule.for}ms`,
        quiet: `${rule.quiet}ms`,
        by: "key",
        returns: rule.returns,
        ...(rule.clear ? { clear: "x < -2.0" } : {}),
        ...(rule.again === null ? {} : { again: `${rule.again}ms` }),
      };
      const result = run({ steps: [[hold, config]], lateness: late }, all);
      const [arrivals, last] = arrivalsOf(all, late);
      expectSame(result, arrivals, (own) => held(own, last, rule));
      expect(result.ledger["hold: late"] ?? 0).toBe(lateOf(all));
      expect(result.held).toBe(0);
      rows += result.rows.length;
    }),
    { seed: 10, numRuns: 200 },
  );
  expect(rows).toBeGreaterThan(600);
});

test("hold: what is told again without a record is told 1,000 times, and anew from the next record on", () => {
  const config = { when: "x > 1.0", for: "0s", by: "key", again: "10ms", returns: true };
  const all = [
    { n: 0, key: "a", ts: 0, x: 5 },
    { n: 1, key: "b", ts: 50_000, x: 0 },
    { n: 2, key: "a", ts: 60_000, x: 6 },
    { n: 3, key: "b", ts: 60_025, x: 0 },
    { n: 4, key: "a", ts: 60_030, x: 0 },
  ];
  const { rows } = run({ steps: [[hold, config]] }, all);
  const told = rows.map(({ n }) => n);
  expect(told.filter((n) => n === 0)).toHaveLength(1001);
  expect(told.slice(1001)).toEqual([2, 2, 4]);
});

test("hold: what is told again is not told sooner than `quiet` allows", () => {
  const config = { when: "x > 1.0", for: "0s", again: "10ms", quiet: "20ms" };
  expect(() => run({ steps: [[hold, config]] }, [])).toThrow(/no shorter/);
});

test("hold: the cold chain's alarm", () => {
  const content = `
name: cold-chain
source:
  nats: { subject: "sensors.reefer.*.temp" }
  format: json
  schema: { device: string, ts: time, temp: float64 }
  time: { field: ts, unit: ms, lateness: 30s, idle: 10s }
steps:
  - branch:
      alarms:
        - hold: { when: temp > -15, for: 10m, by: device, clear: temp < -18 }
        - sink: { nats: { subject: "alarm.reefer.{device}" }, format: json }
tests:
  - name: a warm reefer raises one alarm
    input:
      - { device: r1, ts: 0s, temp: -10 }
      - { device: r1, ts: 11m, temp: -10 }
    expect: { alarms: [{ device: r1 }] }
  - name: a silent one as well, once the others show that time has passed
    input:
      - { device: r1, ts: 0s, temp: -10 }
      - { device: r2, ts: 10m29s, temp: -20 }
      - { device: r2, ts: 10m31s, temp: -20 }
    expect: { alarms: [{ device: r1, ts: 0s }] }
  - name: and not one that was cold in between
    input:
      - { device: r1, ts: 0s, temp: -10 }
      - { device: r1, ts: 5m, temp: -19 }
      - { device: r1, ts: 6m, temp: -10 }
      - { device: r1, ts: 15m, temp: -10 }
    expect: { alarms: [] }
`;
  const { plan, diagnostics } = loadPipeline({
    file: "cold-chain.yaml",
    content,
    catalogue: catalog,
  });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(plan!.spec.tests.length).toBe(3);
  for (const each of plan!.spec.tests) {
    for (const batchRows of [1, 2, 1000]) expect(runTest(plan!, each, batchRows).faults).toEqual([]);
  }
});

function silences(own: readonly Arrival[], last: number, duration: number, returns: boolean): number[] {
  const known = inOrder(own);
  return known.flatMap((reading, place) => {
    const next = known[place + 1];
    if (!reached(reading.ts + duration, next, last)) return [];
    return returns && next !== undefined ? [reading.n, next.n] : [reading.n];
  });
}

test("absence: the last record of each silence, and the first after it if asked", () => {
  let rows = 0;
  const cases = fc.record({ for: fc.constantFrom(1, 12, 40), returns: fc.boolean(), lateness });
  fc.assert(
    fc.property(cases, readings(), ({ for: duration, returns, lateness: late }, all) => {
      const config = { for: `${duration}ms`, by: "key", returns };
      const result = run({ steps: [[absence, config]], lateness: late }, all);
      const [arrivals, last] = arrivalsOf(all, late);
      expectSame(result, arrivals, (own) => silences(own, last, duration, returns));
      expect(result.held).toBe(0);
      rows += result.rows.length;
    }),
    { seed: 11, numRuns: 90 },
  );
  expect(rows).toBeGreaterThan(500);
});

const conditions = [
  { text: "x > 2.0", holds: (x: number) => x > 2 },
  { text: "x < -2.0", holds: (x: number) => x < -2 },
  { text: "x >= 0.0 && x < 6.0", holds: (x: number) => x >= 0 && x < 6 },
] as const;

/** The latest start of a sequence among `known[from … to]` that `known[to]` completes; null when it completes none. */
function startOf(
  known: readonly Arrival[],
  from: number,
  to: number,
  steps: readonly number[],
  within: number,
): number | null {
  const search = (step: number, at: number, end: number): number | null => {
    const { x, ts } = known[at]!;
    if (x === null || !conditions[steps[step]!]!.holds(x)) return null;
    if (step === 0) return end - ts <= within ? ts : null;
    const starts: number[] = [];
    for (let before = from; before < at; before++) {
      const start = search(step - 1, before, end);
      if (start !== null) starts.push(start);
    }
    return starts.length === 0 ? null : Math.max(...starts);
  };
  return search(steps.length - 1, to, known[to]!.ts);
}

function completed(
  own: readonly Arrival[],
  last: number,
  steps: readonly number[],
  within: number,
  absent: boolean,
): number[] {
  const known = inOrder(own);
  const sent: number[] = [];
  let from = 0;
  for (let at = 0; at < known.length; at++) {
    const start = startOf(known, from, at, steps, within);
    if (start === null) continue;
    from = at + 1;
    if (!absent) {
      sent.push(known[at]!.n);
      continue;
    }
    const moment = start + within;
    const after = known.findIndex((each, place) => place >= from && reached(moment, each, last));
    const waited = known.slice(from, after < 0 ? known.length : after);
    const broken = waited.findIndex(({ x }) => x === -1);
    if (broken >= 0) from += broken + 1;
    else {
      from += waited.length;
      if (after >= 0 || last >= moment || known[at]!.ts >= moment) sent.push(known[at]!.n);
    }
    at = from - 1;
  }
  return sent;
}

test("pattern: the record that completes a sequence, and what must not follow", () => {
  let rows = 0;
  const cases = fc.record({
    steps: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
    within: fc.constantFrom(10, 40, 200),
    absent: fc.boolean(),
    lateness,
  });
  fc.assert(
    fc.property(cases, readings({ length: 40 }), ({ steps, within, absent, lateness: late }, all) => {
      const config = {
        sequence: steps.map((step) => conditions[step]!.text),
        within: `${within}ms`,
        by: "key",
        ...(absent ? { absent: "x == -1.0" } : {}),
      };
      const result = run({ steps: [[pattern, config]], lateness: late }, all);
      const [arrivals, last] = arrivalsOf(all, late);
      expectSame(result, arrivals, (own) => completed(own, last, steps, within, absent));
      expect(result.ledger["pattern: late"] ?? 0).toBe(lateOf(all));
      expect(result.held).toBe(0);
      rows += result.rows.length;
    }),
    { seed: 12, numRuns: 150 },
  );
  expect(rows).toBeGreaterThan(150);
});
