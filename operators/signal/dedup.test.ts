// dedup against its definition, and over far more keys than it remembers at a time.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runExample } from "weir/testing";
import { dedup } from "./dedup.ts";
import { type Arrival, arrivalsOf, expectSame, type Reading, readings, run } from "./stream.fixture.ts";

type Fate = "passed" | "duplicate" | "late";

/** What becomes of each reading of one key. */
function fates(own: readonly Arrival[], within: number): Fate[] {
  const fate: Fate[] = [];
  own.forEach(({ ts, watermark }, place) => {
    const before = own.slice(0, place).findLast((_other, at) => fate[at] === "passed");
    if (ts + within <= watermark) fate.push("late");
    else fate.push(before !== undefined && before.ts + within > watermark ? "duplicate" : "passed");
  });
  return fate;
}

test("a key passes once within the horizon", () => {
  let duplicates = 0;
  let lateInAll = 0;
  const cases = fc.record({ within: fc.constantFrom(1, 15, 80), lateness: fc.constantFrom(0, 15) });
  fc.assert(
    fc.property(cases, readings(), ({ within, lateness }, all) => {
      const result = run({ steps: [[dedup, { by: "key", within: `${within}ms` }]], lateness }, all);
      let late = 0;
      expectSame(result, arrivalsOf(all, lateness)[0], (own) => {
        const fate = fates(own, within);
        late += fate.filter((each) => each === "late").length;
        return own.filter((_reading, place) => fate[place] === "passed").map(({ n }) => n);
      });
      expect(result.ledger["dedup: late"] ?? 0).toBe(late);
      duplicates += result.ledger["dedup: duplicate"] ?? 0;
      lateInAll += late;
    }),
    { seed: 5, numRuns: 70 },
  );
  expect(duplicates).toBeGreaterThan(500);
  expect(lateInAll).toBeGreaterThan(50);
});

test.each(["float64", "int64"] as const)("a number of a key passes once within the horizon: %s", (type) => {
  const ledger: Record<string, number> = {};
  const cases = fc.record({ within: fc.constantFrom(5, 40, 200), lateness: fc.constantFrom(0, 15) });
  // Mostly growing, so that there are more numbers in the horizon than are remembered with a key.
  const streams = readings({
    step: 2,
    length: 160,
    x: fc.option(fc.integer({ min: -40, max: 60 }), { freq: 12 }),
  }).map((all) => all.map((each) => ({ ...each, x: each.x === null ? null : each.n + Math.min(each.x, 0) })));
  fc.assert(
    fc.property(cases, streams, ({ within, lateness }, all) => {
      const config = { by: "key", sequence: "x", within: `${within}ms` };
      const result = run({ steps: [[dedup, config]], lateness, type }, all);
      expectSame(result, arrivalsOf(all, lateness)[0], (own) =>
        own
          .filter(({ x }, place) => {
            const same = own.filter((other) => other.x === x);
            return x === null || fates(same, within)[same.indexOf(own[place]!)] === "passed";
          })
          .map(({ n }) => n),
      );
      for (const [name, records] of Object.entries(result.ledger))
        ledger[name] = (ledger[name] ?? 0) + records;
    }),
    { seed: 7, numRuns: 40 },
  );
  expect(ledger["dedup: duplicate"]).toBeGreaterThan(100);
  expect(ledger["dedup: late"]).toBeGreaterThan(5);
});

test("whole numbers that no float64 holds are not taken for each other", () => {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  const numbers = ["1", "2", "1", "1152921504606846976", "1152921504606846977", "1152921504606846976", "3"];
  const { rows } = runExample(dedup, {
    title: "large numbers",
    config: { by: "key", sequence: "n", within: "1s" },
    schema: { key: "string", place: "float64", n: "int64" },
    input: numbers.map((n, place) => ({ key: "a", place, n: rawJSON(n) })),
    output: [],
  });
  expect(rows.map(({ place }) => place)).toEqual([0, 1, 3, 4, 6]);
});

test("a stream that is delivered again passes once, however much of it and whenever", () => {
  fc.assert(
    fc.property(readings({ length: 40 }), fc.nat(40), fc.nat(40), (all, from, to) => {
      const again = all.slice(Math.min(from, to), Math.max(from, to));
      const config = { by: "key", sequence: "n", within: "60ms" };
      const { rows } = run({ steps: [[dedup, config]] }, [...all, ...again]);
      const numbers = rows.map(({ n }) => n);
      expect(new Set(numbers).size).toBe(numbers.length);
    }),
    { seed: 6, numRuns: 60 },
  );
});

test.each([
  { by: "x", within: "2s" },
  { by: "x", sequence: "n", within: "2s" },
])("keys are forgotten and no duplicate passes while they are: %j", (config) => {
  // 60,000 keys, of which the horizon holds 2,000; each comes again a moment later, and some too late.
  const all: Reading[] = [];
  for (let n = 0; n < 60_000; n++) {
    all.push({ n, key: "a", ts: n, x: n });
    if (n >= 500) all.push({ n: n - 500, key: "a", ts: n - 500, x: n - 500 });
    if (n >= 5_000 && n % 10 === 0) all.push({ n: n - 5_000, key: "a", ts: n - 5_000, x: n - 5_000 });
  }
  const setting = { steps: [[dedup, config]] as const };
  const { rows, ledger } = run(setting, all, [1000, 8192]);
  expect(rows.length).toBe(60_000);
  expect(ledger).toEqual({ "dedup: duplicate": 59_500, "dedup: late": 5_500 });
});
