// deadband against its definition: what passes is decided anew for every reading from all before it.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deadband } from "./deadband.ts";
import { type Arrival, arrivalsOf, expectSame, readings, run } from "./stream.fixture.ts";

interface Rule {
  readonly band: number | string;
  readonly against: "last_output" | "last_input";
  readonly every: number | null;
}

function passing(own: readonly Arrival[], { band, against, every }: Rule): number[] {
  const known = own.filter(({ x }) => x !== null);
  const passed: Arrival[] = [];
  known.forEach((reading, place) => {
    const reference = against === "last_input" ? known[place - 1] : passed.at(-1);
    const width =
      typeof band === "number" ? band : (Number.parseFloat(band) / 100) * Math.abs(reference?.x ?? 0);
    const moved = reference === undefined || Math.abs(reading.x! - reference.x!) > width;
    const newest = Math.max(...passed.map(({ ts }) => ts));
    if (moved || (every !== null && reading.ts - newest >= every)) passed.push(reading);
  });
  return passed.map(({ n }) => n);
}

const rules = fc.record({
  band: fc.constantFrom<number | string>(0, 1, 2.5, "0%", "50%", "200%"),
  against: fc.constantFrom("last_output" as const, "last_input" as const),
  every: fc.constantFrom(null, 1, 15, 60),
});

test("what passes is what the definition says", () => {
  let passed = 0;
  let left = 0;
  fc.assert(
    fc.property(
      rules,
      readings(),
      fc.constantFrom("float64" as const, "int64" as const),
      (rule, all, type) => {
        const { every, ...rest } = rule;
        const config = { value: "x", by: "key", ...rest, ...(every === null ? {} : { every: `${every}ms` }) };
        const result = run({ steps: [[deadband, config]], type }, all);
        const [arrivals] = arrivalsOf(all, 0);
        expectSame(result, arrivals, (own) => passing(own, rule));
        passed += result.rows.length;
        left += result.ledger["deadband: filtered"] ?? 0;
      },
    ),
    { seed: 1, numRuns: 80 },
  );

  expect(Math.min(passed, left)).toBeGreaterThan(300);
});

test("a heartbeat of 0, with which everything would pass, is refused", () => {
  const config = { value: "x", by: "key", band: 1 };
  expect(deadband.config.safeParse({ ...config, every: "1ms" }).success).toBe(true);
  const { error } = deadband.config.safeParse({ ...config, every: "0s" });
  expect(error?.issues.map(({ message }) => message)).toEqual([
    "with a heartbeat of 0 every reading would pass: write a longer time, such as 1m, or leave it out",
  ]);
});
