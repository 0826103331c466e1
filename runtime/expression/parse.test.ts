// What is read, where it stands, and what the usual slips are answered with.

import { expect, test } from "vitest";
import { parse } from "./parse.ts";
import type { Syntax } from "./syntax.ts";

function read(text: string): Syntax {
  const result = parse(text);
  if (!result.ok) throw new Error(result.faults[0]?.message);
  return result.value;
}

test("a dotted chain is one name", () => {
  expect(read("a.b.c")).toEqual({ kind: "name", name: "a.b.c", start: 0, end: 5 });
});

test.each<[text: string, name: string, start: number, end: number]>([
  ["`oil-temp`", "oil-temp", 0, 10],
  ["1 + `loop`", "loop", 4, 10],
  ["state.`oil-temp`", "state.oil-temp", 0, 16],
  ["`state.oil-temp`", "state.oil-temp", 0, 16],
  ["`Druck (bar)` + 1", "Druck (bar)", 0, 13],
  ['`a"b//c` + 1', 'a"b//c', 0, 8],
  ["'`' == `x`", "x", 7, 10],
  ["r'\\'`' == `x`", "x", 10, 13],
  ["1 + // it`s\n `x`", "x", 13, 16],
])("%s names the column %s", (text, name, start, end) => {
  const syntax = read(text);
  const parts = syntax.kind === "binary" ? [syntax.left, syntax.right] : [syntax];
  expect(parts).toContainEqual({ kind: "name", name, start, end });
});

test("x.f(y) is f(x, y), and its name is where it is written", () => {
  const call = read('a.b.matches("x")');
  expect(call).toMatchObject({
    kind: "call",
    name: "matches",
    callee: { start: 4, end: 11 },
    start: 0,
    end: 16,
  });
  expect(call.kind === "call" && call.args.map((each) => each.kind)).toEqual(["name", "text"]);
});

test("whole numbers keep their exact value, and a minus belongs to them", () => {
  expect(read("-9223372036854775808")).toMatchObject({
    kind: "number",
    integer: -(2n ** 63n),
    start: 0,
    end: 20,
  });
  expect(read("2.0")).toMatchObject({ kind: "number", value: 2, integer: null });
  expect(read("-x")).toMatchObject({ kind: "negate", operand: { kind: "name" } });
});

test("precedence is CEL's", () => {
  expect(read("a + b * c > d && !e || f")).toMatchObject({
    kind: "logic",
    operator: "||",
    left: {
      operator: "&&",
      left: { operator: ">", left: { operator: "+", right: { operator: "*" } } },
      right: { kind: "not" },
    },
  });
});

test("escapes and raw texts are read", () => {
  expect(read(String.raw`"a\"\u00e9\n"`)).toMatchObject({ kind: "text", value: 'a"é\n' });
  expect(read(String.raw`r"\d+"`)).toMatchObject({ kind: "text", value: String.raw`\d+` });
});

test.each<[text: string, start: number, end: number, message: string]>([
  ["a = 1", 2, 3, 'unexpected "="; write == to compare'],
  ["a and b", 2, 5, 'unexpected "and"; write && for and'],
  ["a or b", 2, 4, 'unexpected "or"; write || for or'],
  ["not a", 4, 5, 'unexpected "a"; write ! for not'],
  ["a <> b", 3, 4, 'unexpected ">"; write != for not equal'],
  ["a + 5s", 5, 6, 'unexpected "s"; write duration("5s"), which is its milliseconds'],
  ["a > 1h", 5, 6, 'unexpected "h"; write duration("1h"), which is its milliseconds'],
  ["count(*)", 6, 7, 'unexpected "*"; count() counts the records'],
  ["a & b", 2, 3, 'unexpected "&"; write && for and, bitAnd(x, y) for bits'],
  ["NOT a", 4, 5, 'unexpected "a"; write ! for not'],
  ["a between 1 and 2", 2, 9, 'unexpected "between"; write x >= low && x <= high'],
  ["a is not null", 2, 4, 'unexpected "is"; write == to compare, as in x == null'],
  ["a ^ 2", 2, 3, 'unexpected "^"; write pow(x, y)'],
  ["(a", 2, 2, "expected ), got the end"],
  ["a >", 3, 3, "expected a name, a number or a text, got the end"],
  ["a == \u201crun\u201d", 5, 6, `unexpected "\u201c"; write " or ' around texts`],
  ["", 0, 0, "expected an expression, got nothing"],
  ["loop", 0, 4, '"loop" is a reserved word; a column of that name stands in backticks, `loop`'],
  ["x > return", 4, 10, '"return" is a reserved word; a column of that name stands in backticks, `return`'],
  ["Ölstand > 3", 0, 1, 'unexpected "Ö"; a name with other letters than A to Z stands in backticks'],
  ["2nd > 3", 1, 3, 'unexpected "nd"; a name that begins with a digit stands in backticks'],
  ["too warm", 4, 8, `unexpected "warm"; a text stands in quotes of its own: '"too warm"'`],
  ["°C", 0, 1, `unexpected "°"; a text stands in quotes of its own: '"°C"'`],
  ["a + `oil-temp", 4, 13, "expected a ` behind the name"],
  ["``", 0, 2, "expected a name between the `"],
  ["`abs`(a)", 0, 5, "a name in backticks is a column; a function is called without them"],
  ["if(a, 1, 2)", 0, 2, '"if" is a reserved word; write condition ? x : y'],
  ["a in (1,2)", 7, 8, 'expected ), got ","; a list stands in brackets, as in device in ["a", "b"]'],
  ['a in ("b", "c")', 9, 10, 'expected ), got ","; a list stands in brackets, as in device in ["a", "b"]'],
  ["a + (1,5)", 6, 7, 'expected ), got ","; write decimals with a point'],
  ["'abc", 0, 4, "unterminated string"],
  ["a in b", 5, 6, 'expected a list after in, as in device in ["a", "b"]'],
  ["[1, 2]", 0, 6, "a list is only understood after in, as in x in [1, 2]"],
  [
    "a[0]",
    0,
    4,
    "indexing is not supported; a nested field is named with dots, as in position.lat, and a step unnest makes a row of each element of a list",
  ],
  ["5u", 0, 2, "unsigned numbers are not supported; leave the u away"],
  ["f(x).y", 0, 6, ".y needs a column before it, as in position.y"],
  ["1e400", 0, 5, "this number is beyond what float64 holds (1.8e308)"],
])("%s", (text, start, end, message) => {
  expect(parse(text)).toEqual({ ok: false, faults: [{ start, end, message }] });
});

test.each([
  ["-(2 * mean(x))", "-(2 * mean(x))"],
  ["!((a || b))", "!((a || b))"],
  ["(a + b) * (c - d)", "(a + b) * (c - d)"],
  ["((a)) + 1", "((a)) + 1"],
  ["1 + -(2 * (a + b))", "1 + -(2 * (a + b))"],
  ["(a) ? b : (c)", "(a) ? b : (c)"],
  ["(a) ? (b) : c", "(a) ? (b) : c"],
  ["(a && (b))", "a && (b)"],
  ["a + ')' + (b)", "a + ')' + (b)"],
])("all of %s is underlined: %s", (text, underlined) => {
  const parsed = parse(text);
  expect(parsed.ok).toBe(true);
  if (parsed.ok) expect(text.slice(parsed.value.start, parsed.value.end)).toBe(underlined);
});
