// What the use of a column tells about its type, where nothing else does.

import { expect, test } from "vitest";
import type { ColumnType } from "../../operators/sdk/index.ts";
import { fieldsOf } from "./compile.ts";

function demands(text: string, types: readonly ColumnType[] = []): Record<string, ColumnType | null> {
  const result = fieldsOf(text, types);
  if (!result.ok) throw new Error(result.faults[0]?.message);
  return Object.fromEntries(result.value.map((use) => [use.name, use.type]));
}

test.each<[string, Record<string, ColumnType | null>]>([
  ["temp > 30", { temp: "float64" }],
  ['device.startsWith("x")', { device: "string" }],
  ['device == "x"', { device: "string" }],
  ['"x" == device', { device: "string" }],
  ["door && !lit", { door: "bool", lit: "bool" }],
  ["door ? a : 3", { door: "bool", a: "float64" }],
  ["has(x)", { x: null }],
  ["x == null", { x: null }],
  ["a == b", { a: null, b: null }],
  ["a > b && b > 3", { a: "float64", b: "float64" }],
  ["a * b", { a: "float64", b: "float64" }],
  ["a - b", { a: "float64", b: "float64" }],
  ["a + b", { a: null, b: null }],
  ['a + "x"', { a: "string" }],
  ["-a", { a: "float64" }],
  ['ts > timestamp("2026-01-01T00:00:00Z")', { ts: "time" }],
  ['timestamp("2026-01-01T00:00:00Z") <= ts + duration("10s")', { ts: "time" }],
  ['ts - timestamp("2026-01-01T00:00:00Z") > 5', { ts: "time" }],
  ['device in ["a"]', { device: "string" }],
  ["code in [1, 2]", { code: "float64" }],
  ["coalesce(a, 0) + coalesce(b, c)", { a: "float64", b: "float64", c: "float64" }],
  ["min(a, b)", { a: "float64", b: "float64" }],
  ['min(ts, timestamp("2026-01-01T00:00:00Z"))', { ts: "time" }],
  ["abs(x) > 1", { x: "float64" }],
  ["double(x) > 1", { x: null }],
  ["size(s) > 1", { s: "string" }],
  ["position.lat > 1 && position.lon > 2", { "position.lat": "float64", "position.lon": "float64" }],
  ["n + int(x)", { n: "int64", x: null }],
])("%s", (text, expected) => {
  expect(demands(text)).toEqual(expected);
});

test("what the whole must be is told to a bare column", () => {
  expect(demands("door", ["bool"])).toEqual({ door: "bool" });
  expect(demands("x", ["float64", "int64", "time"])).toEqual({ x: "float64" });
  expect(demands("x", ["string", "float64"])).toEqual({ x: null });
});

test("every use is given, where it stands", () => {
  const text = 'temp > 30 && temp == "x"';
  const result = fieldsOf(text);
  expect(result.ok && result.value).toEqual([
    { name: "temp", type: "float64", start: 0, end: 4 },
    { name: "temp", type: "string", start: 13, end: 17 },
  ]);
});

test("a text that cannot be read is a fault", () => {
  expect(fieldsOf("temp >").ok).toBe(false);
});
