// Ranges of numbers are the set of them.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPlain, written } from "../state/written.ts";
import { SequenceRanges } from "./sequence-ranges.ts";

const numbers = Array.from({ length: 40 }, (_, i) => i + 1);

type Step = readonly ["add" | "dropTo" | "dropFrom", number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom("add" as const, "add" as const, "add" as const, "dropTo" as const, "dropFrom" as const),
    fc.integer({ min: 0, max: 41 }),
  ),
  { maxLength: 80 },
);

function both(all: readonly Step[]): { ranges: SequenceRanges; set: Set<number> } {
  const ranges = new SequenceRanges();
  let set = new Set<number>();
  for (const [what, number] of all) {
    ranges[what](number);
    if (what === "add") set.add(number);
    else set = new Set([...set].filter((each) => (what === "dropTo" ? each > number : each < number)));
  }
  return { ranges, set };
}

describe("ranges of sequences", () => {
  it("hold what was added and not dropped, in as few ranges as can be", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { ranges, set } = both(all);
        expect([0, ...numbers, 41].filter((number) => ranges.has(number))).toEqual(
          [...set].sort((a, b) => a - b),
        );
        expect(ranges.count).toBe([...set].filter((number) => !set.has(number - 1)).length);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  it("come back from what was written down", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { ranges } = both(all);
        const again = new SequenceRanges();
        again.restore(readPlain(written(ranges.snapshot())));
        expect(again.snapshot()).toEqual(ranges.snapshot());
        expect(numbers.filter((number) => again.has(number))).toEqual(
          numbers.filter((number) => ranges.has(number)),
        );
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it.each([[[1]], [[3, 2]], [[1, 2, 3, 4]], [[5, 6, 1, 2]], [[Number.NaN, 1]], [[0.5, 1]]])(
    "do not take in %j",
    (values) => {
      const bytes = new Uint8Array(Float64Array.from(values).buffer);
      expect(() => new SequenceRanges().restore(bytes)).toThrow(/damaged/);
    },
  );
});
