// What the two sketches promise: quantiles within 1 %, counts exact while few and then within 5 %, and
// memory that is bounded whatever comes.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aggregate, AggregateState, Batch, Column, WritableColumn } from "weir/sdk";
import { bucketsMax, exactMax } from "./bounds.ts";
import { countDistinct } from "./count-distinct.ts";
import { header } from "./ddsketch.ts";
import { quantile } from "./quantile.ts";

const noBatch = null as unknown as Batch;

class Slot {
  readonly state: AggregateState = { cells: [], buffers: [] };
  readonly #aggregate: Aggregate;
  constructor(aggregate: Aggregate) {
    this.#aggregate = aggregate;
  }
  add(input: Column, count: number): this {
    const rows = Uint32Array.from({ length: count }, (_, row) => row);
    this.#aggregate.add(this.state, new Uint32Array(count), rows, count, input, noBatch);
    return this;
  }
  numbers(values: readonly number[]): this {
    return this.add(
      { type: "float64", values: Float64Array.from(values), valid: null, dictionary: null },
      values.length,
    );
  }
  texts(texts: readonly string[]): this {
    return this.add(
      {
        type: "string",
        values: Int32Array.from(texts.keys()),
        valid: null,
        dictionary: { size: texts.length, text: (code) => texts[code]! },
      },
      texts.length,
    );
  }
  merge(other: Slot): this {
    this.#aggregate.merge(this.state, 0, other.state, 0);
    return this;
  }
  get result(): number | null {
    const [values, valid] = [new Float64Array(1), new Uint8Array([1])];
    const out: WritableColumn = { type: "float64", values, valid, dictionary: null };
    this.#aggregate.finish(this.state, new Uint32Array(1), 1, out);
    return out.valid[0] === 0 ? null : (out.values[0] as number);
  }
  get size(): number {
    return this.state.buffers[0]?.length ?? 0;
  }
}

const quantileAt = (share: number): Slot => new Slot(quantile.create("float64", [share]));
const distinct = (): Slot => new Slot(countDistinct.create("string", []));

function exactly(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

function expectWithin(actual: number | null, expected: number, share: number): void {
  expect(actual).not.toBeNull();
  const error = Math.abs(actual! - expected);
  expect(error, `${actual} for ${expected}`).toBeLessThanOrEqual(
    share * (1 + 1e-9) * Math.abs(expected) + 1e-12,
  );
}

describe("quantile", () => {
  // Twelve decades of each sign, which the buckets hold without joining any.
  const magnitude = fc.double({ min: -6, max: 6, noNaN: true }).map((exponent) => 10 ** exponent);
  const value = fc.oneof(
    magnitude,
    magnitude.map((each) => -each),
    fc.integer({ min: -9, max: 9 }),
  );
  const shares = fc.oneof(
    fc.constantFrom(0, 0.25, 0.5, 0.9, 0.99, 1),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );

  test("is within 1 % of the value at its rank, however the values were cut into parts", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { maxLength: 60 }), { minLength: 1, maxLength: 4 }),
        shares,
        (cut, share) => {
          const values = cut.flat();
          fc.pre(values.length > 0);
          const expected = exactly(values, share);
          expectWithin(quantileAt(share).numbers(values).result, expected, 0.01);
          const target = quantileAt(share);
          for (const part of cut) target.merge(quantileAt(share).numbers(part));
          expectWithin(target.result, expected, 0.01);
        },
      ),
      { seed: 5, numRuns: 400 },
    );
  });

  test("is never beyond the smallest and the largest value, which are exact", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), shares, (values, share) => {
        const sorted = values.toSorted((a, b) => a - b);
        const [least, most] = [sorted[0]!, sorted.at(-1)!];
        const answer = quantileAt(share).numbers(values).result!;
        expect(answer >= least && answer <= most, `${answer} of ${least} to ${most}`).toBe(true);
        expect(quantileAt(0).numbers(values).result).toBe(least);
        expect(quantileAt(1).numbers(values).result).toBe(most);
      }),
      { seed: 8, numRuns: 200 },
    );
  });

  test("is null without values", () => {
    expect(quantileAt(0.5).result).toBeNull();
    expect(quantileAt(0.5).merge(quantileAt(0.5)).result).toBeNull();
  });

  test("the largest numbers that there are stay finite and within 1 %", () => {
    const ends = [Number.MAX_VALUE, 1.7e308, 1.5e308];
    for (const end of ends) {
      expectWithin(quantileAt(1).numbers([end]).result, end, 0.01);
      expectWithin(quantileAt(0).numbers([-end, end]).result, -end, 0.01);
    }
  });

  test("a range beyond the buckets costs only the values nearest zero", () => {
    const decades = Array.from({ length: 600 }, (_, i) => 10 ** (i - 300) * 1.5);
    for (const values of [decades, decades.toReversed()]) {
      for (const share of [0.98, 0.99, 1]) {
        expectWithin(quantileAt(share).numbers(values).result, exactly(values, share), 0.01);
      }
    }
  });

  test("a sketch is bounded, whatever comes and however often it is merged", () => {
    const sizeMax = header + 2 * bucketsMax;
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 300 }), {
          maxLength: 5,
        }),
        (cut) => {
          const target = quantileAt(0.5);
          for (const part of cut) {
            const own = quantileAt(0.5).numbers(part);
            expect(own.size).toBeLessThanOrEqual(sizeMax);
            target.merge(own);
          }
          expect(target.size).toBeLessThanOrEqual(sizeMax);
          const { result } = target;
          expect(result === null || Number.isFinite(result)).toBe(true);
        },
      ),
      { seed: 6, numRuns: 60 },
    );
  });

  test("no value is lost when buckets are joined", () => {
    const values = [1e-9, 1e9, 1e-11, 1e12, 1e-12, 5e12];
    const target = quantileAt(0.5).numbers(values).merge(quantileAt(0.5).numbers(values));
    const sketch = target.state.buffers[0] as Float64Array;
    const counted = sketch[0]! + sketch.subarray(header).reduce((total, each) => total + each, 0);
    expect(counted).toBe(2 * values.length);
  });

  test("values below a full sketch do not make it anew each time", () => {
    const target = quantileAt(0.5).numbers([1e-12, 1e12]);
    const before = target.state.buffers[0];
    target.numbers([1e-11, 1e-10, 1e-12]);
    expect(target.state.buffers[0]).toBe(before);
  });
});

describe("count_distinct", () => {
  test("is exact up to its list, in any order, with repeats, and however cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ maxLength: 6 }), { maxLength: exactMax / 4 }), { maxLength: 4 }),
        (cut) => {
          const expected = new Set(cut.flat()).size;
          expect(distinct().texts(cut.flat()).texts(cut.flat()).result).toBe(expected);
          const target = distinct();
          for (const part of cut) target.merge(distinct().texts(part));
          expect(target.result).toBe(expected);
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  test(`is exact at ${exactMax} and an estimate above`, () => {
    const texts = Array.from({ length: exactMax }, (_, i) => `device-${i}`);
    expect(distinct().texts(texts).result).toBe(exactMax);
    expect(distinct().texts(texts).state.buffers[0]).toBeInstanceOf(Float64Array);
    expect(distinct().texts([...texts, "one more"]).state.buffers[0]).toBeInstanceOf(Uint8Array);
  });

  const families: readonly (readonly [string, (i: number) => string | number])[] = [
    ["numbered devices", (i) => `device-${i}`],
    ["the same at the end", (i) => `${i}-sensor-in-a-field-with-a-long-name`],
    ["addresses", (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
    ["whole numbers", (i) => i],
    ["tenths", (i) => i / 10],
    ["large steps", (i) => i * 2 ** 40],
    ["tiny numbers", (i) => i * 2 ** -1000],
  ];
  test.each(families)("is within 5 % above: %s", (_name, make) => {
    for (const total of [257, 1_000, 5_000, 12_000, 60_000]) {
      const values = Array.from({ length: total }, (_, i) => make(i));
      const slot =
        typeof values[0] === "string"
          ? distinct().texts(values as string[])
          : new Slot(countDistinct.create("float64", [])).numbers(values as number[]);
      expectWithin(slot.result, total, 0.05);
      expect(slot.size).toBe(4096);
    }
  });

  test("parts merged are the whole, also where one side or both are estimates", () => {
    const texts = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => `t${from + i}`);
    for (const cut of [
      [0, 100, 200, 300],
      [0, 1000, 1010],
      [0, 10, 1000],
      [0, 400, 900, 2000],
    ]) {
      const target = distinct();
      for (let i = 1; i < cut.length; i++) target.merge(distinct().texts(texts(cut[i - 1]!, cut[i]!)));
      expect(target.result).toBe(distinct().texts(texts(0, cut.at(-1)!)).result);
    }
  });

  test("0 and -0 are one value", () => {
    expect(new Slot(countDistinct.create("float64", [])).numbers([0, -0]).result).toBe(1);
  });
});
