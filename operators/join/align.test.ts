// align against its definition, told from all records at once.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Reading, readings, run } from "../signal/stream.fixture.ts";
import { window } from "../window/window.ts";
import { align } from "./align.ts";
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

const select = { ln: "left.n", lx: "left.x", rn: "right.n", rx: "right.x" } as const;

interface Rule {
  readonly ages: readonly [number, number];
  readonly complete: boolean;
  readonly every: number | null;
}

function settingOf({ ages, complete, every }: Rule): unknown {
  return {
    by: "key",
    inputs,
    select,
    age: ages[0] === ages[1] ? `${ages[0]}ms` : { left: `${ages[0]}ms`, right: `${ages[1]}ms` },
    emit: complete ? "complete" : "each",
    ...(every === null ? {} : { every: `${every}ms` }),
  };
}

interface Moment {
  readonly key: string | null;
  readonly time: number;
  /** How many turns of the stream come before its row. */
  readonly turns: number;
  readonly place: readonly number[];
}

function momentsOf({ turns, keys }: Stream, every: number | null): readonly Moment[] {
  if (every === null) {
    return turns.map(({ key, ts }, turn) => ({ key, time: ts, turns: turn + 1, place: [turn] }));
  }
  const steps = new Map<string, Moment>();
  for (const { key, ts } of turns) {
    const time = Math.ceil(ts / every) * every;
    const before = turns.filter((each) => each.ts <= time).length;
    steps.set(`${key}/${time}`, { key, time, turns: before, place: [time, keys.indexOf(key)] });
  }
  return [...steps.values()].toSorted((a, b) => byNumbers(a.place, b.place));
}

function expectedOf(
  stream: Stream,
  { ages, complete, every }: Rule,
): readonly (readonly [Moment, Reading[]])[] {
  return momentsOf(stream, every).flatMap((moment) => {
    const before = stream.turns.slice(0, moment.turns).filter(({ key }) => key === moment.key);
    const latest = [0, 1].map((input) => {
      const newest = before.findLast((each) => inputOf(each) === input);
      return newest !== undefined && moment.time - newest.ts <= ages[input as 0 | 1] ? newest : undefined;
    });
    if (complete && latest.includes(undefined)) return [];
    if (every !== null && !latest.some((each) => each !== undefined && each.ts > moment.time - every))
      return [];
    return [[moment, latest as Reading[]] as const];
  });
}

const rules: fc.Arbitrary<Rule> = fc.record({
  ages: fc.tuple(fc.constantFrom(0, 10, 1000), fc.constantFrom(0, 10, 40)),
  complete: fc.boolean(),
  every: fc.constantFrom(null, null, 1, 10, 35),
});

test("the latest of each input that is not too old", () => {
  let rows = 0;
  fc.assert(
    fc.property(rules, fc.constantFrom(0, 15), mixedReadings, (rule, lateness, all) => {
      const result = run({ steps: [[align, settingOf(rule)]], lateness }, all);
      const stream = streamOf(all, lateness);
      const expected = expectedOf(stream, rule);
      expect(result.rows).toEqual(
        expected.map(([{ key, time }, [left, right]]) => {
          const [[ln, lx], [rn, rx]] = [shown(left), shown(right)];
          return { key, time, ln, lx, rn, rx };
        }),
      );
      const out = new Set(expected.flatMap(([, latest]) => latest).filter((each) => each !== undefined)).size;
      expect(result.ledger["align: late"] ?? 0).toBe(stream.late);
      expect(result.ledger["align: filtered"] ?? 0).toBe(stream.others + stream.turns.length - out);
      expect(result.held).toBe(0);
      rows += expected.length;
    }),
    { seed: 24, numRuns: 120 },
  );
  expect(rows).toBeGreaterThan(1_000);
});

test("a step that follows finds no row late, and does the same however records come", () => {
  fc.assert(
    fc.property(rules, following, fc.constantFrom(0, 15), mixedReadings, (rule, next, lateness, all) => {
      const { ledger, held } = run({ steps: [[align, settingOf(rule)], next], lateness }, all);
      expect(ledger[`${next[0].name}: late`] ?? 0).toBe(0);
      expect(held).toBe(0);
    }),
    { seed: 25, numRuns: 60 },
  );
});

test("records that stand for many are counted with their weight", () => {
  const perKey = { a: 'key == "a"', b: 'key == "b"', c: "key == null" };
  const steps = [
    [window, { tumbling: "10ms", by: "key", select: { n: "count()" } }],
    [align, { inputs: perKey, age: "25ms", emit: "complete", select: { a: "a.n", b: "b.n", c: "c.n" } }],
  ] as const;
  fc.assert(
    fc.property(readings(), (all) => {
      expect(run({ steps, lateness: 15 }, all).held).toBe(0);
    }),
    { seed: 26, numRuns: 40 },
  );
});
