import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnTypes } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { BatchMemory } from "./batch-memory.ts";

describe("memory of a batch", () => {
  const asked = fc.tuple(fc.array(fc.constantFrom(...columnTypes), { maxLength: 6 }), fc.nat(40));

  test("is zeros, however it was left, and no array is in another's place", () => {
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 8 }), fc.boolean(), (batches, givesBack) => {
        const kept: { readonly values: ArrayLike<number | bigint>; readonly expected: number }[] = [];
        for (const [number, [types, rows]] of batches.entries()) {
          const memory = new BatchMemory(types, rows);
          const arrays = [
            ...types.flatMap((type) => [memory.values(type, rows), memory.marks(rows)]),
            ...Array.from({ length: 3 }, () => memory.numbers(rows)),
          ];
          for (const values of arrays) {
            expect(values).toHaveLength(rows);
            expect([...values].every((value) => Number(value) === 0)).toBe(true);
          }
          for (const [place, values] of arrays.entries()) {
            const expected = 1 + ((number * 16 + place) % 250);
            if (values instanceof BigInt64Array) values.fill(BigInt(expected));
            else values.fill(expected);
            kept.push({ values, expected });
          }
          if (givesBack) memory.giveBack();
          if (givesBack) kept.length = 0;
        }
        for (const { values, expected } of kept)
          expect(Array.from(values, Number).every((value) => value === expected)).toBe(true);
      }),
      { seed: 5, numRuns: 40 },
    );
  });

  test("is lent again when it was given back, and to one batch at a time", () => {
    const first = new BatchMemory(["float64"], 1_000);
    const { buffer } = first.numbers(1_000);
    first.giveBack();
    first.giveBack();
    const [second, third] = [new BatchMemory(["float64"], 1_000), new BatchMemory(["float64"], 1_000)];
    expect(second.numbers(1_000).buffer).toBe(buffer);
    expect(third.numbers(1_000).buffer).not.toBe(buffer);
  });

  test("that is too large is not kept, and what finds no room has memory of its own", () => {
    const rows = limits.batch_memory_bytes_max / 8;
    const large = new BatchMemory(["float64"], rows);
    const { buffer } = large.numbers(rows);
    large.giveBack();
    expect(new BatchMemory(["float64"], rows).numbers(rows).buffer).not.toBe(buffer);
    const none = new BatchMemory([], 0);
    expect(none.numbers(200_000)).toHaveLength(200_000);
  });
});
