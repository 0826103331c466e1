// Lists, maps and bytes of protobuf as JSON: what protobufjs wrote reads as protobufjs reads it, and hostile bytes are faults.

import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { valueAt } from "../../../operators/sdk/index.ts";
import { limits } from "../../limits.ts";
import type { FieldRead } from "../codec.ts";
import { createProtobufDecoder } from "./decoder.ts";
import { messageOf, payloadsOf } from "./protobuf.fixture.ts";

const text = `syntax = "proto3";
package test;
enum Mode { IDLE = 0; RUNNING = 1; }
message Metric {
  optional string name = 1; uint64 alias = 2; double value = 3; Mode mode = 4; bytes raw = 5; Site site = 6;
  repeated sint32 few = 7; map<string, Site> sites = 8; Metric inside = 9; optional bool is_null = 10;
}
message Site { string city = 1; repeated string rooms = 2; }
message All {
  int64 ts = 1; repeated Metric metrics = 2; repeated double doubles = 3; repeated string texts = 4;
  repeated Mode modes = 5; repeated uint64 longs = 6; map<int32, double> levels = 7; map<string, Metric> named = 8;
  bytes raw = 9; optional bytes maybe = 10; Site site = 11; repeated fixed32 fixed = 12; repeated bool flags = 13;
  repeated bytes blobs = 14;
}`;
const message = messageOf(text, "test.All");
const root = protobuf.parse(text, { keepCase: true }).root;
root.resolveAll();
const oracle = root.lookupType("test.All");

const json = "metrics doubles texts modes longs levels named raw maybe site.rooms fixed flags blobs".split(
  " ",
);
const fields: readonly FieldRead[] = [
  ...json.slice(0, 3).map((name) => ({ name, type: "json" as const })),
  { name: "ts", type: "time" },
  ...json.slice(3).map((name) => ({ name, type: "json" as const })),
  { name: "site.city", type: "string" },
];

/** Values by field of each record, those of JSON parsed. */
function valuesOf(records: readonly Uint8Array[]): { rows: unknown[]; faults: unknown } {
  const { columns, faults, rows } = createProtobufDecoder(fields, message).decode(payloadsOf(records));
  const valueIn = (row: number, place: number): unknown => {
    const value = valueAt(columns[place]!, row);
    return fields[place]!.type === "json" && value !== null
      ? (JSON.parse(value as string) as unknown)
      : value;
  };
  return {
    rows: Array.from({ length: rows }, (_, row) =>
      Object.fromEntries(fields.map(({ name }, place) => [name, valueIn(row, place)])),
    ),
    faults: faults.map(({ row, field, reason }) => [row, fields[field]?.name ?? null, reason]),
  };
}

const word = fc.string({ unit: "grapheme", maxLength: 5 });
const bytes = fc.uint8Array({ maxLength: 5 });
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
const long = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 4 });
const mode = fc.constantFrom(0, 1);
const site = fc.record({ city: word, rooms: some(word) });
const metric = fc.record(
  {
    name: word,
    alias: long,
    value: double,
    mode,
    raw: bytes,
    site,
    few: some(fc.integer()),
    sites: fc.dictionary(word, site, { maxKeys: 2, noNullPrototype: true }),
    is_null: fc.boolean(),
  },
  { requiredKeys: ["alias", "value", "mode", "raw", "few", "sites"], noNullPrototype: true },
);
const record = fc.record({
  ts: long.map((n) => n % 8e15),
  metrics: some(metric),
  doubles: some(double),
  texts: some(word),
  modes: some(mode),
  longs: some(long),
  levels: fc.dictionary(fc.integer().map(String), double, { maxKeys: 3, noNullPrototype: true }),
  named: fc.dictionary(word, metric, { maxKeys: 2, noNullPrototype: true }),
  raw: bytes,
  site,
  fixed: some(fc.nat()),
  flags: some(fc.boolean()),
  blobs: some(bytes),
});

test("what protobufjs writes reads as protobufjs reads it", () => {
  fc.assert(
    fc.property(some(record), (records) => {
      const payloads = records.map((each) => oracle.encode(oracle.fromObject(each)).finish());
      const expected = payloads.map((payload) => {
        const read = oracle.toObject(oracle.decode(payload), {
          longs: Number,
          enums: String,
          bytes: String,
          arrays: true,
          objects: true,
          defaults: false,
        });
        const withDefaults = (each: Record<string, unknown>): unknown => ({
          alias: 0,
          value: 0,
          mode: "IDLE",
          raw: "",
          few: [],
          ...each,
          ...(each["site"] === undefined
            ? {}
            : { site: { city: "", rooms: [], ...(each["site"] as object) } }),
          sites: mapped((each["sites"] as object | undefined) ?? {}, (inner) => ({
            city: "",
            rooms: [],
            ...(inner as object),
          })),
        });
        const all = read as Readonly<Record<string, unknown>>;
        return {
          ...Object.fromEntries(
            ["doubles", "texts", "modes", "longs", "levels", "fixed", "flags", "blobs"].map((name) => [
              name,
              all[name],
            ]),
          ),
          metrics: (all["metrics"] as Record<string, unknown>[]).map(withDefaults),
          named: mapped(all["named"] as object, (each) => withDefaults(each as Record<string, unknown>)),
          raw: all["raw"] ?? "",
          maybe: null,
          ts: all["ts"] ?? 0,
          "site.rooms": (all["site"] as { rooms?: unknown } | undefined)?.rooms ?? [],
          "site.city": (all["site"] as { city?: unknown } | undefined)?.city ?? "",
        };
      });
      expect(valuesOf(payloads)).toEqual({ rows: expected, faults: [] });
    }),
    { numRuns: 300 },
  );
});

function mapped(of: object, each: (value: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, each(value)]));
}

/** The values of one record. */
function read(...bytes: number[]): Record<string, unknown> {
  return valuesOf([Uint8Array.from(bytes)]).rows[0] as Record<string, unknown>;
}

describe("a record", () => {
  test("with nothing in it has empty lists, and null where a message, or single bytes, are not there", () => {
    expect(read()).toMatchObject({
      metrics: [],
      doubles: [],
      levels: {},
      raw: "",
      maybe: null,
      "site.rooms": null,
    });
    expect(read(0x52, 0)).toMatchObject({ maybe: "" });
  });

  test("has a list packed, not packed, and in parts", () => {
    expect(read(0x32, 3, 1, 2, 3, 0x30, 4, 0x32, 1, 5)).toMatchObject({ longs: [1, 2, 3, 4, 5] });
    expect(read(0x28, 1, 0x28, 9)).toMatchObject({ modes: ["RUNNING", "9"] });
  });

  test("keeps all digits of 64 bits", () => {
    const { columns } = createProtobufDecoder([{ name: "longs", type: "json" }], message).decode(
      payloadsOf([Uint8Array.from([0x30, ...Array<number>(9).fill(0xff), 1])]),
    );
    expect(valueAt(columns[0]!, 0)).toBe("[18446744073709551615]");
  });

  test("has no value where a number is none, and merges a message that comes twice", () => {
    expect(read(0x1a, 8, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)).toMatchObject({ doubles: [null] });
    expect(read(0x12, 8, 0x32, 2, 0x0a, 0, 0x32, 2, 0x12, 0)).toMatchObject({
      metrics: [{ site: { rooms: [""] } }],
    });
  });

  test("may have a message inside itself, which stays unread", () => {
    expect(read(0x12, 4, 0x4a, 2, 0x10, 1)).toMatchObject({
      metrics: [expect.not.objectContaining({ inside: expect.anything() })],
    });
  });
});

describe("what is no such field is a fault of it alone", () => {
  test.each([
    ["a metric that ends too soon", [0x12, 2, 0x0a, 5], "metrics"],
    ["a number in place of a metric", [0x10, 5], "metrics"],
    ["a name of other bytes", [0x12, 3, 0x0a, 1, 0xff], "metrics"],
    ["a text in place of a number", [0x12, 2, 0x12, 0], "metrics"],
    ["a field 0 inside", [0x12, 2, 0, 0], "metrics"],
    ["a text of other bytes", [0x22, 1, 0xff], "texts"],
    ["half a double", [0x1a, 4, 0, 0, 0, 0], "doubles"],
    ["a map entry that is a number", [0x38, 1], "levels"],
    ["a varint without end", [0x32, 2, 0x80, 0x80], "longs"],
    ["a group without end inside", [0x12, 1, 0x0b], "metrics"],
  ])("%s", (_what, bytes, field) => {
    const { rows, faults } = valuesOf([Uint8Array.from([8, 5, ...bytes])]);
    expect(faults).toEqual([[0, field, "type"]]);
    expect(rows).toMatchObject([{ ts: 5, [field]: null, raw: "" }]);
  });

  test("a few bytes that stand for very many", () => {
    const bomb = Buffer.alloc(400_000).fill(Buffer.from([0x12, 0]));
    const { columns, faults } = createProtobufDecoder([{ name: "metrics", type: "json" }], message).decode(
      payloadsOf([bomb]),
    );
    expect(faults).toEqual([
      {
        row: 0,
        field: 0,
        reason: "type",
        detail: `expected at most ${limits.proto_json_text_max} characters of JSON`,
      },
    ]);
    expect(valueAt(columns[0]!, 0)).toBeNull();
  });
});

test("any bytes are values or faults, and never thrown", () => {
  const decoder = createProtobufDecoder(fields, message);
  const near = fc
    .tuple(record, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([each, edits]) => {
      const payload = oracle.encode(oracle.fromObject(each)).finish();
      for (const [at, byte] of edits) if (payload.length > 0) payload[at % payload.length] = byte;
      return payload;
    });
  fc.assert(
    fc.property(some(fc.oneof(near, fc.uint8Array({ maxLength: 40 }))), (payloads) => {
      const { columns, faults, rows } = decoder.decode(payloadsOf(payloads));
      expect(rows).toBe(payloads.length);
      for (const [place, column] of columns.entries())
        for (let row = 0; row < rows; row++) {
          const value = valueAt(column, row);
          if (fields[place]!.type === "json" && value !== null) JSON.parse(value as string);
        }
      for (const { detail } of faults) expect(detail).not.toBe("");
    }),
    { numRuns: 1_000 },
  );
});
