// The functions over texts of the function table. Over one string column they run once per distinct
// text, not once per record. Meaning only.

import type { FunctionEntry, Overload } from "./overload.ts";
import { matcher } from "./pattern.ts";

function test(run: (text: string, part: string) => boolean): Overload {
  return { takes: ["string", "string"], gives: "bool", run };
}

function one(run: (text: string) => string): Overload {
  return { takes: ["string"], gives: "string", run };
}

/** Code points, as CEL counts; `length` counts UTF-16 units. */
function size(text: string): number {
  let points = 0;
  for (const _ of text) points++;
  return points;
}

// Only the 26 letters: what a locale would make of the others differs from host to host.
const lower = (text: string): string => text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
const upper = (text: string): string => text.replace(/[a-z]+/g, (run) => run.toUpperCase());

export const textFunctions: readonly FunctionEntry[] = [
  {
    name: "startsWith",
    kind: "function",
    summary: "Whether a text begins with another.",
    overloads: [test((text, part) => text.startsWith(part))],
    examples: [{ text: 'device.startsWith("boiler")', given: { device: "boiler-7" }, gives: true }],
  },
  {
    name: "endsWith",
    kind: "function",
    summary: "Whether a text ends with another.",
    overloads: [test((text, part) => text.endsWith(part))],
    examples: [{ text: 'device.endsWith("-7")', given: { device: "boiler-7" }, gives: true }],
  },
  {
    name: "contains",
    kind: "function",
    summary: "Whether a text holds another.",
    overloads: [test((text, part) => text.includes(part))],
    examples: [{ text: 'device.contains("oil")', given: { device: "boiler-7" }, gives: true }],
  },
  {
    name: "matches",
    kind: "function",
    summary:
      "Whether a regular expression, given as a literal, is found in a text; anchor it with ^ and $, ignore case " +
      "with (?i) before it. A pattern that could take very long on some text is refused, and a text too long for " +
      "the pattern (hundreds of characters for a costly one, millions for a simple one) gives null.",
    overloads: [
      { takes: ["string", "string"], gives: "bool", partial: true, run: () => null, prepare: matcher },
    ],
    examples: [
      { text: 'device.matches("^boiler-[0-9]+$")', given: { device: "boiler-7" }, gives: true },
      { text: 'device.matches("(?i)^BOILER")', given: { device: "boiler-7" }, gives: true },
    ],
  },
  {
    name: "size",
    kind: "function",
    summary: "The number of characters (code points) of a text, as float64.",
    overloads: [{ takes: ["string"], gives: "float64", run: size }],
    examples: [{ text: "size(device)", given: { device: "né🙂" }, gives: 3 }],
  },
  {
    name: "lowerAscii",
    kind: "function",
    summary: "The text with A to Z in lower case.",
    overloads: [one(lower)],
    examples: [{ text: "device.lowerAscii()", given: { device: "Boiler-É" }, gives: "boiler-É" }],
  },
  {
    name: "upperAscii",
    kind: "function",
    summary: "The text with a to z in upper case.",
    overloads: [one(upper)],
    examples: [{ text: "device.upperAscii()", given: { device: "boiler" }, gives: "BOILER" }],
  },
  {
    name: "trim",
    kind: "function",
    summary: "The text without white space at its ends.",
    overloads: [one((text) => text.trim())],
    examples: [{ text: "trim(device)", given: { device: " a " }, gives: "a" }],
  },
];
