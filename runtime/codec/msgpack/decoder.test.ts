import * as fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { Unpackr } from "msgpackr/unpack";
import { describe, expect, test } from "vitest";
import { type ColumnType, valueAt } from "../../../operators/sdk/index.ts";
import { PayloadBuilder, type Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { Decoded, FieldRead } from "../codec.ts";
import { createMsgpackDecoder } from "./decoder.ts";

const packr = new Packr({ useRecords: false });

function payloadsOf(records: readonly Uint8Array[]): Payloads {
  const builder = new PayloadBuilder();
  for (const record of records) builder.add(record, "subject", 0);
  return builder.take();
}

function decode(fields: readonly FieldRead[], ...records: Uint8Array[]): Decoded {
  return createMsgpackDecoder(fields).decode(payloadsOf(records));
}

/** What field `x` of type `type` reads of the packed value `value`. */
function read(type: ColumnType, value: Uint8Array, unit?: FieldRead["unit"]): unknown {
  const field: FieldRead = unit === undefined ? { name: "x", type } : { name: "x", type, unit };
  const decoded = decode([field], Buffer.concat([Buffer.from([0x81, 0xa1, 0x78]), value]));
  const [fault] = decoded.faults;
  return fault === undefined ? valueAt(decoded.columns[0]!, 0) : `${fault.reason}: ${fault.detail}`;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("values", () => {
  test.each([
    ["float64", "07", 7],
    ["float64", "e0", -32],
    ["float64", "cc ff", 255],
    ["float64", "cd ffff", 65_535],
    ["float64", "ce ffffffff", 4_294_967_295],
    ["float64", "cf 0020000000000000", 2 ** 53],
    ["float64", "d0 80", -128],
    ["float64", "d1 8000", -32_768],
    ["float64", "d2 80000000", -2_147_483_648],
    ["float64", "d3 ffe0000000000000", -(2 ** 53)],
    ["float64", "d3 ffffffffffffffff", -1],
    ["float64", "ca 3fc00000", 1.5],
    ["float64", "cb 3ff8000000000000", 1.5],
    ["float64", "c0", null],
    ["float64", "a1 31", "type: expected float64, got string"],
    ["float64", "c3", "type: expected float64, got bool"],
    ["float64", "90", "type: expected float64, got array"],
    ["float64", "80", "type: expected float64, got map"],
    ["float64", "c4 01 00", "type: expected float64, got bytes"],
    ["float64", "cb 7ff8000000000000", "type: expected float64, got NaN"],
    ["float64", "ca ff800000", "type: expected float64, got -Infinity"],
    [
      "float64",
      "cf 0020000000000001",
      "type: expected float64, got an integer beyond 2^53; declare the field int64",
    ],
    [
      "float64",
      "d3 ffdfffffffffffff",
      "type: expected float64, got an integer beyond 2^53; declare the field int64",
    ],
    ["int64", "cf 7fffffffffffffff", 2n ** 63n - 1n],
    ["int64", "d3 8000000000000000", -(2n ** 63n)],
    ["int64", "ff", -1n],
    ["int64", "cb 4270000000000000", 2n ** 40n],
    ["int64", "cf 8000000000000000", "type: expected int64, got an integer beyond 2^63 - 1"],
    ["int64", "cb 3ff8000000000000", "type: expected int64, got the float 1.5"],
    ["int64", "a1 31", "type: expected int64, got string"],
    ["bool", "c2", false],
    ["bool", "c3", true],
    ["bool", "01", "type: expected bool, got integer"],
    ["string", "a0", ""],
    ["string", "d9 02 c3a9", "é"],
    ["string", "da 0001 61", "a"],
    ["string", "db 00000001 61", "a"],
    ["string", "01", "type: expected string, got integer"],
    ["string", "c4 01 61", "type: expected string, got bytes"],
    ["string", "a1 ff", 'decode: field "x": expected a string of UTF-8, got other bytes'],
    ["time", "d6 ff 00000002", 2000],
    ["time", "d7 ff 773594000000000a", 10_500],
    ["time", "c7 0c ff 1dcd6500 ffffffffffffffff", -500],
    ["time", "cd 05dc", 1500],
    ["time", "cb 4097700000000000", 1500],
    ["time", "d6 01 00000002", "type: expected time in ms, got extension"],
    ["time", "a4 32303234", "type: expected time in ms, got string"],
    ["time", "cb 7ff8000000000000", "type: expected time in ms, got float"],
    ["json", "81 a1 61 92 cf ffffffffffffffff c0", '{"a":[18446744073709551615,null]}'],
    ["json", "a1 22", '"\\""'],
    ["json", "81 01 c2", '{"1":false}'],
    ["json", "c4 02 0102", '"AQI="'],
    ["json", "d6 ff 00000002", "2000"],
    ["json", "91 cb 7ff8000000000000", "type: expected json, got a number that is not finite"],
    ["json", "91 d4 05 00", "type: expected json, got an extension"],
  ] as const)("%s reads %s", (type, bytes, value) => {
    expect(read(type, hex(bytes))).toBe(value);
  });

  test("times in other units", () => {
    expect(read("time", packr.pack(1_700_000_000_123_456_789n), "ns")).toBe(1_700_000_000_123.4568);
    expect(read("time", packr.pack(1.005), "s")).toBe(1005);
    expect(read("time", packr.pack("2024-02-29"), "iso")).toBe(Date.UTC(2024, 1, 29));
    expect(read("time", packr.pack(1500), "iso")).toBe(
      "type: expected time as ISO 8601 text with its zone, got integer",
    );
  });

  test("what msgpackr packs of any number is that number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // msgpackr writes -0 as the integer 0.
        expect(read("float64", packr.pack(value))).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        expect(read("int64", packr.pack(value))).toBe(value);
      }),
    );
  });

  test("what msgpackr packs of any text is that text, and a text keeps its code from batch to batch", () => {
    const decoder = createMsgpackDecoder([{ name: "x", type: "string" }]);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 20 }), (texts) => {
        const decoded = decoder.decode(payloadsOf(texts.map((x) => packr.pack({ x }))));
        expect(texts.map((_, row) => valueAt(decoded.columns[0]!, row))).toEqual(texts);
        expect(new Set<number | bigint>(decoded.columns[0]!.values).size).toBe(new Set(texts).size);
      }),
    );
  });
});

describe("names", () => {
  test("a dotted name is a path, and a field of that very name wins", () => {
    const fields: FieldRead[] = [
      { name: "a.b", type: "float64" },
      { name: "a.c.d", type: "string" },
      { name: "a", type: "json" },
    ];
    const decoded = decode(
      fields,
      packr.pack({ a: { b: 1, c: { d: "deep" } } }),
      packr.pack({ "a.b": 2, a: { b: 1 } }),
      packr.pack({ a: { b: 1 }, "a.b": null }),
      packr.pack({ a: 5 }),
      packr.pack({ a: [{ b: 1 }] }),
    );
    expect(decoded.faults).toEqual([]);
    const rows = [0, 1, 2, 3, 4].map((row) => decoded.columns.map((column) => valueAt(column, row)));
    expect(rows).toEqual([
      [1, "deep", '{"b":1,"c":{"d":"deep"}}'],
      [2, null, '{"b":1}'],
      [null, null, '{"b":1}'],
      [null, null, "5"],
      [null, null, '[{"b":1}]'],
    ]);
  });

  test("of a name that stands twice nobody knows what counts, nor of what is in it", () => {
    const twice = (first: unknown, second: unknown): Uint8Array =>
      Buffer.concat([
        hex("82 a1 61"),
        Buffer.from(packr.pack(first)),
        hex("a1 61"),
        Buffer.from(packr.pack(second)),
      ]);
    const decoded = decode(
      [{ name: "a.b", type: "float64" }],
      twice({ b: 1 }, { b: 2 }),
      twice({ b: 1 }, { c: 2 }),
      twice({ b: 1 }, 5),
    );
    expect([0, 1, 2].map((row) => valueAt(decoded.columns[0]!, row))).toEqual([null, null, null]);
    const detail = "expected one value, got several of that name";
    expect(decoded.faults).toEqual([0, 1, 2].map((row) => ({ row, field: 0, reason: "type", detail })));
    // Who reads something else is not concerned.
    expect(decode([{ name: "b", type: "float64" }], twice({ b: 1 }, 5)).faults).toEqual([]);
  });

  test("names of JavaScript's own mean only themselves", () => {
    const fields = ["__proto__", "constructor", "toString"].map(
      (name): FieldRead => ({ name, type: "float64" }),
    );
    const record = Buffer.concat([hex("81 a9"), Buffer.from("__proto__"), hex("07")]);
    const decoded = decode(fields, record, hex("80"));
    expect([0, 1].map((row) => decoded.columns.map((column) => valueAt(column, row)))).toEqual([
      [7, null, null],
      [null, null, null],
    ]);
  });

  test("keys that are no text are stepped over", () => {
    expect(decode([{ name: "1", type: "float64" }], hex("83 01 02 c0 03 93010203 04")).faults).toEqual([]);
  });
});

describe("broken records", () => {
  const deep = (depth: number): Uint8Array =>
    Buffer.concat([hex("81 a1 79"), Buffer.alloc(depth, 0x91), hex("01")]);
  test.each([
    ["nothing", hex(""), "expected a map, got nothing"],
    ["an array", hex("90"), "expected a map, got array"],
    ["a byte that begins nothing", hex("c1"), "expected a map, got 0xc1"],
    [
      "such a byte inside",
      hex("81 a1 79 c1"),
      "expected MessagePack, got 0xc1, which begins no value, at byte 3",
    ],
    [
      "a value that is cut off",
      hex("81 a1 78 cb 3ff8"),
      "expected MessagePack, got the end of the payload within the value at byte 3",
    ],
    [
      "a header that is cut off",
      hex("de 00"),
      "expected MessagePack, got the end of the payload within the value at byte 0",
    ],
    [
      "an entry that is missing",
      hex("82 a1 78 01"),
      "expected MessagePack, got the end of the payload within the value at byte 1",
    ],
    ["bytes behind the map", hex("81 a1 78 01 c0 c0"), "expected one map, got 2 more bytes after it"],
    [
      "a count that is a lie",
      hex("81 a1 79 dd ffffffff"),
      "expected MessagePack, got the end of the payload within the value at byte 8",
    ],
    ["too many fields", hex("df 7fffffff"), "expected at most 10000 fields, got more"],
    ["too many levels", deep(limits.payload_depth_max), "expected at most 64 levels, got more"],
    [
      "too many bytes",
      Buffer.alloc(limits.payload_bytes_max + 1),
      "expected at most 1048576 bytes, got 1048577",
    ],
  ])("%s is a fault of the record", (_, record, detail) => {
    const decoded = decode(
      [{ name: "x", type: "float64" }],
      packr.pack({ x: 1 }),
      record,
      packr.pack({ x: 2 }),
    );
    expect(decoded.faults).toEqual([{ row: 1, field: -1, reason: "decode", detail }]);
    expect([0, 1, 2].map((row) => valueAt(decoded.columns[0]!, row))).toEqual([1, null, 2]);
  });

  test("a record with a broken field holds nulls and has no other fault", () => {
    const fields: FieldRead[] = ["a", "b", "c"].map((name) => ({
      name,
      type: name === "a" ? "float64" : "string",
    }));
    const decoded = decode(fields, hex("83 a1 61 01 a1 62 01 a1 63 a1 ff"));
    expect(decoded.faults.map(({ field, reason }) => [field, reason])).toEqual([[-1, "decode"]]);
    expect(decoded.columns.map((column) => valueAt(column, 0))).toEqual([null, null, null]);
  });

  test("as many levels as are allowed are read", () => {
    expect(decode([{ name: "x", type: "float64" }], deep(limits.payload_depth_max - 1)).faults).toEqual([]);
  });

  test("an extension that nobody reads runs nothing and costs the record nothing", () => {
    // msgpackr's own extensions: a record definition, a set, a regular expression, a reference.
    for (const extension of ["d4 72 40", "d4 73 00", "c7 01 78 00", "d6 70 00000001"]) {
      const decoded = decode([{ name: "x", type: "float64" }], hex(`82 a1 79 ${extension} a1 78 05`));
      expect(decoded.faults).toEqual([]);
      expect(valueAt(decoded.columns[0]!, 0)).toBe(5);
    }
  });
});

describe("any bytes", () => {
  const types: readonly ColumnType[] = ["float64", "int64", "bool", "string", "time", "json"];
  const fields = types.map((type): FieldRead => ({ name: type.slice(0, 1), type }));
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

  function unpacked(record: Uint8Array): unknown {
    try {
      return unpackr.unpack(record);
    } catch {
      return undefined;
    }
  }

  const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.double(),
      fc.integer(),
      fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.uint8Array({ maxLength: 4 }),
      fc.date({ noInvalidDate: true }),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 3 }), tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  const documents = fc
    .dictionary(fc.constantFrom(...fields.map((field) => field.name), "z"), values)
    .map((document) => new Uint8Array(packr.pack(new Map(Object.entries(document)))));
  const mutated = fc
    .tuple(documents, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(4))
    .map(([document, changes, cut]) => {
      const bytes = Uint8Array.from(document);
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      return bytes.subarray(0, Math.max(0, bytes.length - cut));
    });

  test("whatever msgpackr packs is accepted", () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(decode(fields, document).faults.filter((fault) => fault.reason === "decode")).toEqual([]);
      }),
    );
  });

  test("nothing is thrown, a fault leaves nulls, and what is accepted msgpackr reads alike", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (record) => {
        const decoded = decode(fields, record);
        for (const fault of decoded.faults)
          for (const [index, column] of decoded.columns.entries())
            if (fault.field === -1 || fault.field === index) expect(valueAt(column, 0)).toBeNull();
        const map = unpacked(record);
        if (!(map instanceof Map) || decoded.faults.some((fault) => fault.field === -1)) return;
        for (const [index, name] of ["f", "i", "b", "s"].entries()) {
          const value = valueAt(decoded.columns[index]!, 0);
          if (value !== null)
            expect(name === "i" ? BigInt(map.get(name)) : map.get(name)).toEqual(
              name === "f" && typeof map.get(name) === "bigint" ? BigInt(value) : value,
            );
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
