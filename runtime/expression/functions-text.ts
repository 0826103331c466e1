// The functions over texts of the function table. Over one string column they run once per distinct
// text, not once per record. Meaning only.

import { limits } from "../limits.ts";
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

const surrogates = /[\ud800-\udfff]/;

/** From one code point to before another, of which those behind the end are the end. */
function substring(text: string, from: number, to: number = Number.MAX_SAFE_INTEGER): string | null {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from) return null;
  return surrogates.test(text) ? Array.from(text).slice(from, to).join("") : text.slice(from, to);
}

/** The piece at `place`, counted from 0, or of a negative one from the last, which is -1. */
function part(text: string, separator: string, place: number): string | null {
  if (separator === "" || !Number.isInteger(place)) return null;
  return text.split(separator).at(place) ?? null;
}

/** Each place where `old` stands, from the left. */
function replace(text: string, old: string, by: string): string | null {
  if (old === "" || !text.includes(old)) return text;
  const pieces = text.split(old);
  const length = text.length + (pieces.length - 1) * (by.length - old.length);
  return length > limits.string_bytes_max ? null : pieces.join(by);
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
  {
    name: "part",
    kind: "function",
    summary:
      "part(text, separator, place): the piece of a text between separators; the first is 0, the last -1. Null where there is none of that place.",
    overloads: [{ takes: ["string", "string", "float64"], gives: "string", run: part }],
    examples: [
      { text: 'device.part("-", 1)', given: { device: "north-boiler-7" }, gives: "boiler" },
      { text: 'device.part("-", -1)', given: { device: "north-boiler-7" }, gives: "7" },
      { text: 'device.part("-", 3)', given: { device: "north-boiler-7" }, gives: null },
    ],
  },
  {
    name: "substring",
    kind: "function",
    summary:
      "substring(text, from), or substring(text, from, to): the characters (code points) from one place, counted from 0, to before another, or to the end.",
    overloads: [
      { takes: ["string", "float64"], gives: "string", run: substring },
      { takes: ["string", "float64", "float64"], gives: "string", run: substring },
    ],
    examples: [
      { text: "device.substring(7)", given: { device: "boiler-12" }, gives: "12" },
      { text: "device.substring(0, 2)", given: { device: "né🙂" }, gives: "né" },
      { text: "device.substring(2, 9)", given: { device: "né🙂" }, gives: "🙂" },
    ],
  },
  {
    name: "replace",
    kind: "function",
    summary: "replace(text, old, new): the text with another one everywhere that one stands.",
    overloads: [{ takes: ["string", "string", "string"], gives: "string", run: replace }],
    examples: [{ text: 'device.replace("_", "-")', given: { device: "a_b_c" }, gives: "a-b-c" }],
  },
];
