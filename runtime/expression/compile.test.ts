// What expressions mean, case by case, and how the compiled ones behave towards their callers.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type ColumnType, type Expression, type Scalar, valueAt } from "../../operators/sdk/index.ts";
import { batchFromRows, type Row, schemaOf, type Types } from "./batch-from-rows.ts";
import { compile } from "./compile.ts";

const types: Types = {
  temp: "float64",
  low: "float64",
  n: "int64",
  door: "bool",
  lit: "bool",
  device: "string",
  site: "string",
  ts: "time",
  raw: "json",
  "position.lat": "float64",
};
const schema = schemaOf(types);

function compiled(
  text: string,
  wanted: readonly ColumnType[] = [],
  backend: "code" | "closure" = "code",
): Expression {
  const result = compile(text, schema, { types: wanted, backend });
  if (!result.ok) throw new Error(`${text}: ${result.faults.map((each) => each.message).join("; ")}`);
  return result.value;
}

function valueOf(text: string, row: Row): Scalar {
  const batch = batchFromRows(types, [row]);
  const values = (["code", "closure"] as const).map((backend) =>
    valueAt(compiled(text, [], backend).evaluate(batch), 0),
  );
  expect(values[0]).toBe(values[1]);
  return values[0]!;
}

test.each<[string, Row, Scalar]>([
  // Numbers
  ["1 + 2 * 3 - 4 / 2", {}, 5],
  ["9 / 5", {}, 1.8],
  ["(temp - 32) * 5 / 9", { temp: 212 }, 100],
  ["temp * -1", { temp: 0 }, -0],
  ["0x10 + temp", { temp: 1 }, 17],
  ["1e3", {}, 1000],
  ["temp / 0 > 1", { temp: 1 }, null],
  ["1 / (temp / 0)", { temp: 1 }, null],
  ["temp * 1e308 < 5", { temp: -1e10 }, null],
  ["temp * 1e308 == low * 1e308", { temp: 1e10, low: 1e10 }, null],
  ["temp * 1e308 != low", { temp: 1e10, low: 1 }, null],
  ["max(temp * 1e308, 1)", { temp: -1e10 }, null],
  ["has(temp / 0)", { temp: 1 }, false],
  ["coalesce(temp / 0, 7)", { temp: 1 }, 7],
  ["temp > 0 ? temp / 0 : 1", { temp: 1 }, null],
  ["position.lat", { "position.lat": 52.5 }, 52.5],
  // Whole numbers beside int64
  ["n == 9007199254740993", { n: 9_007_199_254_740_993n }, true],
  ["n > -9223372036854775808", { n: 0n }, true],
  ["n * n", { n: 2n ** 40n }, null],
  ["-n", { n: -(2n ** 63n) }, null],
  ["n / 0", { n: 1n }, null],
  ["n / -1", { n: -(2n ** 63n) }, null],
  ["double(n) / 2", { n: 3n }, 1.5],
  ["n * (2 + 3)", { n: 2n }, 10n],
  ["door ? n : 0", { door: false, n: 5n }, 0n],
  // Texts
  ['device + "-" + site', { device: "d", site: "s" }, "d-s"],
  ['"it\'s" + device', { device: "!" }, "it's!"],
  ["device == site", { device: "a", site: "a" }, true],
  ["device.startsWith(site)", { device: "ab", site: "a" }, true],
  ['device.lowerAscii().startsWith("boil")', { device: "BOILER" }, true],
  ['coalesce(device, "none") == "none"', { device: null }, true],
  ['!has(device) || device == "x"', { device: null }, true],
  ['device.matches("a.c")', { device: "xxabcxx" }, true],
  ["size(device) + temp", { device: "abc", temp: 1 }, 4],
  // Times
  ['ts - timestamp("1970-01-01T00:00:01Z")', { ts: 2500 }, 1500],
  ['ts + duration("1m") - duration("1s")', { ts: 0 }, 59_000],
  ['ts >= timestamp("1970-01-01T02:00:00+02:00")', { ts: 0 }, true],
  // Null
  ["temp > 30 && false", { temp: null }, false],
  ["temp > 30 || true", { temp: null }, true],
  ["temp > 30 && true", { temp: null }, null],
  ["temp > 30 || false", { temp: null }, null],
  ["!(temp > 30)", { temp: null }, null],
  ["door == lit", { door: true, lit: null }, null],
  ["temp in [1, 2]", { temp: null }, null],
  ["temp in []", { temp: 1 }, false],
  ["door ? 1 : 2", { door: null }, null],
  ["door ? null : 2", { door: true }, null],
  ["device == null", { device: null }, true],
  ["null != device", { device: "" }, true],
  ["has(raw)", { raw: null }, false],
  ["raw != null", { raw: "{}" }, true],
  ["device + site", { device: "a", site: null }, null],
])("%s given %o is %s", (text, row, expected) => {
  expect(valueOf(text, row)).toBe(expected);
});

describe("a compiled expression", () => {
  test("that is a column gives that column itself", () => {
    const batch = batchFromRows(types, [{ temp: 1 }, { temp: 2 }]);
    expect(compiled("temp").evaluate(batch)).toBe(batch.columns[0]);
  });

  test("writes its results into the same buffers again", () => {
    const expression = compiled("temp + 1");
    const batch = batchFromRows(types, [{ temp: 1 }, { temp: 2 }]);
    const first = expression.evaluate(batch);
    const second = expression.evaluate(batch);
    expect(second.values).toBe(first.values);
    expect(second.valid).toBeNull();
    expect(
      expression.evaluate(batchFromRows(types, [{ temp: 1 }, { temp: 2 }, { temp: null }])).values,
    ).toHaveLength(3);
  });

  test("forgets the nulls of the batch before", () => {
    const expression = compiled("temp + 1");
    expect(expression.evaluate(batchFromRows(types, [{ temp: null }, { temp: 1 }])).valid).toEqual(
      Uint8Array.of(0, 1),
    );
    const after = expression.evaluate(batchFromRows(types, [{ temp: 3 }, { temp: null }]));
    expect([valueAt(after, 0), valueAt(after, 1)]).toEqual([4, null]);
  });

  test("selects, in order, the selected rows that are true", () => {
    const rows = [31, null, 40, 10, 50].map((temp): Row => ({ temp }));
    const batch = batchFromRows(types, rows, [1, 2, 3, 4]);
    const out = new Uint32Array(4);
    for (const backend of ["code", "closure"] as const) {
      const count = compiled("temp > 30", ["bool"], backend).select(batch, out);
      expect([...out.subarray(0, count)]).toEqual([2, 4]);
    }
  });

  test("that is not a bool refuses to select", () => {
    expect(() => compiled("temp").select(batchFromRows(types, []), new Uint32Array(0))).toThrow("type bool");
  });

  test("holds no text of the user's in its code", () => {
    const hostile = '"); process.exit(1); ("';
    const text = `device == ${JSON.stringify(hostile)} || device == "\u2028\`\${temp}"`;
    expect(valueOf(text, { device: hostile })).toBe(true);
    expect(valueOf(text, { device: "\u2028`${temp}" })).toBe(true);
    expect(valueOf(text, { device: "x" })).toBe(false);
  });

  test("starts its dictionary anew when that has grown too large", () => {
    const expression = compiled("string(temp)");
    const sizes: number[] = [];
    for (let start = 0; start < 100_000; start += 25_000) {
      const rows = Array.from({ length: 25_000 }, (_, i): Row => ({ temp: start + i }));
      const column = expression.evaluate(batchFromRows({ temp: "float64" }, rows));
      expect(valueAt(column, 24_999)).toBe(String(start + 24_999));
      sizes.push(column.dictionary!.size);
    }
    expect(sizes).toEqual([25_000, 50_000, 75_000, 25_000]);
  });

  test("runs where code may not be made of text", () => {
    const program = `
      import { compile } from ${JSON.stringify(new URL("compile.ts", import.meta.url).href)};
      import { batchFromRows, schemaOf } from ${JSON.stringify(new URL("batch-from-rows.ts", import.meta.url).href)};
      const types = { temp: "float64" };
      const { value } = compile("temp * 2 > 30", schemaOf(types), { types: [] });
      console.log(value.select(batchFromRows(types, [{ temp: 10 }, { temp: 20 }]), new Uint32Array(2)));`;
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", program];
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    expect(execFileSync(process.execPath, flags, { cwd, encoding: "utf8" }).trim()).toBe("1");
  });
});
