// join against its definition, told from all records at once: every pair is tried.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Reading, readings, run } from "../signal/stream.fixture.ts";
import { window } from "../window/window.ts";
import { keyRecordsDefault } from "./bounds.ts";
import {
  byNumbers,
  following,
  inputOf,
  inputs,
  mixedReadings,
  shown,
  type Stream,
  streamOf,
} from "./inputs.fixture.ts";
import { join } from "./join.ts";

const select = { ln: "left.n", lx: "left.x", rn: "right.n", rx: "right.x" } as const;

interface Rule {
  readonly reach: { readonly before: number; readonly after: number } | { readonly window: number };
  readonly kind: "inner" | "left" | "outer";
}

const offset = 3;

function settingOf({ reach, kind }: Rule): unknown {
  const by =
    "window" in reach
      ? { window: `${reach.window}ms`, offset: `${offset}ms` }
      : { within: { before: `${reach.before}ms`, after: `${reach.after}ms` } };
  return { left: "left", right: "right", inputs, on: "key", ...by, kind, select };
}

function joins(left: Reading, right: Reading, { reach }: Rule): boolean {
  if (left.key === null || left.key !== right.key) return false;
  if (!("window" in reach)) return right.ts >= left.ts - reach.before && right.ts <= left.ts + reach.after;
  const windowOf = ({ ts }: Reading): number => Math.floor((ts - offset) / reach.window);
  return windowOf(left) === windowOf(right);
}

/** The last moment at which a record may come that joins this one. */
function lastMoment(record: Reading, { reach }: Rule): number {
  if ("window" in reach) {
    const start = Math.floor((record.ts - offset) / reach.window) * reach.window + offset;
    return start + reach.window - 1;
  }
  return record.ts + (inputOf(record) === 0 ? reach.after : reach.before);
}

interface Expected {
  readonly row: unknown;
  readonly records: readonly number[];
  /** Event time; 0 for a record's turn and 1 for what is due after it; then which of those. */
  readonly place: readonly number[];
}

function rowOf(left: Reading | undefined, right: Reading | undefined, place: readonly number[]): Expected {
  const both = [left, right].filter((each) => each !== undefined);
  const [ln, lx] = shown(left);
  const [rn, rx] = shown(right);
  const time = Math.max(...both.map(({ ts }) => ts));
  return { row: { key: both[0]!.key, time, ln, lx, rn, rx }, records: both.map(({ n }) => n), place };
}

function expectedOf({ turns, keys }: Stream, rule: Rule): readonly Expected[] {
  const rows: Expected[] = [];
  const sides = [0, 1].map((side) => turns.filter((each) => inputOf(each) === side));
  for (const left of sides[0]!) {
    for (const right of sides[1]!) {
      if (!joins(left, right, rule)) continue;
      const places = [turns.indexOf(left), turns.indexOf(right)].toSorted((a, b) => b - a);
      rows.push(rowOf(left, right, [Math.max(left.ts, right.ts), 0, ...places]));
    }
  }
  const paired = new Set(rows.flatMap(({ records }) => records));
  for (const [turn, record] of turns.entries()) {
    const side = inputOf(record);
    if (paired.has(record.n) || rule.kind === "inner" || (rule.kind === "left" && side === 1)) continue;
    const place =
      record.key === null
        ? [record.ts, 0, turn]
        : [lastMoment(record, rule), 1, keys.indexOf(record.key), side, turn];
    rows.push(rowOf(side === 0 ? record : undefined, side === 1 ? record : undefined, place));
  }
  return rows.toSorted((a, b) => byNumbers(a.place, b.place));
}

const rules: fc.Arbitrary<Rule> = fc.record({
  reach: fc.oneof(
    fc.record({ before: fc.constantFrom(0, 5, 20), after: fc.constantFrom(0, 3, 20) }),
    fc.record({ window: fc.constantFrom(1, 10, 50) }),
  ),
  kind: fc.constantFrom("inner" as const, "left" as const, "outer" as const),
});

test("every pair once, and what joined nothing where it is asked for", () => {
  let rows = 0;
  fc.assert(
    fc.property(rules, fc.constantFrom(0, 15), mixedReadings, (rule, lateness, all) => {
      const result = run({ steps: [[join, settingOf(rule)]], lateness }, all);
      const stream = streamOf(all, lateness);
      const expected = expectedOf(stream, rule);
      expect(result.rows).toEqual(expected.map(({ row }) => row));
      const out = new Set(expected.flatMap(({ records }) => records)).size;
      expect(result.ledger["join: late"] ?? 0).toBe(stream.late);
      expect(result.ledger["join: filtered"] ?? 0).toBe(stream.others + stream.turns.length - out);
      expect(result.held).toBe(0);
      rows += expected.length;
    }),
    { seed: 21, numRuns: 120 },
  );
  expect(rows).toBeGreaterThan(1_500);
});

test("a step that follows finds no row late, and does the same however records come", () => {
  fc.assert(
    fc.property(rules, following, fc.constantFrom(0, 15), mixedReadings, (rule, next, lateness, all) => {
      const { ledger, held } = run({ steps: [[join, settingOf(rule)], next], lateness }, all);
      expect(ledger[`${next[0].name}: late`] ?? 0).toBe(0);
      expect(held).toBe(0);
    }),
    { seed: 22, numRuns: 60 },
  );
});

test("records that stand for many are counted with their weight", () => {
  const perKey = { a: 'key == "a"', b: 'key == "b"' };
  const steps = [
    [window, { tumbling: "10ms", by: "key", select: { n: "count()" } }],
    [
      join,
      {
        left: "a",
        right: "b",
        inputs: perKey,
        on: "window_start",
        within: "0s",
        kind: "left",
        select: { n: "b.n" },
      },
    ],
  ] as const;
  fc.assert(
    fc.property(readings(), (all) => {
      expect(run({ steps, lateness: 15 }, all).held).toBe(0);
    }),
    { seed: 23, numRuns: 40 },
  );
});

test.each([keyRecordsDefault, 3])(
  "a key of which %d records are kept refuses more, and goes on joining",
  (max) => {
    const extra = 2;
    const all = Array.from({ length: max + extra + 1 }, (_, n) => ({
      n: 1000 + n / 1e6,
      key: "a",
      ts: n,
      x: 1,
    }));
    all.push({ n: 2000, key: "a", ts: all.length, x: 2 });
    const setting = settingOf({ reach: { before: 2 * max, after: 2 * max }, kind: "inner" }) as object;
    const asked = max === keyRecordsDefault ? setting : { ...setting, max };
    const { rows, ledger, held } = run({ steps: [[join, asked]] }, all, [1000]);
    expect(rows.length).toBe(max);
    expect(ledger).toEqual({ "join: overflow": extra + 1 });
    expect(held).toBe(0);
  },
);
