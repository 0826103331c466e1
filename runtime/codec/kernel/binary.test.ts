// The kernel beside the exact readers of the binary formats: whatever records look like, whole or damaged, and however
// they follow each other, both must give the same columns and the same faults.

import * as fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { describe, expect, test } from "vitest";
import type { Decoder, FieldRead } from "../codec.ts";
import { createMsgpackDecoder } from "../msgpack/decoder.ts";
import { createProtobufDecoder } from "../protobuf/decoder.ts";
import { columnsOf, typesFor } from "../protobuf/message.ts";
import { all, oracle } from "../protobuf/protobuf.fixture.ts";
import { batchOf, plain } from "./comparison.ts";

const packr = new Packr({ useRecords: false });

interface Pair {
  readonly kernel: Decoder;
  readonly reader: Decoder;
}

function check({ kernel, reader }: Pair, payloads: readonly Uint8Array[]): void {
  const batch = batchOf(payloads);
  expect(plain(kernel.decode(batch))).toEqual(plain(reader.decode(batch)));
}

/** Some bytes changed, or the end cut off. */
function damaged(payload: Uint8Array): fc.Arbitrary<Uint8Array> {
  if (payload.length === 0) return fc.constant(payload);
  const change = fc.tuple(fc.nat(payload.length - 1), fc.nat(255));
  const changes = fc.array(change, { maxLength: 3 });
  return fc.tuple(changes, fc.integer({ min: -2, max: 2 })).map(([list, longer]) => {
    const bytes = Buffer.alloc(Math.max(payload.length + longer, 0), 1);
    Buffer.from(payload).copy(bytes);
    for (const [place, byte] of list) if (place < bytes.length) bytes[place] = byte;
    return bytes;
  });
}

/** Batches of records, most of them alike and some damaged, that a decoder gets one after the other. */
function batches(record: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array[][]> {
  const item = fc.oneof({ arbitrary: record, weight: 6 }, { arbitrary: record.chain(damaged), weight: 1 });
  return fc.array(fc.array(item, { maxLength: 12 }), { minLength: 2, maxLength: 4 });
}

const texts = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "",
    "é",
    "a\0",
    "\\",
    '"',
    "x\n",
    "device-0001",
    "sixteen-bytes-xx",
    "y".repeat(40),
  ),
  fc.string({ maxLength: 3 }),
);
const numbers = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    127,
    128,
    -32,
    -33,
    255,
    65_536,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    8.64e15,
    9e15,
  ),
  fc.double(),
  fc.integer(),
);

describe("MessagePack", () => {
  const fields: readonly FieldRead[] = [
    { name: "s", type: "string" },
    { name: "f", type: "float64" },
    { name: "i", type: "int64" },
    { name: "b", type: "bool" },
    { name: "t", type: "time", unit: "ms" },
    { name: "u", type: "time", unit: "us" },
    { name: "in.x", type: "float64" },
  ];
  const values = fc.oneof(
    { arbitrary: numbers, weight: 4 },
    { arbitrary: texts, weight: 3 },
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    fc.boolean(),
    fc.constant(null),
    fc.constant(new Date(1_500)),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(texts, fc.integer(), { maxKeys: 2 }),
  );
  const free = fc.record(
    {
      s: values,
      f: values,
      i: values,
      b: values,
      t: values,
      u: values,
      other: values,
      in: fc.record({ x: values }),
    },
    { requiredKeys: [] },
  );
  const usual = fc.record({
    s: texts,
    f: numbers,
    i: fc.bigInt(-300n, 2n ** 64n - 1n),
    b: fc.boolean(),
    t: fc.oneof(fc.nat(70_000), fc.double()),
    u: fc.oneof(fc.bigInt(0n, 2n ** 60n), fc.integer(), fc.constant(1.5)),
    other: fc.oneof(texts, numbers),
    in: fc.record({ x: fc.oneof(fc.float(), fc.integer()) }),
  });
  const floats = new Packr({ useRecords: false, useFloat32: 3 });
  const packed = fc.oneof(
    { arbitrary: usual.map((each) => packr.pack(each)), weight: 5 },
    { arbitrary: usual.map((each) => floats.pack(each)), weight: 1 },
    { arbitrary: free.map((each) => packr.pack(each)), weight: 1 },
  );

  test("the kernel reads as the reader does", () => {
    fc.assert(
      fc.property(batches(packed), (all) => {
        const pair = {
          kernel: createMsgpackDecoder(fields),
          reader: createMsgpackDecoder(fields, { kernel: false }),
        };
        for (const batch of all) check(pair, batch);
      }),
      { seed: 31, numRuns: 100 },
    );
  });

  test("and goes on doing so", () => {
    const pair = {
      kernel: createMsgpackDecoder(fields),
      reader: createMsgpackDecoder(fields, { kernel: false }),
    };
    fc.assert(
      fc.property(fc.array(packed, { maxLength: 30 }), (batch) => check(pair, batch)),
      { seed: 32, numRuns: 100 },
    );
  });

  test("texts that are as long, and differ only in zero bytes, are different", () => {
    const pair = {
      kernel: createMsgpackDecoder(fields),
      reader: createMsgpackDecoder(fields, { kernel: false }),
    };
    const record = (s: string): Uint8Array => packr.pack({ s });
    for (let round = 0; round < 3; round++)
      check(pair, ["a", "a\0", "ab", "a", "a\0\0", "", "\0"].map(record));
  });
});

describe("protobuf", () => {
  const read: readonly FieldRead[] = columnsOf(all).map(({ name, field }) => {
    const [type] = typesFor(field.scalar!);
    return { name, type: type! };
  });
  const asTimes: readonly FieldRead[] = columnsOf(all)
    .filter(({ field }) => typesFor(field.scalar!).includes("time") && field.scalar !== "string")
    .map(({ name }, place) => ({ name, type: "time", unit: (["s", "ms", "us", "ns"] as const)[place % 4]! }));
  const wide = fc
    .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 54n), fc.bigInt(-200n, 200n))
    .map(String);
  const small = fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 }));
  const natural = fc.oneof(fc.nat(0xffff_ffff), fc.nat(200));
  const record = fc.record(
    {
      d: numbers,
      f: fc.float(),
      i32: small,
      i64: wide,
      u32: natural,
      u64: wide,
      s32: small,
      s64: wide,
      f32: natural,
      f64: wide,
      sf32: small,
      sf64: wide,
      b: fc.boolean(),
      s: texts,
      mode: fc.constantFrom(0, 1, 7, 9, -1),
      od: numbers,
      os: texts,
      ob: fc.boolean(),
      left: texts,
      list: fc.array(fc.double(), { maxLength: 2 }),
      inner: fc.record({ x: numbers, y: wide, z: texts }, { requiredKeys: ["x"] }),
    },
    { requiredKeys: ["d", "s", "i64"] },
  );
  const encoded = record.map((each) => oracle.encode(oracle.fromObject(each)).finish());

  test.each([
    ["types of their own", read],
    ["times", asTimes],
    ["few of many", read.filter((_, place) => place % 5 === 0)],
  ])("the kernel reads as the reader does: %s", (_title, fields) => {
    const usual = fc.uniqueArray(encoded, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(usual, batches(encoded), ([...alike], all_) => {
        const pair = {
          kernel: createProtobufDecoder(fields, all),
          reader: createProtobufDecoder(fields, all, { kernel: false }),
        };
        for (const batch of all_)
          check(
            pair,
            batch.flatMap((each, place) => [alike[place % alike.length]!, each]),
          );
      }),
      { seed: 33, numRuns: 120 },
    );
  });

  test("values of the same form go on being read", () => {
    const fields = read;
    const pair = {
      kernel: createProtobufDecoder(fields, all),
      reader: createProtobufDecoder(fields, all, { kernel: false }),
    };
    const alike = fc.record({
      d: numbers,
      f: fc.float(),
      i32: fc.integer({ min: 128, max: 16_383 }),
      i64: fc.bigInt(2n ** 49n, 2n ** 55n).map(String),
      s64: fc.bigInt(-(2n ** 53n), 2n ** 53n).map(String),
      f64: wide,
      sf32: small,
      s: fc.constantFrom("aa", "bb", "a\0"),
      b: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(alike, { maxLength: 30 }), (records) =>
        check(
          pair,
          records.map((each) => oracle.encode(oracle.fromObject(each)).finish()),
        ),
      ),
      { seed: 34, numRuns: 100 },
    );
  });
});
