// Records of protobuf against protobufjs, which reads what we write and whose own we read alike; and what neither
// takes is a fault.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Scalar as Value, type Schema, valueAt } from "../../../operators/sdk/index.ts";
import { makeBatch } from "../../batch/batch.ts";
import { makeColumn, TextDictionary } from "../../batch/columns.ts";
import { limits } from "../../limits.ts";
import type { Decoded, FieldRead } from "../codec.ts";
import { createProtobufDecoder } from "./decoder.ts";
import { createProtobufEncoder } from "./encoder.ts";
import { columnsOf, type ProtoMessage, typeOf } from "./message.ts";
import { all, messageOf, oracle, payloadsOf } from "./protobuf.fixture.ts";

const columns = columnsOf(all);
const fields: readonly FieldRead[] = columns.map(({ name, field }) => ({
  name,
  type: typeOf(field.scalar!),
}));

const int32 = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.integer());
const uint32 = fc.oneof(fc.nat(300), fc.nat(0xffff_ffff));
const int64 = fc.oneof(fc.bigInt(-300n, 300n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
const uint63 = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 63n - 1n));
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const word = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constant("a\0"),
);

// protobufjs takes integers of 64 bits as text or its own objects; strings are what it turns them back into.
const wide = (values: fc.Arbitrary<bigint>): fc.Arbitrary<string> => values.map(String);
const inner = fc.record({ x: double, y: wide(int64), z: word }, { requiredKeys: [] });
const record = fc.record(
  {
    d: double,
    f: float,
    i32: int32,
    i64: wide(int64),
    u32: uint32,
    u64: wide(uint63),
    s32: int32,
    s64: wide(int64),
    f32: uint32,
    f64: wide(uint63),
    sf32: int32,
    sf64: wide(int64),
    b: fc.boolean(),
    s: word,
    mode: fc.constantFrom(0, 1, 7),
    od: double,
    os: word,
    ob: fc.boolean(),
    inner,
    list: fc.array(double),
    map: fc.dictionary(word, int32),
    raw: fc.uint8Array(),
    left: word,
  },
  { requiredKeys: [] },
);
type Sample = Record<string, unknown>;

function encoded(sample: Sample): Uint8Array {
  return oracle.encode(oracle.fromObject(sample)).finish();
}

/** What a column must hold, from the oracle's own reading. */
function expected(payload: Uint8Array): Value[] {
  const read = oracle.decode(payload) as unknown as Sample;
  return columns.map(({ name, field }) => {
    const [first, second] = name.split(".") as [string, string?];
    const owner = second === undefined ? read : ((read[first] ?? null) as Sample | null);
    const key = second ?? first;
    if (owner === null || (field.presence && !Object.hasOwn(owner, key))) return null;
    const value = owner[key];
    if (field.scalar === "enum") return new Map(field.names).get(value as number) ?? `${value as number}`;
    return typeOf(field.scalar!) === "int64" ? BigInt(String(value)) : (value as Value);
  });
}

function rowsOf(decoded: Decoded): Value[][] {
  return Array.from({ length: decoded.rows }, (_, row) =>
    decoded.columns.map((column) => valueAt(column, row)),
  );
}

test("what protobufjs writes reads as protobufjs reads it", () => {
  const decoder = createProtobufDecoder(fields, all);
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (samples) => {
      const payloads = (samples as Sample[]).map(encoded);
      const decoded = decoder.decode(payloadsOf(payloads));
      expect(decoded.faults).toEqual([]);
      expect(rowsOf(decoded)).toEqual(payloads.map(expected));
    }),
    { seed: 21, numRuns: 200 },
  );
});

/** One row for each list of values, null where they are. */
function write(
  message: ProtoMessage,
  reads: readonly FieldRead[],
  rows: readonly (readonly Value[])[],
): Uint8Array[] {
  const schema: Schema = { fields: reads.map(({ name, type }) => ({ name, type })), rest: null };
  const made = reads.map(({ type }, place) => {
    const dictionary = new TextDictionary();
    const column = makeColumn(type, rows.length, dictionary);
    for (const [row, values] of rows.entries()) {
      const value = values[place]!;
      column.valid[row] = value === null ? 0 : 1;
      if (value === null) continue;
      const cell =
        typeof value === "string"
          ? dictionary.code(value)
          : typeof value === "boolean"
            ? Number(value)
            : value;
      (column.values as { [row: number]: number | bigint })[row] = cell;
    }
    return column;
  });
  const time = new Float64Array(rows.length);
  const batch = makeBatch({ schema, columns: made, rows: rows.length, time, watermark: time });
  const payloads: Uint8Array[] = [];
  createProtobufEncoder(schema, message).encode(batch, (_row, payload) => payloads.push(payload));
  return payloads;
}

test("what is written reads as it was, to protobufjs as well", () => {
  const decoder = createProtobufDecoder(fields, all);
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (samples) => {
      const before = rowsOf(decoder.decode(payloadsOf((samples as Sample[]).map(encoded))));
      const payloads = write(all, fields, before);
      expect(rowsOf(decoder.decode(payloadsOf(payloads)))).toEqual(before);
      expect(payloads.map(expected)).toEqual(before);
    }),
    { seed: 22, numRuns: 150 },
  );
});

test("hostile bytes are faults, never thrown, and leave nulls", () => {
  const decoder = createProtobufDecoder(fields, all);
  const valid = encoded({
    d: 1.5,
    i64: "-7",
    s: "é",
    inner: { x: 2, z: "z" },
    list: [1, 2],
    map: { a: 1 },
    mode: 7,
  });
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  const damaged = fc
    .tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(valid.length))
    .map(([changes, length]) => {
      const bytes = Uint8Array.from(valid);
      for (const [place, byte] of changes) bytes[place] = byte;
      return bytes.subarray(0, length);
    });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(damaged, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 }),
      (records) => {
        const decoded = decoder.decode(payloadsOf([...records, valid]));
        expect(decoded.faults.filter((fault) => fault.row === records.length)).toEqual([]);
        for (const { row, field } of decoded.faults)
          for (const [index, column] of decoded.columns.entries())
            if (field === -1 || field === index) expect(valueAt(column, row)).toBeNull();
      },
    ),
    { seed: 23, numRuns: 500 },
  );
});

describe("by the rule", () => {
  const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");
  const read = (reads: readonly FieldRead[], ...records: Uint8Array[]): unknown => {
    const decoded = createProtobufDecoder(reads, all).decode(payloadsOf(records));
    return decoded.faults.length > 0 ? decoded.faults.map(({ detail }) => detail) : rowsOf(decoded);
  };
  const one = (name: string, type: FieldRead["type"], ...records: Uint8Array[]): unknown =>
    read([{ name, type }], ...records);

  test("nothing is the default, or null where that can be told", () => {
    const reads = fields.filter(({ name }) =>
      ["d", "i64", "b", "s", "mode", "od", "os", "left", "inner.x"].includes(name),
    );
    expect(read(reads, hex(""))).toEqual([[0, 0n, false, "", "IDLE", null, null, null, null]]);
    expect(one("inner.x", "float64", hex("9a01 00"))).toEqual([[0]]);
  });

  test("of a field that comes twice the last counts, and messages are merged", () => {
    expect(one("i32", "float64", hex("18 01 18 02"))).toEqual([[2]]);
    const twice = hex("9a01 02 10 04 9a01 09 09 000000000000f03f");
    expect(
      read(
        [
          { name: "inner.x", type: "float64" },
          { name: "inner.y", type: "int64" },
        ],
        twice,
      ),
    ).toEqual([[1, 2n]]);
  });

  test("fields that nobody named are stepped over, groups as well", () => {
    const unknown = hex("f83f 01 c33f f83f 05 c43f 18 05");
    expect(one("i32", "float64", unknown)).toEqual([[5]]);
  });

  test("a number of an enum without a name is its digits", () => {
    expect(one("mode", "string", hex("78 07"), hex("78 09"))).toEqual([["FAULT"], ["9"]]);
  });

  test.each([
    [
      "a value of another kind",
      "18 01",
      "d",
      "08 01",
      'field "d": expected a 64-bit value, got a varint one',
    ],
    ["a value that is cut off", "", "d", "09 00", "expected protobuf, got the end of its bytes at byte 1"],
    ["a tag that is cut off", "", "d", "80", "expected protobuf, got the end of its bytes at byte 0"],
    [
      "a length beyond the end",
      "",
      "s",
      "72 05 61",
      "expected protobuf, got a length beyond the end at byte 1",
    ],
    [
      "a varint without end",
      "",
      "i32",
      `18 ${"ff".repeat(11)}`,
      "expected protobuf, got a varint of more than 10 bytes at byte 1",
    ],
    ["field 0", "", "d", "00 01", "expected protobuf, got a field number out of range at byte 0"],
    ["a wire type that is none", "", "d", "0e", "expected protobuf, got wire type 6 at byte 1"],
    ["the end of no group", "", "d", "0c", "expected protobuf, got wire type 4 at byte 1"],
    ["groups in groups", "", "d", "c33f".repeat(100), "expected protobuf, got too many levels at byte 128"],
    ["text that is none", "", "s", "72 01 ff", 'field "s": expected a string of UTF-8, got other bytes'],
    ["not a number", "", "d", "09 000000000000f87f", "expected float64, got NaN"],
    ["an infinity", "", "f", "15 0000807f", "expected float64, got Infinity"],
    [
      "an integer beyond int64",
      "",
      "u64",
      `30 ${"ff".repeat(9)}01`,
      "expected int64, got an integer beyond 2^63 - 1",
    ],
  ])("%s is refused", (_title, good, name, digits, detail) => {
    const { type } = fields.find((each) => each.name === name)!;
    expect(one(name, type, hex(good), hex(digits))).toEqual([detail]);
  });

  test("integers as times and numbers, in their unit", () => {
    const seconds: FieldRead = { name: "i64", type: "time", unit: "s" };
    expect(read([seconds], encoded({ i64: "1700000000" }))).toEqual([[1_700_000_000_000]]);
    expect(one("i64", "time", encoded({ i64: "9000000000000000000" }))).toEqual([
      "expected time in ms, got a number that is none",
    ]);
    expect(one("u64", "float64", encoded({ u64: "9007199254740993" }))).toEqual([
      "expected float64, got an integer beyond 2^53",
    ]);
    const iso: FieldRead = { name: "s", type: "time", unit: "iso" };
    expect(read([iso], encoded({ s: "1970-01-01T00:00:01Z" }))).toEqual([[1000]]);
  });

  test("too large a record is refused", () => {
    const large = encoded({ raw: new Uint8Array(limits.payload_bytes_max) });
    expect(one("d", "float64", large)).toEqual([`expected at most 1048576 bytes, got ${large.length}`]);
  });

  test("what a field cannot hold is not set", () => {
    const message = messageOf(
      'syntax = "proto3"; enum E { A = 0; B = 1; } message M { optional int32 i = 1; optional uint64 u = 2; optional E e = 3; optional double d = 4; }',
      "M",
    );
    const reads: FieldRead[] = [
      { name: "i", type: "float64" },
      { name: "u", type: "int64" },
      { name: "e", type: "string" },
      { name: "d", type: "float64" },
    ];
    const rows = [
      [1.5, -1n, "C", Number.NaN],
      [2 ** 31, 5n, "B", 0],
      [-5, 2n ** 63n - 1n, "A", -1],
      [0, 0n, "9999999999", 0],
    ];
    const decoded = createProtobufDecoder(reads, message).decode(payloadsOf(write(message, reads, rows)));
    expect(rowsOf(decoded)).toEqual([
      [null, null, null, null],
      [null, 5n, "B", 0],
      [-5, 2n ** 63n - 1n, "A", -1],
      [0, 0n, null, 0],
    ]);
  });

  test("a number of an enum without a name goes out as it came in", () => {
    const reads: FieldRead[] = [{ name: "mode", type: "string" }];
    const rows = [["5"], ["-3"], ["0"]];
    const payloads = write(all, reads, rows);
    expect(rowsOf(createProtobufDecoder(reads, all).decode(payloadsOf(payloads))).slice(0, 2)).toEqual(
      rows.slice(0, 2),
    );
    expect(payloads.map((payload) => (oracle.decode(payload) as unknown as Sample)["mode"])).toEqual([
      5, -3, 0,
    ]);
  });

  test("a number beyond a float is not set, and a time as text only where RFC 3339 has its year", () => {
    const message = messageOf(
      'syntax = "proto3"; message M { optional float f = 1; optional string t = 2; }',
      "M",
    );
    const reads: FieldRead[] = [
      { name: "f", type: "float64" },
      { name: "t", type: "time", unit: "iso" },
    ];
    const rows = [
      [3.5e38, 8.65e15],
      [-1e300, -1e300],
      [3.4e38, 253_402_300_800_000],
      [0, -0.5],
    ];
    const decoded = createProtobufDecoder(reads, message).decode(payloadsOf(write(message, reads, rows)));
    expect(decoded.faults).toEqual([]);
    expect(rowsOf(decoded)).toEqual([
      [null, null],
      [null, null],
      [Math.fround(3.4e38), null],
      [0, -1],
    ]);
  });

  test("a message inside that takes more than 127 bytes has a longer length", () => {
    const reads: FieldRead[] = [{ name: "inner.z", type: "string" }];
    const rows = [126, 127, 128, 20_000].map((length) => ["z".repeat(length)]);
    expect(rowsOf(createProtobufDecoder(reads, all).decode(payloadsOf(write(all, reads, rows))))).toEqual(
      rows,
    );
  });
});
