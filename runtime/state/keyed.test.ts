// What is remembered for each key: numbers as declared, and whole records that come back as they were.

import { describe, expect, test } from "vitest";
import { type Batch, type Column, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { TextDictionary } from "../batch/columns.ts";
import { makeKeyedTable } from "./keyed.ts";
import { Records } from "./records.ts";

const schema = {
  fields: [
    { name: "device", type: "string" },
    { name: "big", type: "int64" },
    { name: "on", type: "bool" },
    { name: "temp", type: "float64" },
    { name: "raw", type: "json" },
  ],
  rest: { except: [] },
} as const;

function batchOf(rows: number, offset = 0): Batch {
  const texts = new TextDictionary();
  const valid = Uint8Array.from({ length: rows }, (_, row) => (row % 3 === 2 ? 0 : 1));
  const code = (row: number): number => texts.code(`t${row + offset}`);
  const codes = Int32Array.from({ length: rows }, (_, row) => code(row));
  const columns: Column[] = [
    { type: "string", values: codes, valid, dictionary: texts },
    {
      type: "int64",
      values: BigInt64Array.from({ length: rows }, (_, row) => 2n ** 53n + BigInt(row)),
      valid,
      dictionary: null,
    },
    {
      type: "bool",
      values: Uint8Array.from({ length: rows }, (_, row) => row % 2),
      valid: null,
      dictionary: null,
    },
    {
      type: "float64",
      values: Float64Array.from({ length: rows }, (_, row) => row / 4),
      valid,
      dictionary: null,
    },
    { type: "json", values: codes, valid: null, dictionary: texts },
  ];
  return makeBatch({
    schema,
    columns,
    rows,
    time: Float64Array.from({ length: rows }, (_, row) => row * 10),
    watermark: Float64Array.from({ length: rows }, (_, row) => row - 5),
    weight: Float64Array.from({ length: rows }, (_, row) => row + 1),
    origin: { payload: (row) => Uint8Array.of(row + offset), subject: (row) => `s${row}` },
  });
}

function told(batch: Batch, row: number): unknown {
  return {
    cells: batch.columns.map((column) => valueAt(column, row)),
    time: batch.time[row],
    watermark: batch.watermark[row],
    weight: batch.weight?.[row],
    payload: batch.origin?.payload(row)[0],
    subject: batch.origin?.subject(row),
  };
}

describe("records", () => {
  test("come back as they were, in the order asked for, after their batch is gone", () => {
    const records = new Records();
    const batch = batchOf(6);
    const expected = [4, 2, 0].map((row) => told(batch, row));
    const slots = Int32Array.from([4, 2, 0], (row) => records.keep(batch, row));
    // A batch's memory is used again.
    for (const column of batch.columns) column.values.fill((column.type === "int64" ? 0n : 0) as never);
    batch.time.fill(-1);
    const kept = records.batch(slots, schema);
    expect([0, 1, 2].map((row) => told(kept, row))).toEqual(expected);
    expect(kept.count).toBe(3);
  });

  test("count as held by weight until they are let go, and their slots are used again", () => {
    const records = new Records();
    const batch = batchOf(4);
    const slots = [0, 1, 2, 3].map((row) => records.keep(batch, row));
    expect(records.held).toBe(1 + 2 + 3 + 4);
    expect(records.free(slots[1]!)).toBe(2);
    expect(records.held).toBe(8);
    expect(() => records.free(slots[1]!)).toThrow(RangeError);
    expect(() => records.time(slots[1]!)).toThrow(RangeError);
    expect(records.held).toBe(8);
    expect(records.keep(batchOf(1, 100), 0)).toBe(slots[1]);
    expect(records.time(slots[1]!)).toBe(0);
    expect(records.held).toBe(9);
  });

  test("numbers of a kept record, NaN for null", () => {
    const records = new Records();
    const batch = batchOf(3);
    const [first, , third] = [0, 1, 2].map((row) => records.keep(batch, row)) as [number, number, number];
    const temp = { name: "temp", type: "float64", index: 3 } as const;
    expect([records.number(first, temp), records.number(third, temp)]).toEqual([0, Number.NaN]);
    expect([records.time(third), records.weight(third)]).toEqual([20, 3]);
  });

  test("stand in one batch with rows of another", () => {
    const records = new Records();
    const [before, present] = [batchOf(6), batchOf(5)];
    const slots = [5, 1].map((row) => records.keep(before, row));
    const expected = [told(before, 5), told(present, 3), told(before, 1), told(present, 0), told(present, 4)];
    const mixed = Int32Array.of(slots[0]!, -2 - 3, slots[1]!, -2, -2 - 4);
    const sent = records.batch(mixed, schema, undefined, present);
    expect([0, 1, 2, 3, 4].map((row) => told(sent, row))).toEqual(expected);
    expect(told(new Records().batch(Int32Array.of(-2 - 3), schema, undefined, present), 0)).toEqual(
      expected[1],
    );
    expect(records.batch(mixed, schema, undefined, { ...present, origin: null }).origin).toBeNull();
    expect(() => records.batch(mixed, schema)).toThrow("no record is kept in slot -5");
  });

  test("without an original, a batch of them has none", () => {
    const records = new Records();
    const slots = [records.keep(batchOf(1), 0), records.keep({ ...batchOf(1), origin: null }, 0)];
    expect(records.batch(Int32Array.from(slots), schema).origin).toBeNull();
  });
});

describe("numbers", () => {
  test("are as declared for every key, and stay when there are more", () => {
    const table = makeKeyedTable({
      kind: "keyed",
      by: [{ name: "device", type: "string", index: 0 }],
      initial: [1, Number.NaN],
      lasting: false,
    });
    const meet = (batch: Batch): void => {
      table.keys.identify(batch, new Uint32Array(batch.count));
      table.reserve();
    };
    meet(batchOf(10));
    table.cells[0]![5] = 7;
    meet(batchOf(600, 50));
    expect(table.cells.map((cell) => cell.length >= table.keys.size)).toEqual([true, true]);
    expect([5, 4, 300].map((key) => table.cells[0]![key])).toEqual([7, 1, 1]);
    expect(table.cells[1]![300]).toBeNaN();
    expect(table.held).toBe(0);
  });

  test("may be beside each other, and are so when there are more keys, one is forgotten or all come back", () => {
    const by = [{ name: "device", type: "string", index: 0 }] as const;
    const declaration = { kind: "keyed", by, initial: [1, 2, 3], lasting: true, together: true } as const;
    const table = makeKeyedTable(declaration);
    const ids = new Uint32Array(600);
    const meet = (batch: Batch): void => {
      table.keys.identify(batch, ids);
      table.reserve();
    };
    meet(batchOf(10));
    table.cells[0]!.set([7, 8, 9], 3 * 5);
    table.cells[0]!.set([7, 8, 9], 3 * 6);
    meet(batchOf(600, 600));
    table.forget(6);
    const restored = makeKeyedTable(declaration);
    restored.restore(table.snapshot());
    for (const each of [table, restored])
      expect([5, 6, 300].map((key) => [...each.cells[0]!.subarray(3 * key, 3 * key + 3)])).toEqual([
        [7, 8, 9],
        [1, 2, 3],
        [1, 2, 3],
      ]);
    table.clear();
    expect([...table.cells[0]!.subarray(15, 18)]).toEqual([1, 2, 3]);
  });
});
