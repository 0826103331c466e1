// dedup against its definition, and over far more keys than it remembers at a time.

import * as fc from "fast-check";
import { expect, test } from "vitest";
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
    { seed: 5, numRuns: 120 },
  );
  expect(duplicates).toBeGreaterThan(500);
  expect(lateInAll).toBeGreaterThan(50);
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

test("keys are forgotten and no duplicate passes while they are", () => {
  // 60,000 keys, of which the horizon holds 2,000; each comes again a moment later, and some too late.
  const all: Reading[] = [];
  for (let n = 0; n < 60_000; n++) {
    all.push({ n, key: "a", ts: n, x: n });
    if (n >= 500) all.push({ n: n - 500, key: "a", ts: n - 500, x: n - 500 });
    if (n >= 5_000 && n % 10 === 0) all.push({ n: n - 5_000, key: "a", ts: n - 5_000, x: n - 5_000 });
  }
  const setting = { steps: [[dedup, { by: "x", within: "2s" }]] as const };
  const { rows, ledger } = run(setting, all, [1000, 8192]);
  expect(rows.length).toBe(60_000);
  expect(ledger).toEqual({ "dedup: duplicate": 59_500, "dedup: late": 5_500 });
});
