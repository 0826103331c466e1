// The functions over numbers of the function table. Meaning only: each says what it gives for values
// that are there; null in gives null, and what is not finite is null.

import type { FunctionEntry, NumberCode, Overload } from "./overload.ts";

function call(name: string, result: NumberCode["result"], finite: readonly boolean[]): NumberCode {
  return { text: (...operands) => `${name}(${operands.join(", ")})`, finite, result };
}

function one(run: (x: number) => number, code?: NumberCode): Overload {
  return { takes: ["float64"], gives: "float64", run, ...(code && { code }) };
}

/** Half away from zero, as CEL rounds; `Math.round` rounds half up. */
function round(x: number): number {
  return x < 0 ? -Math.round(-x) : Math.round(x);
}

function least(a: bigint, b: bigint): bigint {
  return b < a ? b : a;
}

function greatest(a: bigint, b: bigint): bigint {
  return b > a ? b : a;
}

const pair = { min: call("Math.min", "always", [true, true]), max: call("Math.max", "always", [true, true]) };
const clampCode: NumberCode = {
  text: (x, low, high) => `Math.min(Math.max(${x}, ${low}), ${high})`,
  finite: [true, true, true],
  result: "always",
};

const rounding: readonly FunctionEntry[] = [
  {
    name: "abs",
    kind: "function",
    summary: "The number without its sign.",
    overloads: [
      one(Math.abs, call("Math.abs", "operands", [false])),
      {
        takes: ["int64"],
        gives: "int64",
        run: (n: bigint) => (n === -9_223_372_036_854_775_808n ? null : n < 0n ? -n : n),
      },
    ],
    examples: [
      { text: "abs(x)", given: { x: -2.5 }, gives: 2.5 },
      { text: "abs(n)", given: { n: -3n }, gives: 3n },
    ],
  },
  {
    name: "floor",
    kind: "function",
    summary: "The next whole number below.",
    overloads: [one(Math.floor, call("Math.floor", "operands", [false]))],
    examples: [{ text: "floor(x)", given: { x: -1.2 }, gives: -2 }],
  },
  {
    name: "ceil",
    kind: "function",
    summary: "The next whole number above.",
    overloads: [one(Math.ceil, call("Math.ceil", "operands", [false]))],
    examples: [{ text: "ceil(x)", given: { x: 1.2 }, gives: 2 }],
  },
  {
    name: "round",
    kind: "function",
    summary: "The nearest whole number; a half is rounded away from zero.",
    overloads: [one(round)],
    examples: [
      { text: "round(x)", given: { x: -2.5 }, gives: -3 },
      { text: "round(x * 10) / 10", given: { x: 1.26 }, gives: 1.3 },
    ],
  },
];

const powers: readonly FunctionEntry[] = [
  {
    name: "sqrt",
    kind: "function",
    summary: "The square root; of a negative number, null.",
    overloads: [one(Math.sqrt, call("Math.sqrt", "operands", [false]))],
    examples: [
      { text: "sqrt(x)", given: { x: 9 }, gives: 3 },
      { text: "sqrt(x)", given: { x: -1 }, gives: null },
    ],
  },
  {
    name: "pow",
    kind: "function",
    summary: "The first number to the power of the second.",
    // Without code: Math.pow(NaN, 0) is 1, and null must stay null.
    overloads: [{ takes: ["float64", "float64"], gives: "float64", run: Math.pow }],
    examples: [
      { text: "pow(x, 2)", given: { x: 5 }, gives: 25 },
      { text: "pow(x, 0)", given: { x: null }, types: { x: "float64" }, gives: null },
    ],
  },
  {
    name: "exp",
    kind: "function",
    summary: "Euler's number to the power of x.",
    overloads: [one(Math.exp, call("Math.exp", "never", [true]))],
    examples: [
      { text: "exp(x)", given: { x: 0 }, gives: 1 },
      { text: "exp(x)", given: { x: 1000 }, gives: null },
    ],
  },
  {
    name: "log",
    kind: "function",
    summary: "The natural logarithm; of zero or less, null.",
    overloads: [one(Math.log, call("Math.log", "never", [true]))],
    examples: [
      { text: "log(x)", given: { x: 1 }, gives: 0 },
      { text: "log(x)", given: { x: 0 }, gives: null },
    ],
  },
];

const signs: readonly FunctionEntry[] = [
  {
    name: "log10",
    kind: "function",
    summary: "The logarithm to the base of ten; of zero or less, null.",
    overloads: [one(Math.log10, call("Math.log10", "never", [true]))],
    examples: [{ text: "log10(x)", given: { x: 1000 }, gives: 3 }],
  },
  {
    name: "sign",
    kind: "function",
    summary: "-1 of a negative number, 1 of a positive one, 0 of zero.",
    overloads: [
      // 0 itself, whatever sign it has.
      { takes: ["float64"], gives: "float64", run: (x: number) => (x === 0 ? 0 : Math.sign(x)) },
      { takes: ["int64"], gives: "int64", run: (n: bigint) => (n === 0n ? 0n : n < 0n ? -1n : 1n) },
    ],
    examples: [
      { text: "sign(x)", given: { x: -2.5 }, gives: -1 },
      { text: "sign(n)", given: { n: 7n }, gives: 1n },
    ],
  },
];

const bounds: readonly FunctionEntry[] = [
  {
    name: "min",
    kind: "function",
    summary: "The lesser of two values of one record. (The aggregate of the same name goes over records.)",
    overloads: [
      { takes: ["float64", "float64"], gives: "float64", run: Math.min, code: pair.min },
      { takes: ["int64", "int64"], gives: "int64", run: least },
      { takes: ["time", "time"], gives: "time", run: Math.min, code: pair.min },
    ],
    examples: [{ text: "min(a, b)", given: { a: 3, b: 2 }, gives: 2 }],
  },
  {
    name: "max",
    kind: "function",
    summary: "The greater of two values of one record. (The aggregate of the same name goes over records.)",
    overloads: [
      { takes: ["float64", "float64"], gives: "float64", run: Math.max, code: pair.max },
      { takes: ["int64", "int64"], gives: "int64", run: greatest },
      { takes: ["time", "time"], gives: "time", run: Math.max, code: pair.max },
    ],
    examples: [{ text: "max(n, 10)", given: { n: 3n }, gives: 10n }],
  },
  {
    name: "clamp",
    kind: "function",
    summary: "clamp(x, low, high): x, but no less than low and no more than high. If they cross, high holds.",
    overloads: [
      {
        takes: ["float64", "float64", "float64"],
        gives: "float64",
        run: (x: number, low: number, high: number) => Math.min(Math.max(x, low), high),
        code: clampCode,
      },
      {
        takes: ["int64", "int64", "int64"],
        gives: "int64",
        run: (n: bigint, low: bigint, high: bigint) => least(greatest(n, low), high),
      },
    ],
    examples: [{ text: "clamp(x, 0, 100)", given: { x: 120 }, gives: 100 }],
  },
];

export const numberFunctions: readonly FunctionEntry[] = [...rounding, ...powers, ...signs, ...bounds];
