// The function table: everything that can be written in an expression. The checker, both back ends,
// inference, the tests and the reference page read it; nothing is described twice.

import { angleFunctions } from "./functions-angle.ts";
import { bitFunctions } from "./functions-bit.ts";
import { conversions } from "./functions-conversion.ts";
import { numberFunctions } from "./functions-number.ts";
import { textFunctions } from "./functions-text.ts";
import { timeFunctions } from "./functions-time.ts";
import { operators } from "./operators.ts";
import type { FunctionEntry } from "./overload.ts";

/** Parts of the language: the checker knows them by name, since null or their arguments are special in them. */
const forms: readonly FunctionEntry[] = [
  {
    name: "`x`",
    kind: "form",
    written: "`x`",
    summary:
      "A column whose name is not of letters A to Z, digits and _, or is a word that expressions reserve, such as loop, return or function. Settings that name columns, as `by` and `value`, take it as it is.",
    overloads: [],
    examples: [
      { text: "`oil-temp` > 80", given: { "oil-temp": 81 }, gives: true },
      { text: "`Druck (bar)` + `loop`", given: { "Druck (bar)": 1, loop: 2 }, gives: 3 },
      { text: "state.`oil-temp`", given: { "state.oil-temp": 4 }, gives: 4 },
    ],
  },
  {
    name: "has",
    kind: "form",
    written: "has(x)",
    summary: "Whether x is not null. Never null itself; the only thing that can be asked of a json column.",
    overloads: [],
    examples: [
      { text: "has(temp)", given: { temp: null }, types: { temp: "float64" }, gives: false },
      { text: "has(temp)", given: { temp: 0 }, gives: true },
    ],
  },
  {
    name: "coalesce",
    kind: "form",
    written: "coalesce(x, y, …)",
    summary: "The first that is not null. All are of one type.",
    overloads: [],
    examples: [
      { text: "coalesce(temp, 0)", given: { temp: null }, types: { temp: "float64" }, gives: 0 },
      { text: "coalesce(temp, 0)", given: { temp: 4 }, gives: 4 },
    ],
  },
  {
    name: "in",
    kind: "form",
    written: "x in [a, b, …]",
    summary: "Whether x is one of a list of literals.",
    overloads: [],
    examples: [
      { text: 'device in ["a", "b"]', given: { device: "b" }, gives: true },
      { text: "n in [1, 2]", given: { n: 3n }, gives: false },
      { text: "temp in [1, 2]", given: { temp: null }, types: { temp: "float64" }, gives: null },
    ],
  },
  {
    name: "&&",
    kind: "form",
    written: "x && y",
    summary: "Both are true. False beside null is false; true beside null is null.",
    overloads: [],
    examples: [
      {
        text: "temp > 30 && door",
        given: { temp: null, door: false },
        types: { temp: "float64" },
        gives: false,
      },
      {
        text: "temp > 30 && door",
        given: { temp: null, door: true },
        types: { temp: "float64" },
        gives: null,
      },
    ],
  },
  {
    name: "||",
    kind: "form",
    written: "x || y",
    summary: "One of both is true. True beside null is true; false beside null is null.",
    overloads: [],
    examples: [
      {
        text: "temp > 30 || door",
        given: { temp: null, door: true },
        types: { temp: "float64" },
        gives: true,
      },
      {
        text: "temp > 30 || door",
        given: { temp: null, door: false },
        types: { temp: "float64" },
        gives: null,
      },
    ],
  },
  {
    name: "!",
    kind: "form",
    written: "!x",
    summary: "The opposite; of null, null.",
    overloads: [],
    examples: [{ text: "!door", given: { door: true }, gives: false }],
  },
  {
    name: "?:",
    kind: "form",
    written: "condition ? x : y",
    summary:
      "x where the condition is true, y where it is false, null where it is null. Both are of one type, or null.",
    overloads: [],
    examples: [
      { text: 'temp > 30 ? "hot" : "fine"', given: { temp: 31 }, gives: "hot" },
      { text: "temp > 30 ? temp : null", given: { temp: 1 }, gives: null },
    ],
  },
];

export const functionTable: readonly FunctionEntry[] = [
  ...operators,
  ...forms,
  ...numberFunctions,
  ...angleFunctions,
  ...bitFunctions,
  ...textFunctions,
  ...timeFunctions,
  ...conversions,
];

const byName: ReadonlyMap<string, FunctionEntry> = new Map(functionTable.map((entry) => [entry.name, entry]));

/** Words that can be written before a parenthesis. */
export const callable: ReadonlyMap<string, FunctionEntry> = new Map(
  functionTable
    .filter((entry) => /^[a-z]\w+$/i.test(entry.name) && entry.name !== "in")
    .map((entry) => [entry.name, entry]),
);

/** An operator of the table, by its name there. */
export function operatorEntry(name: string): FunctionEntry {
  return byName.get(name)!;
}
