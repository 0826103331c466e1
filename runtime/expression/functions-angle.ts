// The functions over angles of the function table, which are in radians. Meaning only: null in gives null, and what is not
// finite is null.

import type { FunctionEntry, NumberCode } from "./overload.ts";

function angle(
  name: string,
  summary: string,
  run: (x: number) => number,
  { finite, result }: Pick<NumberCode, "result"> & { readonly finite: boolean },
  examples: FunctionEntry["examples"],
): FunctionEntry {
  const code: NumberCode = { text: (x) => `Math.${name}(${x})`, finite: [finite], result };
  return {
    name,
    kind: "function",
    summary,
    overloads: [{ takes: ["float64"], gives: "float64", run, code }],
    examples,
  };
}

/** Of what is finite they are finite; of an infinity NaN. */
const stays = { finite: false, result: "operands" } as const;
/** Of an infinity it is finite. */
const bounded = { finite: true, result: "always" } as const;

const turn: readonly FunctionEntry[] = [
  {
    name: "radians",
    kind: "function",
    summary: "An angle in degrees as radians.",
    overloads: [{ takes: ["float64"], gives: "float64", run: (x: number) => (x * Math.PI) / 180 }],
    examples: [{ text: "radians(x)", given: { x: 180 }, gives: Math.PI }],
  },
  {
    name: "degrees",
    kind: "function",
    summary: "An angle in radians as degrees.",
    overloads: [{ takes: ["float64"], gives: "float64", run: (x: number) => (x * 180) / Math.PI }],
    examples: [{ text: "degrees(atan2(x, 0))", given: { x: 2 }, gives: 90 }],
  },
];

export const angleFunctions: readonly FunctionEntry[] = [
  angle("sin", "The sine of an angle in radians.", Math.sin, stays, [
    { text: "sin(radians(x))", given: { x: 90 }, gives: 1 },
  ]),
  angle("cos", "The cosine of an angle in radians.", Math.cos, stays, [
    { text: "cos(x)", given: { x: 0 }, gives: 1 },
  ]),
  angle("tan", "The tangent of an angle in radians.", Math.tan, stays, [
    { text: "tan(x)", given: { x: 0 }, gives: 0 },
  ]),
  angle(
    "asin",
    "The angle with that sine, in radians; of less than -1 or more than 1, null.",
    Math.asin,
    stays,
    [
      { text: "asin(x)", given: { x: 1 }, gives: Math.PI / 2 },
      { text: "asin(x)", given: { x: 2 }, gives: null },
    ],
  ),
  angle(
    "acos",
    "The angle with that cosine, in radians; of less than -1 or more than 1, null.",
    Math.acos,
    stays,
    [{ text: "acos(x)", given: { x: 1 }, gives: 0 }],
  ),
  angle("atan", "The angle with that tangent, in radians.", Math.atan, bounded, [
    { text: "atan(x)", given: { x: 0 }, gives: 0 },
  ]),
  {
    name: "atan2",
    kind: "function",
    summary:
      "atan2(y, x): the angle from the x axis to the point (x, y), in radians, from -π to π. A mean direction is atan2(mean(sin), mean(cos)).",
    overloads: [
      {
        takes: ["float64", "float64"],
        gives: "float64",
        run: Math.atan2,
        code: { text: (y, x) => `Math.atan2(${y}, ${x})`, finite: [true, true], result: "always" },
      },
    ],
    examples: [{ text: "atan2(y, x)", given: { y: 1, x: 1 }, gives: Math.PI / 4 }],
  },
  ...turn,
];
