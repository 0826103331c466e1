// What differs between the rows of two pipelines.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignment } from "./row-alignment.ts";
import { compareRows, type RowChange } from "./row-comparison.ts";

const rows = (...values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value));

interface Case {
  readonly minus: readonly string[];
  readonly plus: readonly string[];
  readonly columns?: readonly string[];
  readonly tolerance?: number;
  readonly alike: number;
  readonly changes?: readonly RowChange[];
}

const w = (window_start: number, device: string, n: number): unknown => ({ window_start, device, n });
const big = "9007199254740993";

describe("rows", () => {
  it.each<readonly [string, Case]>([
    ["none at all", { minus: [], plus: [], alike: 0 }],
    ["members in another order", { minus: ['{"a":1,"b":[1,{}]}'], plus: ['{"b":[1,{}],"a":1}'], alike: 1 }],
    [
      "a member that is missing is not null",
      { minus: rows({ a: null }), plus: rows({}), alike: 0, changes: [{ minus: '{"a":null}', plus: "{}" }] },
    ],
    [
      "a list is no object",
      { minus: rows([]), plus: rows({}), alike: 0, changes: [{ minus: "[]", plus: "{}" }] },
    ],
    [
      "numbers within the tolerance",
      { minus: rows({ a: 1 }), plus: rows({ a: 1.0009 }), tolerance: 1e-3, alike: 1 },
    ],
    [
      "numbers beyond it",
      {
        minus: rows({ a: -1 }),
        plus: rows({ a: -1.002 }),
        tolerance: 1e-3,
        alike: 0,
        changes: [{ minus: '{"a":-1}', plus: '{"a":-1.002}' }],
      },
    ],
    [
      "whole numbers to their last digit",
      {
        minus: [`{"a":${big}}`],
        plus: [`{"a":${big.slice(0, -1)}2}`],
        alike: 0,
        changes: [{ minus: `{"a":${big}}`, plus: `{"a":${big.slice(0, -1)}2}` }],
      },
    ],
    [
      "whole numbers that are alike",
      { minus: [`{"a":${big},"b":1}`], plus: [`{"b":1,"a":${big}}`], alike: 1 },
    ],
    [
      "one that is only here and one that is only there, in order",
      {
        minus: rows(1, 2, 3, 4),
        plus: rows(1, 3, 4, 5),
        alike: 3,
        changes: [
          { minus: "2", plus: null },
          { minus: null, plus: "5" },
        ],
      },
    ],
    [
      "one in place of another",
      { minus: rows(1, 2, 3), plus: rows(1, 7, 3), alike: 2, changes: [{ minus: "2", plus: "7" }] },
    ],
    [
      "of one window and key, whatever their order",
      {
        minus: rows(w(0, "a", 1), w(0, "b", 2), w(60, "a", 3)),
        plus: rows(w(60, "a", 3), w(0, "b", 9), w(0, "c", 1)),
        columns: ["window_start", "device"],
        alike: 1,
        changes: [
          { minus: JSON.stringify(w(0, "a", 1)), plus: null },
          { minus: JSON.stringify(w(0, "b", 2)), plus: JSON.stringify(w(0, "b", 9)) },
          { minus: null, plus: JSON.stringify(w(0, "c", 1)) },
        ],
      },
    ],
  ])("%s", (_name, { minus, plus, columns = [], tolerance = 0, alike, changes = [] }) => {
    expect(compareRows(minus, plus, { columns, tolerance })).toEqual({ alike, changes });
  });

  it("that differ in more than the bound stand one by one", () => {
    const [minus, plus] = [0, 10_000].map((from) =>
      Array.from({ length: 2_000 }, (_, n) => String(from + n)),
    );
    const { alike, changes } = compareRows(minus!, plus!, { columns: [], tolerance: 0 });
    expect({ alike, changes: changes.length, first: changes[0] }).toEqual({
      alike: 0,
      changes: 2_000,
      first: { minus: "0", plus: "10000" },
    });
  });
});

describe("an alignment", () => {
  /** The longest common subsequence, by its definition. */
  function common(a: readonly number[], b: readonly number[]): number {
    if (a.length === 0 || b.length === 0) return 0;
    const [[first, ...rest], [other, ...others]] = [a, b];
    if (first === other) return 1 + common(rest, others);
    return Math.max(common(rest, b), common(a, others));
  }
  const list = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 });

  it("has every item once, in order, and as many alike as there can be", () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        const pairs = alignment(a, b, (x, y) => x === y);
        expect(pairs.flatMap(([x]) => (x === null ? [] : [x]))).toEqual(a);
        expect(pairs.flatMap(([, y]) => (y === null ? [] : [y]))).toEqual(b);
        const alike = pairs.filter(([x, y]) => x === y).length;
        expect(alike).toBeGreaterThanOrEqual(common(a, b));
      }),
    );
  });
});
