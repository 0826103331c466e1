// The conversions of the function table: the only way from one type to another. A value that does not
// convert is null. Meaning only.

import { parseDuration, textOfTime } from "../../operators/sdk/index.ts";
import { fitted } from "./operators.ts";
import type { FunctionEntry } from "./overload.ts";

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const whole = /^[+-]?\d{1,19}$/;
/** `Date` also reads an hour 24, which RFC 3339 does not have. The second group is what a fraction says below a ms. */
const instant =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.(?:\d{1,2}|\d{3}(\d{0,6})))?(?:Z|[+-]\d\d:\d\d)$/;

const same = (x: number): number => x;
/** Operands as they are, so that no function is called. */
const asIs = { text: (x: string) => x, finite: [false], result: "operands" } as const;

/** RFC 3339 to ms since the epoch, with their fraction, as sources read it; NaN when it is not one, or no day of the calendar. */
function timeOf(text: string): number {
  const [, day, below] = instant.exec(text) ?? [];
  if (day === undefined) return Number.NaN;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return Number.NaN;
  // Of a fraction `Date` reads the first three digits.
  return Date.parse(text) + (below ? Number(`0.${below}`) : 0);
}

function integerOf(x: number): bigint | null {
  return fitted(BigInt(Math.trunc(x)));
}

const double: FunctionEntry = {
  name: "double",
  kind: "function",
  summary:
    "As float64. An int64 beyond 2^53 loses its last digits; a text must be a decimal number; a time gives ms.",
  overloads: [
    { takes: ["float64"], gives: "float64", run: same, code: asIs },
    { takes: ["int64"], gives: "float64", run: (n: bigint) => Number(n) },
    { takes: ["bool"], gives: "float64", run: (x: boolean) => (x ? 1 : 0) },
    { takes: ["string"], gives: "float64", run: (x: string) => (decimal.test(x) ? Number(x) : Number.NaN) },
    { takes: ["time"], gives: "float64", run: same, code: asIs },
  ],
  examples: [
    { text: "double(n) / 2", given: { n: 7n }, gives: 3.5 },
    { text: "double(reading)", given: { reading: "21.5" }, gives: 21.5 },
    { text: "double(reading)", given: { reading: "n/a" }, gives: null },
    { text: "double(door)", given: { door: true }, gives: 1 },
  ],
};

const int: FunctionEntry = {
  name: "int",
  kind: "function",
  summary: "As int64: a float64 is cut towards zero, a text must be a whole number, a time gives ms.",
  overloads: [
    { takes: ["float64"], gives: "int64", run: integerOf },
    { takes: ["int64"], gives: "int64", run: (n: bigint) => n },
    { takes: ["bool"], gives: "int64", run: (x: boolean) => (x ? 1n : 0n) },
    {
      takes: ["string"],
      gives: "int64",
      run: (x: string) => (whole.test(x) ? fitted(BigInt(x.replace("+", ""))) : null),
    },
    { takes: ["time"], gives: "int64", run: integerOf },
  ],
  examples: [
    { text: "int(x)", given: { x: -1.9 }, gives: -1n },
    { text: "int(x)", given: { x: 1e19 }, gives: null },
    { text: "int(code)", given: { code: "+42" }, gives: 42n },
  ],
};

const string: FunctionEntry = {
  name: "string",
  kind: "function",
  summary:
    "As text: numbers in their shortest form, times in RFC 3339 (UTC, ms), which has the years 0 to 9999; of others, null.",
  overloads: [
    { takes: ["float64"], gives: "string", run: (x: number) => String(x) },
    { takes: ["int64"], gives: "string", run: (n: bigint) => String(n) },
    { takes: ["bool"], gives: "string", run: (x: boolean) => String(x) },
    { takes: ["string"], gives: "string", run: (x: string) => x },
    { takes: ["time"], gives: "string", run: textOfTime },
  ],
  examples: [
    { text: "string(x)", given: { x: 1.5 }, gives: "1.5" },
    { text: "string(ts)", given: { ts: 0 }, types: { ts: "time" }, gives: "1970-01-01T00:00:00.000Z" },
  ],
};

const timestamp: FunctionEntry = {
  name: "timestamp",
  kind: "function",
  summary: "A time, from a text in RFC 3339 or from ms since the epoch.",
  overloads: [
    { takes: ["string"], gives: "time", run: timeOf },
    { takes: ["float64"], gives: "time", run: same, code: asIs },
  ],
  examples: [
    { text: 'timestamp("2026-01-01T00:00:00Z")', given: {}, gives: 1_767_225_600_000 },
    { text: "timestamp(text)", given: { text: "2026-02-30T00:00:00Z" }, gives: null },
    { text: "timestamp(x)", given: { x: 5 }, gives: 5 },
  ],
};

const duration: FunctionEntry = {
  name: "duration",
  kind: "function",
  summary: "The milliseconds of a length of time with its unit: 500ms, 10s, 1m30s, 2h, 1d.",
  overloads: [
    { takes: ["string"], gives: "float64", run: (text: string) => parseDuration(text) ?? Number.NaN },
  ],
  examples: [
    { text: 'duration("1m30s")', given: {}, gives: 90_000 },
    { text: "duration(text)", given: { text: "soon" }, gives: null },
  ],
};

export const conversions: readonly FunctionEntry[] = [double, int, string, timestamp, duration];
