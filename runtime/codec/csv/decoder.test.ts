import { expect, test } from "vitest";
import { valueAt } from "../../../operators/sdk/index.ts";
import { PayloadBuilder, type Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { FieldRead } from "../codec.ts";
import { createCsvDecoder } from "./decoder.ts";

function payloadsOf(lines: readonly (string | Uint8Array)[]): Payloads {
  const builder = new PayloadBuilder();
  for (const line of lines) builder.add(typeof line === "string" ? Buffer.from(line) : line, "file", 0);
  return builder.take();
}

function read(field: FieldRead, cell: string): unknown {
  const decoded = createCsvDecoder([field], { header: ["x", "y"] }).decode(payloadsOf([`${cell},end`]));
  const [fault] = decoded.faults;
  return fault === undefined ? valueAt(decoded.columns[0]!, 0) : `${fault.reason}: ${fault.detail}`;
}

const fault = (expected: string): string => `type: expected ${expected}, got other text`;

test.each([
  ["float64", "1.5", 1.5],
  ["float64", "-0.25e2", -25],
  ["float64", "007", 7],
  ["float64", "", null],
  ["float64", '""', null],
  ["float64", " 1", fault("float64")],
  ["float64", "1 ", fault("float64")],
  ["float64", "1.", fault("float64")],
  ["float64", "+1", fault("float64")],
  ["float64", "0x10", fault("float64")],
  ["float64", "1e999", fault("float64")],
  ["float64", "NaN", fault("float64")],
  ["float64", "Infinity", fault("float64")],
  ["float64", '"21,5"', "type: expected float64 with a decimal point, got a number with a comma"],
  ["float64", '"-1.021,5"', "type: expected float64 with a decimal point, got a number with a comma"],
  ["float64", '"1,"', fault("float64")],
  ["int64", "9223372036854775807", 9223372036854775807n],
  ["int64", "-9223372036854775808", -9223372036854775808n],
  ["int64", "9223372036854775808", fault("int64")],
  ["int64", "1.0", fault("int64")],
  ["bool", "true", true],
  ["bool", "false", false],
  ["bool", "TRUE", fault("bool")],
  ["bool", "1", fault("bool")],
  ["string", " kept ", " kept "],
  ["string", "", null],
  ["string", '""', ""],
  ["string", '"a ""b"""', 'a "b"'],
  ["json", '"{""a"":[1]}"', '{"a":[1]}'],
  ["json", "{a}", fault("json")],
] as const)("%s reads %s", (type, cell, value) => {
  expect(read({ name: "x", type }, cell)).toBe(value);
});

test.each([
  ["ms", "1500", 1500],
  [undefined, "1500", 1500],
  ["s", "1.005", 1005],
  ["us", "1500", 1.5],
  ["ns", "1700000000123000000", 1_700_000_000_123],
  ["iso", "2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ["iso", "1500", "type: expected time as ISO 8601 text with its zone, got other text"],
  ["ms", "2024-02-29T00:00:00Z", "type: expected time in ms, got other text"],
] as const)("a time in %s reads %j as %j", (unit, cell, value) => {
  expect(
    read(unit === undefined ? { name: "x", type: "time" } : { name: "x", type: "time", unit }, cell),
  ).toBe(value);
});

test("a line that is not one record is a fault of the record, and its neighbours are read", () => {
  const decoder = createCsvDecoder(
    [
      { name: "y", type: "float64" },
      { name: "absent", type: "string" },
    ],
    { header: ["x", "y"] },
  );
  const long = `"${"x".repeat(limits.string_bytes_max + 1)}"`;
  const lines = ["a,1", "a", "a,1,2", 'a,"1', Buffer.from([0x61, 0xff, 0x2c, 0x31]), `a,${long}`, "b,2\r\n"];
  const decoded = decoder.decode(payloadsOf(lines));
  expect(decoded.faults.map(({ row, field, reason }) => [row, field, reason])).toEqual(
    [1, 2, 3, 4, 5].map((row) => [row, -1, "decode"]),
  );
  expect(decoded.faults.map((each) => each.detail).slice(0, 2)).toEqual([
    "expected 2 columns, got 1",
    "expected 2 columns, got 3",
  ]);
  expect(Array.from({ length: 7 }, (_, row) => valueAt(decoded.columns[0]!, row))).toEqual([
    1,
    ...Array<null>(5).fill(null),
    2,
  ]);
  expect(decoded.columns[1]!.valid).toEqual(new Uint8Array(7));
});

test("the two parts of a record that is cut at a line end in quotes say that it was", () => {
  const decoder = createCsvDecoder([{ name: "y", type: "float64" }], { header: ["x", "y"] });
  expect(decoder.decode(payloadsOf(['"a', 'b",1'])).faults.map(({ detail }) => detail)).toEqual([
    "expected a line of CSV, got one in which a quote is not closed",
    "expected a line of CSV, got a quote or a line end out of place",
  ]);
});

test("JSON in a cell may nest no deeper than a payload", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect(read({ name: "x", type: "json" }, nested(limits.payload_depth_max))).toBe(
    nested(limits.payload_depth_max),
  );
  expect(read({ name: "x", type: "json" }, nested(limits.payload_depth_max + 1))).toBe(fault("json"));
});
