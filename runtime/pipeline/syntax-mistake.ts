// A parser's error in the words of somebody who writes a pipeline: what stands there that YAML does not allow, and what to
// do about it. Looks at the code of the error and at the line that it is in; never parses.

import type { YAMLError } from "yaml";
import type { LineIndex } from "./line-index.ts";

export interface SyntaxMistake {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string | null;
}

/** What to do about a parser error, by its code. */
const remedies: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  MULTILINE_IMPLICIT_KEY: "put the text in quotes, or write it as a block after |",
  BLOCK_IN_FLOW: "inside { } or [ ], put an expression in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'a text that holds ": " stands in quotes',
  DUPLICATE_KEY: "keep one of them",
  BAD_DQ_ESCAPE: "between double quotes a backslash begins an escape: write '…' around the text",
  BAD_SCALAR_START: "a text that begins with this character stands in quotes",
  BAD_INDENT: "what belongs together begins in the same column: the dashes of a list, the settings of a map",
};

/** A value that begins with one !, which YAML takes for a tag. */
const exclamation = /(?:^|[:\-,[{])\s+(![^!\s].*)$/;
/** Quotes as word processors set them, which to YAML are letters. */
const typographic = /[\u201c\u201d\u201e\u2018\u2019]/;
/** A key with its value right behind the colon, which to YAML is one text. */
const keyAndValue = /^\s*(?:- )?([\w-]+):(?!\/\/)([^\s:].*)$/;
/** Braces with text right before or behind them, such as `sensors.{device}.temp`. */
const glued = /[^\s,:{[]\{[^{}:,]+\}|\{[^{}:,]+\}[^\s,}\]]/;

export function syntaxMistake(
  { code, message, pos }: Pick<YAMLError, "code" | "message" | "pos">,
  text: string,
  lines: LineIndex,
): SyntaxMistake {
  const [start, last] = pos;
  const place = lines.place(Math.min(start, text.length));
  const line = lines.line(place.line);
  const end = Math.max(last, start + 1);
  const tag = code === "DUPLICATE_KEY" ? null : exclamation.exec(line.slice(0, place.column));
  if (tag !== null) {
    const from = start - place.column + 1 + tag.index + tag[0].length - tag[1]!.length;
    const why = "a text that begins with ! is a tag of YAML, and tags are not read";
    return { start: from, end, message: why, hint: "a text that begins with ! stands in quotes" };
  }
  const quote = code === "MISSING_CHAR" ? /closing (.)quote$/.exec(message)?.[1] : undefined;
  if (quote !== undefined) return openQuote(quote, text, start, lines);
  // What is in quotes already is not meant.
  if (code !== "DUPLICATE_KEY" && glued.test(line.replaceAll(/"[^"]*"|'[^']*'|\s#.*$/g, "''"))) {
    if (typographic.test(line))
      return { start, end, message: "quotes that are not straight are letters", hint: `write " or ' there` };
    const hint = line.includes("${") ? hintOf(code, message, line) : "inside { } or [ ], put {…} in quotes";
    return { start, end, message: "braces in a text that is not in quotes", hint };
  }
  if (code === "BLOCK_AS_IMPLICIT_KEY" && isDeeper(lines.line(place.line + 1), line))
    return {
      start,
      end,
      message: "the next line begins further in than this one",
      hint: remedies["BAD_INDENT"]!,
    };
  return { start, end, message: messageOf(code, message, text, start), hint: hintOf(code, message, line) };
}

/** A quote that is never closed is told where it is opened: the parser is at the end of what it takes for the text. */
function openQuote(quote: string, text: string, end: number, lines: LineIndex): SyntaxMistake {
  let { line } = lines.place(Math.min(end, text.length));
  while (line > 1 && lines.line(line).split(quote).length % 2 === 1) line--;
  const start = text.lastIndexOf(quote, lines.endOfLine(lines.offset(line)) - 1);
  return {
    start,
    end: start + 1,
    message: `a ${quote} is opened and not closed`,
    hint: `write ${quote} where the text ends`,
  };
}

/** True of a setting that is indented further than one above it which has its value already. */
function isDeeper(next: string, line: string): boolean {
  const indent = (text: string): number => text.length - text.trimStart().length;
  return /^\s+[\w."'-]+:(\s|$)/.test(next) && /:\s+\S/.test(line) && indent(next) > indent(line);
}

function messageOf(code: string, message: string, text: string, start: number): string {
  const close = /flow (?:map|sequence)\b.* end with a (.)$/i.exec(message)?.[1];
  if (close !== undefined)
    return `expected ${close}: a ${close === "}" ? "{" : "["} before this is not closed`;
  if (/^nested mappings/i.test(message)) return '": " in a text that is not in quotes';
  if (code !== "DUPLICATE_KEY") return message.replace(/ in YAML stream/, "").replace(/\n[\s\S]*$/, "");
  const key = /^("[^"\n]*"|'[^'\n]*'|[^:\s]+)/.exec(text.slice(start, start + 80));
  return `the key ${key?.[0] ?? ""} is here twice`;
}

function hintOf(code: string, message: string, line: string): string | null {
  if (/\$\{/.test(line)) return "inside { } or [ ], put ${…} in quotes";
  if (code === "UNEXPECTED_TOKEN" && /[{[].*["[\](]/.test(line))
    return "inside { } or [ ], put an expression in quotes";
  if (message.endsWith("scalar at node end"))
    return `an expression that begins with a quote stands whole in the other kind of quotes: '"a" + b'`;
  if (code === "BLOCK_AS_IMPLICIT_KEY" && /block sequence/i.test(message))
    return "begin what is above it in this list with a dash and a space: - filter: …";
  const [, key, value] = (code === "MULTILINE_IMPLICIT_KEY" && keyAndValue.exec(line)) || [];
  if (key !== undefined) return `a space follows the colon: ${key}: ${value}`;
  // Of a bracket that is not closed, the message says it all.
  if (/^flow /i.test(message)) return null;
  return remedies[code] ?? null;
}
