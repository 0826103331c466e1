import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockWriter, blockOf, rowsOf } from "./block.ts";
import type { KeptRow } from "./entry.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const row: fc.Arbitrary<KeptRow> = fc.record(
  {
    subject: fc.oneof(fc.constantFrom("", "a.b", "a.c"), text),
    payload: fc.uint8Array({ maxLength: 300 }),
    caused: fc.oneof(
      fc.nat(),
      fc.double({ noNaN: true }),
      fc.integer({ min: 1.7e12, max: 1.8e12 }),
      fc.maxSafeInteger(),
    ),
    rows: fc.oneof(fc.constant(1), fc.nat()),
    headers: fc.oneof(
      fc.constant(null),
      fc.constant({ a: "b" }),
      fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
    ),
    form: fc.constantFrom("pipeline/main", "other"),
  },
  { noNullPrototype: true, requiredKeys: ["subject", "payload", "caused", "rows", "headers"] },
);
const rows: fc.Arbitrary<KeptRow[]> = fc.array(row, { maxLength: 12 });

describe("a block", () => {
  test("gives back the rows, to the last bit and the order of headers", () => {
    fc.assert(
      fc.property(rows, (some) => {
        const found = rowsOf(blockOf(some), some.length);
        expect(found).toStrictEqual(some);
        found.forEach(({ headers }, row) =>
          expect(Object.keys(headers ?? {})).toStrictEqual(Object.keys(some[row]!.headers ?? {})),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("is one with another behind it", () => {
    fc.assert(
      fc.property(rows, rows, (some, others) => {
        const both = Buffer.concat([blockOf(some), blockOf(others)]);
        expect(rowsOf(both, some.length + others.length)).toStrictEqual([...some, ...others]);
      }),
    );
  });

  test("stays as it is when more is written", () => {
    const writer = new BlockWriter();
    const row = { subject: "s", payload: Uint8Array.of(1, 2), caused: 1, rows: 2, headers: null };
    writer.add(row);
    expect([writer.count, writer.rows]).toStrictEqual([1, 2]);
    const first = writer.take();
    for (let count = 0; count < 10_000; count++) writer.add({ ...row, payload: Uint8Array.of(3, 4, 5) });
    const second = writer.take();
    expect(rowsOf(first, 1)).toStrictEqual([row]);
    expect(rowsOf(second, 10_000)[9_999]!.payload).toStrictEqual(Uint8Array.of(3, 4, 5));
    expect([writer.count, writer.rows, writer.length]).toStrictEqual([0, 0, 0]);
  });

  test("costs a row that is like the one before three bytes beside its payload", () => {
    const row = {
      subject: "a.subject",
      payload: new Uint8Array(40),
      caused: 1e12,
      rows: 1,
      headers: { a: "b" },
    };
    expect(blockOf([row, row]).length - blockOf([row]).length).toBe(43);
  });
});

describe("bytes that are no block", () => {
  test("are refused or read as rows, never anything else", () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(rows, fc.nat(), fc.nat(255)).map(([some, place, value]) => {
        const block = blockOf(some);
        if (block.length > 0) block[place % block.length] = value;
        return block;
      }),
    );
    let refused = 0;
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          rowsOf(bytes, 3);
        } catch (error) {
          refused++;
          expect(error).toMatchObject({ code: "WEIR_STATE" });
        }
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  test("a block with another number of rows is refused", () => {
    const block = blockOf([{ subject: "s", payload: Uint8Array.of(1), caused: 1, rows: 1, headers: null }]);
    expect(() => rowsOf(block, 2)).toThrow("a block holds 1 rows, expected 2");
    expect(() => rowsOf(block.subarray(0, -1), 1)).toThrow("a block ends within a row");
  });
});
