// The examples of the function table are what the reference page promises: they must hold, in both
// back ends.

import { describe, expect, test } from "vitest";
import { type Scalar, valueAt } from "../../operators/sdk/index.ts";
import { batchFromRows, schemaOf, typesOf } from "./batch-from-rows.ts";
import { compile } from "./compile.ts";
import type { Backend } from "./expression.ts";
import { functionTable } from "./functions.ts";
import type { FunctionExample } from "./overload.ts";

function outcome(example: FunctionExample, backend: Backend): Scalar {
  const types = typesOf(example.given, example.types);
  const compiled = compile(example.text, schemaOf(types), { types: [], backend });
  if (!compiled.ok) throw new Error(compiled.faults.map((each) => each.message).join("; "));
  return valueAt(compiled.value.evaluate(batchFromRows(types, [example.given])), 0);
}

describe.each(functionTable.map((entry) => [entry.name, entry] as const))("%s", (_, entry) => {
  test.each(
    entry.examples.map(
      (example) => [example.text, JSON.stringify(example.given, textOfInteger), example] as const,
    ),
  )("%s given %s", (_text, _given, example) => {
    expect(outcome(example, "code")).toBe(example.gives);
    expect(outcome(example, "closure")).toBe(example.gives);
  });

  test("is described", () => {
    expect(entry.examples.length).toBeGreaterThan(0);
    expect(entry.summary).toMatch(/\.\)?$/);
    expect(entry.overloads.length === 0).toBe(entry.kind === "form");
    expect(entry.written !== undefined).toBe(entry.kind === "form");
  });
});

test("names are unique", () => {
  const names = functionTable.map((entry) => entry.name);
  expect(new Set(names).size).toBe(names.length);
});

function textOfInteger(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

test("the clocks of a zone are read to the minute at which they are changed", () => {
  // From 00:01 to 01:01, at 03:31 in UTC; all within one quarter of an hour.
  const rows = [30, 31, 30, 44].map((minute) => ({ ts: Date.UTC(2009, 2, 8, 3, minute) }));
  const types = { ts: "time" } as const;
  for (const backend of ["code", "closure"] as const) {
    const compiled = compile('ts.getHours("America/St_Johns")', schemaOf(types), { types: [], backend });
    if (!compiled.ok) throw new Error(compiled.faults[0]!.message);
    const column = compiled.value.evaluate(batchFromRows(types, rows));
    expect(rows.map((_, row) => valueAt(column, row))).toEqual([0, 1, 0, 1]);
  }
});

test.each<[text: string, given: FunctionExample["given"], gives: Scalar]>([
  ["timestamp(text)", { text: "2023-11-14T22:13:20.5Z" }, 1_700_000_000_500],
  ["timestamp(text)", { text: "2023-11-14T22:13:20.12+02:00" }, 1_699_992_800_120],
  ["timestamp(text)", { text: "2023-11-14T22:13:20.1234Z" }, 1_700_000_000_123.4],
  ["timestamp(text)", { text: "2023-11-14T22:13:20.123456789Z" }, 1_700_000_000_123.456_8],
  ["timestamp(text)", { text: "1969-12-31T23:59:59.9995Z" }, -0.5],
  ["timestamp(text)", { text: "2023-11-14T23:59:59.999Z" }, 1_700_006_399_999],
  ["timestamp(text)", { text: "2023-11-14T24:00:00Z" }, null],
  ["timestamp(text)", { text: "2023-11-14T22:13:20.Z" }, null],
  ["timestamp(text)", { text: "2023-11-14T22:13:20.1234567891Z" }, null],
  ["string(timestamp(x))", { x: -0.5 }, "1969-12-31T23:59:59.999Z"],
  ["string(timestamp(x))", { x: 0.5 }, "1970-01-01T00:00:00.000Z"],
  ["string(timestamp(x))", { x: 253_402_300_799_999.5 }, "9999-12-31T23:59:59.999Z"],
  ["string(timestamp(x))", { x: 253_402_300_800_000 }, null],
  ["string(timestamp(x))", { x: -62_167_219_200_000 }, "0000-01-01T00:00:00.000Z"],
  ["string(timestamp(x))", { x: -62_167_219_200_000.5 }, null],
  ["timestamp(x).getFullYear()", { x: -0.5 }, 1969],
  ["timestamp(x).getHours('Europe/Berlin')", { x: -3_600_000.5 }, 23],
  ["timestamp(x).getHours('Europe/Berlin')", { x: -1e-17 }, 0],
])("times finer than a ms: %s of %o", (text, given, gives) => {
  expect(outcome({ text, given, gives }, "code")).toBe(gives);
  expect(outcome({ text, given, gives }, "closure")).toBe(gives);
});

test.each([
  "timestamp(x).getHours()",
  "timestamp(x).getHours('Europe/Berlin')",
  "timestamp(x).getFullYear() + 1",
  "has(timestamp(x).getDate('Europe/Berlin')) ? 1.0 : null",
])("beyond the calendar no clock shows anything: %s", (text) => {
  for (const x of [8.65e15, -8.65e15, 1e300]) {
    expect(outcome({ text, given: { x }, gives: null }, "code")).toBe(null);
    expect(outcome({ text, given: { x }, gives: null }, "closure")).toBe(null);
  }
});
