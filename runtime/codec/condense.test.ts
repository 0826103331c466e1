import { Packr } from "msgpackr";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../batch/batch.ts";
import { PayloadBuilder } from "../batch/payloads.ts";
import { type ColumnRule, joinedPayload, RowCondenser, type RowForm } from "./condense.ts";
import { createDecoder, createEncoder } from "./formats.ts";

const columns = new Map<string, ColumnRule>([
  ["window_start", { kind: "start" }],
  ["window_end", { kind: "end" }],
  ["device", { kind: "key" }],
  ["n", { kind: "sum" }],
  ["mean", { kind: "mean", weight: "n" }],
  ["low", { kind: "min" }],
  ["high", { kind: "max" }],
  ["opened", { kind: "first" }],
  ["closed", { kind: "last" }],
]);
const json: RowForm = { format: "json", columns };
const msgpack: RowForm = { format: "msgpack", columns };

interface Row {
  readonly window_start: number;
  readonly window_end: number;
  readonly device: string | null;
  readonly n: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly opened: number | string | null;
  readonly closed: number | string | null;
}

const packr = new Packr({ useRecords: false });
const bytesOf = (row: object): Uint8Array => new TextEncoder().encode(JSON.stringify(row));
const readBack = (payloads: readonly Uint8Array[]): readonly Row[] =>
  payloads.map((payload) => JSON.parse(new TextDecoder().decode(payload)) as Row);

function row(start: number, values: Partial<Row> = {}): Row {
  const rest = { device: "a", n: 1, mean: 1, low: 1, high: 1, opened: start, closed: start };
  return { window_start: start, window_end: start + 1_000, ...rest, ...values };
}

/** As a sink of the format msgpack writes it. */
function written(record: Row): Uint8Array {
  const types = {
    window_start: "time",
    window_end: "time",
    device: "string",
    closed: "time",
    opened: "time",
  } as const;
  const fields = [...columns.keys()].map((name) => ({
    name,
    type: types[name as keyof typeof types] ?? "float64",
  }));
  const builder = new PayloadBuilder();
  builder.add(bytesOf(record), "subject", 0);
  const decoded = createDecoder("json", fields).decode(builder.take());
  const time = new Float64Array(1);
  const schema = { fields, rest: null };
  const batch = makeBatch({ schema, columns: decoded.columns, rows: 1, time, watermark: time });
  const payloads: Uint8Array[] = [];
  createEncoder("msgpack", { schema, origin: null }).encode(batch, (_, payload) =>
    payloads.push(payload.slice()),
  );
  return payloads[0]!;
}

function condensed(rows: readonly Row[], every: number): readonly Row[] {
  const condenser = new RowCondenser(json, every);
  for (const each of rows) expect(condenser.add(bytesOf(each))).toBe(true);
  return readBack(condenser.payloads());
}

describe("rows", () => {
  test("that stand for more time than is wanted stay as they are", () => {
    const condenser = new RowCondenser(json, 10_000);
    expect(condenser.add(bytesOf(row(0, { window_end: 10_001 })))).toBe(false);
    expect(condenser.add(bytesOf(row(0, { window_end: 10_000 })))).toBe(true);
  });

  test("of one key and time become one; others stay apart, in the order of their times", () => {
    const rows = [
      row(0, { n: 1, mean: 10, low: 10, high: 10 }),
      row(1_000, { n: 3, mean: 20, low: 5, high: 30 }),
      row(10_000),
      row(2_000, { device: "b" }),
      row(9_000, { device: null, mean: null, low: null, high: null, closed: null }),
    ];
    expect(condensed(rows, 10_000)).toStrictEqual([
      { ...row(0), window_end: 2_000, n: 4, mean: 17.5, low: 5, high: 30, closed: 1_000 },
      row(2_000, { device: "b" }),
      row(9_000, { device: null, mean: null, low: null, high: null, closed: null }),
      row(10_000),
    ]);
  });

  test("without values count for nothing", () => {
    const empty = { mean: null, low: null, high: null, n: 0, opened: null, closed: null };
    const [only] = condensed([row(0, empty), row(1_000, { n: 2, mean: 4 }), row(2_000, empty)], 10_000);
    expect(only).toMatchObject({ n: 2, mean: 4, low: 1, high: 1, opened: 1_000, closed: 1_000 });
  });

  test("before the epoch belong to the time that began before them", () => {
    expect(condensed([row(-1), row(-10_000), row(0)], 10_000).map(({ n }) => n)).toStrictEqual([2, 1]);
  });

  test("in MessagePack, several in a payload, come out as such", () => {
    const condenser = new RowCondenser(msgpack, 10_000);
    const several = Buffer.concat([row(0), row(1_000)].map((each) => packr.pack(each)));
    expect(condenser.add(several)).toBe(true);
    const [payload] = condenser.payloads();
    expect(packr.unpack(payload!)).toMatchObject({ n: 2, window_end: 2_000 });
  });

  test("in MessagePack as a sink writes it, with times of today, become one that it would have written", () => {
    const condenser = new RowCondenser(msgpack, 300_000);
    const start = 1_764_300_000_000;
    for (const minute of [0, 1, 2])
      expect(condenser.add(written(row(start + minute * 60_000, { mean: 2 ** 40, low: minute })))).toBe(true);
    const whole = { window_end: start + 121_000, n: 3, mean: 2 ** 40, low: 0, closed: start + 120_000 };
    expect(condenser.payloads()).toStrictEqual([written(row(start, whole))]);
  });

  test("with whole numbers that a double does not hold are left alone", () => {
    const condenser = new RowCondenser(msgpack, 10_000);
    const large = new Packr({ useRecords: false });
    for (const name of ["device", "n", "closed"])
      expect(condenser.add(large.pack({ ...row(0), [name]: 2n ** 60n + 1n }))).toBe(false);
  });

  test("in lines of JSON, several in a payload, come out as such", () => {
    const condenser = new RowCondenser(json, 10_000);
    expect(condenser.add(joinedPayload([bytesOf(row(0)), bytesOf(row(20_000))], "json"))).toBe(true);
    const payloads = condenser.payloads();
    expect(readBack(payloads)).toStrictEqual([row(0), row(20_000)]);
    expect(new TextDecoder().decode(joinedPayload(payloads, "json")).split("\n")).toHaveLength(2);
  });

  test.each([
    ["no JSON", new TextEncoder().encode("{")],
    ["no object", new TextEncoder().encode("[1]")],
    ["a column too many", bytesOf({ ...row(0), more: 1 })],
    ["a column too few", bytesOf({ ...row(0), n: undefined })],
    ["a text for a number", bytesOf({ ...row(0), n: "1" })],
    ["no time", bytesOf({ ...row(0), window_start: null })],
    ["a nested key", bytesOf({ ...row(0), device: {} })],
    ["one good and one bad row", joinedPayload([bytesOf(row(0)), bytesOf({})], "json")],
  ])("with %s are left alone", (_, payload) => {
    const condenser = new RowCondenser(json, 10_000);
    expect(condenser.add(payload)).toBe(false);
    expect(condenser.payloads()).toStrictEqual([]);
  });
});

describe("whatever is condensed, and in how many steps", () => {
  // Zeros of both signs are equal, and one stands for the other.
  const number = fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
    .map((value) => value + 0);
  const rows = fc.array(
    fc
      .record({
        start: fc.integer({ min: 0, max: 200 }),
        device: fc.constantFrom("a", "b", null),
        n: fc.nat(20),
        values: fc.tuple(number, number, number),
      })
      .map(({ start, device, n, values: [mean, low, high] }) =>
        row(
          start * 1_000,
          n === 0 ? { device, n, mean: null, low: null, high: null } : { device, n, mean, low, high },
        ),
      ),
    { maxLength: 60 },
  );
  const sum = (some: readonly Row[], of: (row: Row) => number): number =>
    some.reduce((all, each) => all + of(each), 0);

  test("counts, sums and extremes are those of the rows", () => {
    fc.assert(
      fc.property(rows, (some) => {
        const steps = condensed(condensed(some, 10_000), 60_000);
        const once = condensed(some, 60_000);
        for (const found of [steps, once]) {
          expect(sum(found, ({ n }) => n)).toBe(sum(some, ({ n }) => n));
          expect(sum(found, ({ n, mean }) => n * (mean ?? 0))).toBeCloseTo(
            sum(some, ({ n, mean }) => n * (mean ?? 0)),
            1,
          );
          const highs = (all: readonly Row[]): number =>
            Math.max(...all.map(({ high }) => high ?? -Infinity));
          expect(highs(found)).toBe(highs(some));
          const keys = found.map(
            ({ device, window_start }) => `${device} ${Math.floor(window_start / 60_000)}`,
          );
          expect(new Set(keys).size).toBe(keys.length);
        }
        const byKey = (all: readonly Row[]): readonly string[] =>
          all
            .map(({ device, window_start, n, low, high }) =>
              JSON.stringify([device, Math.floor(window_start / 60_000), n, low, high]),
            )
            .sort();
        expect(byKey(steps)).toStrictEqual(byKey(once));
      }),
    );
  });
});
