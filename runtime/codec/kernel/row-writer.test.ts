// Rows that the kernel writes are what JSON.stringify makes of them, byte for byte, whatever is in them; and what it
// cannot write comes out all the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column, ColumnType, Scalar } from "../../../operators/sdk/index.ts";
import { makeBatch } from "../../batch/batch.ts";
import { makeColumn, TextDictionary, trimValid } from "../../batch/columns.ts";
import { createEncoder } from "../formats.ts";

type Row = Readonly<Record<string, Scalar>>;

const types = { number: "float64", at: "time", yes: "bool", 'na"me': "string" } as const;

function columnOf(name: string, type: ColumnType, rows: readonly Row[]): Column {
  const dictionary = type === "string" ? new TextDictionary() : null;
  const column = makeColumn(type, rows.length, dictionary);
  rows.forEach((row, place) => {
    const value = row[name];
    if (value === undefined || value === null) return;
    column.valid[place] = 1;
    column.values[place] = dictionary === null ? Number(value) : dictionary.code(String(value));
  });
  return trimValid(column);
}

/** The rows in every second place, with others between them. */
function written(rows: readonly Row[], fields: Readonly<Record<string, ColumnType>> = types): string[] {
  const spread = rows.flatMap((row) => [row, {}]);
  const schema = { fields: Object.entries(fields).map(([name, type]) => ({ name, type })), rest: null };
  const columns = schema.fields.map(({ name, type }) => columnOf(name, type, spread));
  const time = new Float64Array(spread.length);
  const selection = Uint32Array.from(rows, (_, place) => place * 2);
  const batch = makeBatch({
    schema,
    columns,
    rows: spread.length,
    time,
    watermark: time,
    selection,
    count: rows.length,
  });
  const texts: string[] = [];
  createEncoder("json", { schema, origin: null }).encode(batch, (row, payload) => {
    expect(row).toBe(texts.length * 2);
    texts.push(Buffer.from(payload).toString());
  });
  return texts;
}

function expected(rows: readonly Row[], names: readonly string[] = Object.keys(types)): string[] {
  return rows.map((row) =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] ?? null]))),
  );
}

const bits = new DataView(new ArrayBuffer(8));
/** Any double, by its bits. */
const anyDouble = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((each) => {
  bits.setBigUint64(0, each);
  return bits.getFloat64(0);
});
/** A double of a size that readings have, and its neighbours. */
const usual = fc
  .tuple(
    fc.double({ min: -1e7, max: 1e7, noNaN: true }),
    fc.integer({ min: -8, max: 12 }),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([value, places, away]) => {
    bits.setFloat64(0, Number(value.toFixed(Math.max(places, 0))) / (places < 0 ? 10 ** -places : 1));
    bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(away));
    return bits.getFloat64(0);
  });
const powers = fc
  .tuple(fc.integer({ min: -80, max: 80 }), fc.integer({ min: -1, max: 1 }))
  .map(([exponent, away]) => {
    bits.setFloat64(0, 2 ** exponent);
    bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(away));
    return bits.getFloat64(0);
  });

describe("numbers", () => {
  test("of every kind are written as JavaScript writes them", () => {
    const numbers = fc.array(fc.oneof(anyDouble, usual, powers, fc.maxSafeInteger(), fc.double()), {
      minLength: 64,
      maxLength: 64,
    });
    fc.assert(
      fc.property(numbers, (values) => {
        const rows = values.map((number) => ({ number }));
        expect(written(rows, { number: "float64" })).toEqual(expected(rows, ["number"]));
      }),
      { numRuns: 700, seed: 5 },
    );
  });

  test.each([
    0,
    -0,
    5e-324,
    0.000001,
    9.99e-7,
    1e-7,
    0.1,
    0.5,
    0.3,
    2.5,
    -2.5,
    123.456,
    4.35,
    1 / 3,
    0.1 + 0.2,
    9007199254740991,
    9007199254740992,
    9007199254740994,
    1e15,
    1e16,
    1e21,
    1.7976931348623157e308,
    4503599627370495.5,
    2251799813685247.8,
    99999999,
    100000000,
    9999999999999998,
    1700000000123,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ])("%d", (number) => {
    const rows = Array.from({ length: 8 }, () => ({ number }));
    expect(written(rows, { number: "float64" })).toEqual(expected(rows, ["number"]));
  });
});

test("rows of every type, with nulls", () => {
  const row = fc.record({
    number: fc.option(usual),
    at: fc.option(fc.integer({ min: 0, max: 2e12 })),
    yes: fc.option(fc.boolean()),
    'na"me': fc.option(fc.string({ unit: "binary", maxLength: 40 })),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 600 }), (rows) => {
      expect(written(rows)).toEqual(expected(rows));
    }),
    { numRuns: 150, seed: 6 },
  );
});

test("texts longer than there is room for, and a column that has few such", () => {
  const lengths = [10, 70_000, 3, 40_000, 40_000, 0, 65_534, 65_535, 1, 64, 65, 8];
  const rows = lengths.map((length, place) => ({ number: place + 0.5, 'na"me': "é".repeat(length >> 1) }));
  expect(written(rows)).toEqual(expected(rows));
});

test("no rows, rows without columns, and very many columns", () => {
  expect(written([])).toEqual([]);
  expect(
    written(
      Array.from({ length: 9 }, () => ({})),
      {},
    ),
  ).toEqual(Array.from({ length: 9 }, () => "{}"));
  const names = Array.from({ length: 100 }, (_, place) => `c${place}`);
  const wide = Object.fromEntries(names.map((name): [string, ColumnType] => [name, "float64"]));
  const rows = Array.from({ length: 20 }, () => ({ c0: 1.5, c99: 2 }));
  expect(written(rows, wide)).toEqual(expected(rows, names));
});
