// The operators of the function table. int64 stays exact: what does not fit is null, and division
// cuts towards zero as in CEL. Comparison wants equal types. Meaning only; precedence is the parser's.

import { limits } from "../limits.ts";
import type { FunctionEntry, NumberCode, Overload } from "./overload.ts";

/** The integer if it fits 64 bits, else null. */
export function fitted(integer: bigint): bigint | null {
  return BigInt.asIntN(64, integer) === integer ? integer : null;
}

function infix(operator: string, result: NumberCode["result"], finite: readonly boolean[]): NumberCode {
  return { text: (left, right) => `(${left} ${operator} ${right})`, finite, result };
}

// An infinity stays one (or turns to NaN) under + - *, so that it need only be looked for at the end.
const plus = infix("+", "never", [false, false]);
const minus = infix("-", "never", [false, false]);
const times = infix("*", "never", [false, false]);
// x / infinity would be 0, and x % infinity would be x.
const by = infix("/", "never", [false, true]);
const remainder = infix("%", "always", [false, true]);
const negative: NumberCode = { text: (operand) => `(-${operand})`, finite: [false], result: "operands" };

const addNumbers = (a: number, b: number): number => a + b;
const subtractNumbers = (a: number, b: number): number => a - b;

const add: FunctionEntry = {
  name: "+",
  kind: "operator",
  summary: "Adds two numbers, moves a time by milliseconds, or joins two texts.",
  overloads: [
    { takes: ["float64", "float64"], gives: "float64", run: addNumbers, code: plus },
    { takes: ["int64", "int64"], gives: "int64", run: (a: bigint, b: bigint) => fitted(a + b) },
    { takes: ["time", "float64"], gives: "time", run: addNumbers, code: plus },
    { takes: ["float64", "time"], gives: "time", run: addNumbers, code: plus },
    {
      takes: ["string", "string"],
      gives: "string",
      run: (a: string, b: string) => (a.length + b.length > limits.string_bytes_max ? null : a + b),
    },
  ],
  examples: [
    { text: "temp + 32", given: { temp: 1.5 }, gives: 33.5 },
    { text: "n + 1", given: { n: 9_007_199_254_740_993n }, gives: 9_007_199_254_740_994n },
    { text: "n + 1", given: { n: 9_223_372_036_854_775_807n }, gives: null },
    { text: 'ts + duration("10s")', given: { ts: 1000 }, types: { ts: "time" }, gives: 11_000 },
    { text: 'site + "/" + device', given: { site: "a", device: "b" }, gives: "a/b" },
    { text: "temp + 1", given: { temp: null }, types: { temp: "float64" }, gives: null },
  ],
};

const subtract: FunctionEntry = {
  name: "-",
  kind: "operator",
  summary: "Subtracts; two times give the milliseconds between them.",
  overloads: [
    { takes: ["float64", "float64"], gives: "float64", run: subtractNumbers, code: minus },
    { takes: ["int64", "int64"], gives: "int64", run: (a: bigint, b: bigint) => fitted(a - b) },
    { takes: ["time", "time"], gives: "float64", run: subtractNumbers, code: minus },
    { takes: ["time", "float64"], gives: "time", run: subtractNumbers, code: minus },
  ],
  examples: [
    { text: "high - low", given: { high: 5, low: 1.5 }, gives: 3.5 },
    {
      text: "done - begun",
      given: { done: 2500, begun: 1000 },
      types: { done: "time", begun: "time" },
      gives: 1500,
    },
  ],
};

const multiply: FunctionEntry = {
  name: "*",
  kind: "operator",
  summary: "Multiplies.",
  overloads: [
    { takes: ["float64", "float64"], gives: "float64", run: (a: number, b: number) => a * b, code: times },
    { takes: ["int64", "int64"], gives: "int64", run: (a: bigint, b: bigint) => fitted(a * b) },
  ],
  examples: [
    { text: "temp * 1.8 + 32", given: { temp: 10 }, gives: 50 },
    { text: "x * x", given: { x: 1e200 }, gives: null },
  ],
};

const divide: FunctionEntry = {
  name: "/",
  kind: "operator",
  summary:
    "Divides; by zero is null. Two int64 give an int64, cut towards zero; write double(n) / 2 for a fraction. A whole number that is written in an expression is an int64 beside one, else a float64 (unlike in CEL): 7 / 2 is 3.5.",
  overloads: [
    { takes: ["float64", "float64"], gives: "float64", run: (a: number, b: number) => a / b, code: by },
    {
      takes: ["int64", "int64"],
      gives: "int64",
      run: (a: bigint, b: bigint) => (b === 0n ? null : fitted(a / b)),
    },
  ],
  examples: [
    { text: "x / 5", given: { x: 9 }, gives: 1.8 },
    { text: "x / y", given: { x: 1, y: 0 }, gives: null },
    { text: "n / 2", given: { n: -7n }, gives: -3n },
    { text: "7 / 2", given: {}, gives: 3.5 },
  ],
};

const modulo: FunctionEntry = {
  name: "%",
  kind: "operator",
  summary: "The remainder, with the sign of the left side; by zero is null.",
  overloads: [
    {
      takes: ["float64", "float64"],
      gives: "float64",
      run: (a: number, b: number) => a % b,
      code: remainder,
    },
    { takes: ["int64", "int64"], gives: "int64", run: (a: bigint, b: bigint) => (b === 0n ? null : a % b) },
  ],
  examples: [
    { text: "x % 3", given: { x: -7 }, gives: -1 },
    { text: "n % 3", given: { n: 7n }, gives: 1n },
  ],
};

/** `-x`; not among the written names, since `-` is the subtraction. */
const negate: FunctionEntry = {
  name: "-x",
  kind: "operator",
  summary: "The number with the other sign.",
  overloads: [
    { takes: ["float64"], gives: "float64", run: (a: number) => -a, code: negative },
    { takes: ["int64"], gives: "int64", run: (a: bigint) => fitted(-a) },
  ],
  examples: [{ text: "-temp", given: { temp: 4 }, gives: -4 }],
};

type Ordered = number & bigint & string;

function comparison(
  name: string,
  summary: string,
  run: (a: Ordered, b: Ordered) => boolean,
  withBool: boolean,
  examples: FunctionEntry["examples"],
): FunctionEntry {
  const types = ["float64", "int64", "time", "string", ...(withBool ? (["bool"] as const) : [])] as const;
  const overloads = types.map((type): Overload => ({ takes: [type, type], gives: "bool", run }));
  return { name, kind: "operator", summary, overloads, examples };
}

const comparisons: readonly FunctionEntry[] = [
  comparison("==", "Equal. x == null is !has(x).", (a, b) => a === b, true, [
    { text: 'device == "boiler-1"', given: { device: "boiler-1" }, gives: true },
    { text: "n == 9007199254740993", given: { n: 9_007_199_254_740_992n }, gives: false },
    { text: "temp == 1", given: { temp: null }, types: { temp: "float64" }, gives: null },
    { text: "temp == null", given: { temp: null }, types: { temp: "float64" }, gives: true },
  ]),
  comparison("!=", "Not equal. x != null is has(x).", (a, b) => a !== b, true, [
    { text: "door != true", given: { door: false }, gives: true },
  ]),
  comparison("<", "Less; texts by their UTF-16 units.", (a, b) => a < b, false, [
    { text: "temp < 30", given: { temp: 29.5 }, gives: true },
    { text: 'device < "b"', given: { device: "a" }, gives: true },
  ]),
  comparison("<=", "Less or equal.", (a, b) => a <= b, false, [
    { text: "temp <= 30", given: { temp: 30 }, gives: true },
  ]),
  comparison(">", "Greater.", (a, b) => a > b, false, [
    { text: "n > -5", given: { n: -5n }, gives: false },
    {
      text: 'ts > timestamp("2026-01-01T00:00:00Z")',
      given: { ts: 1_767_225_600_001 },
      types: { ts: "time" },
      gives: true,
    },
  ]),
  comparison(">=", "Greater or equal.", (a, b) => a >= b, false, [
    { text: "temp >= 30", given: { temp: 30 }, gives: true },
  ]),
];

export const operators: readonly FunctionEntry[] = [
  add,
  subtract,
  multiply,
  divide,
  modulo,
  negate,
  ...comparisons,
];
