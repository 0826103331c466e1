// What the parser's refusals are called in weir: the offending token, what was expected there, and the
// cure of the usual slips of people who come from other languages. Never decides what is valid.

import type { ParseError } from "@marcbachmann/cel-js";
import { limits } from "../limits.ts";
import type { ExpressionFault } from "./expression.ts";

const tokens: Readonly<Record<string, string>> = {
  EOF: "the end",
  NUMBER: "a number",
  STRING: "a text",
  BOOLEAN: "true or false",
  IDENTIFIER: "a name",
  LPAREN: "(",
  RPAREN: ")",
  LBRACKET: "[",
  RBRACKET: "]",
  LBRACE: "{",
  RBRACE: "}",
  COMMA: ",",
  COLON: ":",
};

/** What people write, and what CEL writes for it. */
const slips: Readonly<Record<string, string>> = {
  "=": "write == to compare",
  "&": "write && for and, bitAnd(x, y) for bits",
  "|": "write || for or, bitOr(x, y) for bits",
  "<<": "write bitShiftLeft(n, places)",
  ">>": "write bitShiftRight(n, places)",
  between: "write x >= low && x <= high",
  BETWEEN: "write x >= low && x <= high",
  like: 'write device.matches("^b"), startsWith or contains',
  LIKE: 'write device.matches("^b"), startsWith or contains',
  and: "write && for and",
  AND: "write && for and",
  or: "write || for or",
  OR: "write || for or",
  not: "write ! for not",
  is: "write == to compare, as in x == null",
  IS: "write == to compare, as in x == null",
  "<>": "write != for not equal",
  "^": "write pow(x, y)",
  "**": "write pow(x, y)",
  "#": "write // before a comment",
};

const limitsHit: Readonly<Record<string, string>> = {
  maxDepth: `nested too deeply: at most ${limits.expression_depth_max} levels`,
  maxAstNodes: `too long: at most ${limits.expression_nodes_max} names, numbers and operators`,
  maxListElements: `too many entries: at most ${limits.expression_list_max} in a list`,
  maxCallArguments: `too many arguments: at most ${limits.expression_arguments_max} in a call`,
};

export function parseFault(text: string, error: ParseError): ExpressionFault {
  const start = Math.min(error.range?.start ?? 0, text.length);
  const end = Math.min(Math.max(error.range?.end ?? start, start), text.length);
  return { start, end, message: messageFor(text, error, start, end) };
}

function messageFor(text: string, error: ParseError, start: number, end: number): string {
  if (text.trim() === "") return "expected an expression, got nothing";
  const found =
    start >= text.length ? "the end" : JSON.stringify(text.slice(start, Math.max(end, start + 1)));
  switch (error.code) {
    case "limit_exceeded": {
      const hit = Object.keys(limitsHit).find((each) => error.summary.includes(each));
      return hit === undefined ? error.summary : limitsHit[hit]!;
    }
    case "expected_token": {
      const expected = /^Expected (\w+)/.exec(error.summary)?.[1] ?? "";
      return `expected ${tokens[expected] ?? expected}, got ${found}${cure(text, start, end)}`;
    }
    case "unexpected_token":
    case "unexpected_character":
      return start >= text.length
        ? "expected a name, a number or a text, got the end"
        : `unexpected ${found}${cure(text, start, end)}`;
    case "reserved_identifier":
      return /^if\s*\(/.test(text.slice(start))
        ? `${found} is a reserved word; write condition ? x : y`
        : `${found} is a reserved word; a column of that name stands in backticks, \`${text.slice(start, end)}\``;
    case "invalid_number":
      return "this number is beyond what float64 holds (1.8e308)";
    default:
      return error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
  }
}

function cure(text: string, start: number, end: number): string {
  const candidates = [text.slice(start - 1, end), text.slice(start, end + 1), text.slice(start, end)];
  // `not x` is refused at x: the word before is the slip.
  const before = /(\w+)\s*$/.exec(text.slice(0, start))?.[1];
  if (before?.toLowerCase() === "not") candidates.push("not");
  for (const each of candidates) {
    const known = Object.hasOwn(slips, each) ? slips[each] : undefined;
    if (known !== undefined) return `; ${known}`;
  }
  if (text.slice(start, end) === "*" && /\bcount\s*\($/i.test(text.slice(0, start)))
    return "; count() counts the records";
  const unit = /^(?:ms|[smhd])\b/.exec(text.slice(start))?.[0];
  const number = /\d+$/.exec(text.slice(0, start))?.[0];
  if (unit !== undefined && number !== undefined)
    return `; write duration("${number}${unit}"), which is its milliseconds`;
  if (/\d$/.test(text.slice(0, start)) && /^[A-Za-z_]/.test(text.slice(start)))
    return "; a name that begins with a digit stands in backticks";
  if (/^\p{L}/u.test(text.slice(start)) && !/^\w/.test(text.slice(start)))
    return "; a name with other letters than A to Z stands in backticks";
  if (/^[\u201c\u201d\u201e\u2018\u2019]/.test(text.slice(start))) return `; write " or ' around texts`;
  if (text.slice(start, end) === "," && /\bin\s*\([^()]*$/.test(text.slice(0, start)))
    return '; a list stands in brackets, as in device in ["a", "b"]';
  if (/\d,$/.test(text.slice(0, end)) && /^\d/.test(text.slice(end))) return "; write decimals with a point";
  // YAML takes the quotes around a setting for its own.
  return /^[^"'`()[\]<>=!&|+*/?:,]+$/.test(text)
    ? `; a text stands in quotes of its own: '"${text.trim()}"'`
    : "";
}
