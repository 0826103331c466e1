// Mistakes: where the caret stands, what is said, and that all of them are found at once. And that no
// text, however hostile, is answered with an exception.

import fc from "fast-check";
import { expect, test } from "vitest";
import { schemaOf } from "./batch-from-rows.ts";
import { compile, fieldsOf, underlined } from "./compile.ts";
import type { ExpressionFault } from "./expression.ts";

const schema = schemaOf({
  temp: "float64",
  n: "int64",
  door: "bool",
  device: "string",
  ts: "time",
  raw: "json",
});

function faultsOf(text: string): readonly ExpressionFault[] {
  const result = compile(text, schema, { types: [] });
  return result.ok ? [] : result.faults;
}

test.each<[text: string, at: string, message: RegExp]>([
  ["tmep > 3", "tmep", /no column tmep; did you mean temp\?/],
  ["Temp > 3", "Temp", /did you mean temp\?/],
  ["velocity > 3", "velocity", /no column velocity; there is temp, n, door/],
  ["now() - ts > 5000", "now", /no function now: rows depend on records and their times alone/],
  ["ts.hour > 8", "ts.hour", /no column ts.hour; write ts.getHours\(\)$/],
  ["north", "north", /no column north; there is .*; a text stands in quotes of its own: '"north"'$/],
  ["raw.lat > 3", "raw.lat", /declare it in the schema beside raw/],
  ['strtsWith(device, "a")', "strtsWith", /did you mean startsWith\?/],
  ['device.strtsWith("a")', "strtsWith", /did you mean startsWith\?/],
  ["n > temp", "n > temp", /got int64 and float64; write double\(n\)/],
  ["n > 9 / 5", "n > 9 / 5", /write double\(n\)/],
  ['"a" + n', '"a" + n', /got string and int64; write string\(n\)$/],
  ["device + n", "device + n", /got string and int64; write int\(device\) or string\(n\)$/],
  ['n == "5"', 'n == "5"', /write 5 without quotes$/],
  ["ts.hour() > 3.0", "hour", /did you mean getHours\?/],
  ["n * 1.5", "n * 1.5", /write double\(n\)/],
  ["pow(n, 2)", "n", /pow expected float64 and float64; got int64 and int64; write double\(n\)/],
  ["ts > 1000", "ts > 1000", /write double\(ts\) for its ms since the epoch, or timestamp\(/],
  ['ts > "2026-01-01T00:00:00Z"', 'ts > "2026-01-01T00:00:00Z"', /write timestamp\("2026-01-01T00:00:00Z"\)/],
  ["device > 3", "device > 3", /got string and float64; write double\(device\) or string\(3\)/],
  ['temp == "hot"', 'temp == "hot"', /got float64 and string; write string\(temp\)$/],
  ["1 < temp < 3", "1 < temp < 3", /got bool and float64; write 1 < temp && temp < 3$/],
  ["-5 <= n * 2 <= 5", "-5 <= n * 2 <= 5", /write -5 <= n \* 2 && n \* 2 <= 5$/],
  ["raw == 3", "raw == 3", /declare the type of raw in the schema/],
  ["door + 1", "door + 1", /write double\(door\)/],
  ["temp && door", "temp", /&& expected bool, got float64; compare it, as in temp != 0/],
  ["!device", "device", /! expected bool, got string/],
  ["temp ? 1 : 2", "temp", /expected bool, got float64/],
  ['door ? 1 : "a"', '"a"', /a choice expected float64, got string/],
  ["door ? null : null", "door ? null : null", /one side/],
  ["coalesce(temp, n)", "n", /coalesce expected float64, got int64; write double\(n\)/],
  ["coalesce(temp)", "coalesce(temp)", /at least 2 arguments, got 1/],
  ["null", "null", /only understood in/],
  ["temp + null", "null", /only understood in/],
  ["has()", "has()", /expected 1 argument, got 0/],
  ["min(temp)", "min(temp)", /min expected 2 arguments, got 1/],
  ['device in ["a", 3]', "3", /in expected string as before it, got float64/],
  ["temp in [1, temp]", "temp", /literals only; write x == a \|\| x == b/],
  ["door in [true]", "door", /in expected float64, int64, time or string, got bool/],
  ["n in [1.5]", "1.5", /in expected int64/],
  ["sqrt(-1) + temp", "sqrt(-1)", /has no value/],
  ["temp > 1 / 0", "1 / 0", /has no value/],
  ['duration("soon") > temp', 'duration("soon")', /"10s"/],
  ['ts > timestamp("2026-02-30T00:00:00Z")', 'timestamp("2026-02-30T00:00:00Z")', /RFC 3339/],
  ["temp + 9007199254740993", "9007199254740993", /exactly; write 9\.007199254740992e\+15/],
  ["n + 9223372036854775808", "9223372036854775808", /does not fit int64/],
  ["device.matches(device)", "device", /literal text/],
  ['device.matches("(a+)+$")', '"(a+)+$"', /exponentially long/],
])("%s", (text, at, message) => {
  const [fault, ...others] = faultsOf(text);
  expect(others).toEqual([]);
  expect(fault?.message).toMatch(message);
  expect(text.slice(fault?.start, fault?.end)).toBe(at);
});

test("all mistakes are found at once", () => {
  const faults = faultsOf('tmep > 3 && devise == "a" || strtsWith(device, "a")');
  expect(faults.map((each) => each.start)).toEqual([0, 12, 29]);
});

test("the accepted types are asked for, with the cure", () => {
  const result = compile("temp * 2", schema, { types: ["bool"] });
  expect(result).toEqual({
    ok: false,
    faults: [{ start: 0, end: 8, message: "expected bool, got float64; compare it, as in x > 0" }],
  });
  const integer = compile("n", schema, { types: ["float64", "time"] });
  expect(!integer.ok && integer.faults[0]?.message).toBe(
    "expected float64 or time, got int64; write double(n)",
  );
});

test("a fault is underlined in its line", () => {
  const text = "temp > 3 &&\n  tmep < 2";
  expect(underlined(text, faultsOf(text)[0]!)).toBe(
    "  tmep < 2\n  ^^^^ there is no column tmep; did you mean temp?",
  );
});

test.each<[text: string, message: string]>([
  ["oil-temp > 3", "there is no column oil; the column oil-temp stands in backticks, `oil-temp`"],
  [
    "Druck (bar) > 3",
    "there is no function Druck; the column Druck (bar) stands in backticks, `Druck (bar)`",
  ],
])("a column that %s does not name is told of once", (text, message) => {
  const columns = schemaOf({ "oil-temp": "float64", "Druck (bar)": "float64" });
  const compiled = compile(text, columns, { types: ["bool"] });
  expect(!compiled.ok && compiled.faults).toEqual([expect.objectContaining({ start: 0, message })]);
});

const hostile = [
  "`${temp}`",
  "`temp`; process.exit(1)",
  "constructor",
  "__proto__",
  "toString",
  "this",
  "temp.constructor",
  "constructor.constructor('return process')()",
  "device.constructor('x')",
  "hasOwnProperty(temp)",
  "temp.__proto__.polluted",
  "temp\u2028b",
  "temp\u0000",
  "${temp}",
  "temp; process.exit(1)",
  "temp /* */ + 1",
  "(".repeat(1000) + "temp",
  `${"(".repeat(2000)}temp${")".repeat(2000)}`,
  "!".repeat(4000) + "door",
  "-".repeat(4000) + "temp",
  "[".repeat(4000),
  "temp.a".repeat(680),
  `${"door ? 1 : ".repeat(300)}2`,
  `${"temp + ".repeat(1100)}temp`,
  `temp in [${"1,".repeat(1500)}1]`,
  `min(${"1,".repeat(40)}1)`,
  "temp".repeat(10_000),
  "x".repeat(1_000_000),
  "device.map(x, x)",
  "[1, 2].exists(x, x > 1)",
  "cel.bind(x, 1, x)",
  "{'a': 1}",
  "b'abc' == device",
  "5u > temp",
  "🙂",
  "",
];

test.each(hostile.map((text) => [text.slice(0, 40), text]))("%s is refused", (_, text) => {
  const result = compile(text, schema, { types: [] });
  expect(result.ok).toBe(false);
  for (const fault of result.ok ? [] : result.faults) {
    expect(fault.start).toBeGreaterThanOrEqual(0);
    expect(fault.end).toBeLessThanOrEqual(Math.max(text.length, 1));
    expect(fault.message.length).toBeLessThan(400);
    expect(underlined(text.slice(0, 100), fault)).toContain("^");
  }
});

test("long chains that are within the limits are compiled", () => {
  const chain = Array.from({ length: 300 }, (_, i) => `n!=${i}`).join(" && ");
  expect(faultsOf(chain)).toEqual([]);
  expect(faultsOf(`${"n+".repeat(900)}n`)).toEqual([]);
  expect(faultsOf(`${"door||".repeat(600)}door`)).toEqual([]);
});

test("any text is answered, never thrown at", () => {
  const tokens = String.raw`temp n door device ts raw 1 2.5 "a" null true ( ) [ ] && || ! ? : , . + - * / % < == in has( min( .matches( timestamp( \ `;
  const token = fc.constantFrom(...tokens.split(" "));
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(token, { maxLength: 14 }).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(text, (each) => {
      const result = compile(each, schema, { types: [] });
      const fields = fieldsOf(each);
      if (result.ok) expect(fields.ok).toBe(true);
      else expect(result.faults.length).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});
