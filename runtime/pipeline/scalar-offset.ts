// From a place in a scalar's value to the place in the file's text that it came from: through quotes,
// escapes, folded lines and block indentation. So that a fault inside an expression is shown where it
// stands. Never decides what a scalar's value is; the YAML parser has done so.

import type { Scalar } from "yaml";

/** The offset in `text` of `offset` in the value of `scalar`; null when they cannot be matched. */
export function offsetInText(text: string, scalar: Scalar, offset: number): number | null {
  if (!scalar.range || typeof scalar.value !== "string") return null;
  const [start, end] = scalar.range;
  const value = scalar.value;
  switch (scalar.type) {
    case "QUOTE_DOUBLE":
      return align(text, start + 1, end - 1, value, offset, escapeLength);
    case "QUOTE_SINGLE":
      return align(text, start + 1, end - 1, value, offset, (at) => (text.startsWith("''", at) ? 2 : 1));
    case "BLOCK_FOLDED":
    case "BLOCK_LITERAL":
      return align(text, endOfHeader(text, start), end, value, offset, () => 1);
    default:
      return align(text, start, end, value, offset, () => 1);
  }

  function escapeLength(at: number): number {
    if (text[at] !== "\\") return 1;
    const digits = { x: 2, u: 4, U: 8 }[text[at + 1] ?? ""];
    return 2 + (digits ?? 0);
  }
}

function endOfHeader(text: string, start: number): number {
  const lineBreak = text.indexOf("\n", start);
  return lineBreak < 0 ? start : lineBreak + 1;
}

/**
 * Walks both texts together. Folding and indentation change white space only, so every other character
 * of the value stands in the source in the same order; `width` says how long its spelling is there.
 */
function align(
  text: string,
  from: number,
  to: number,
  value: string,
  offset: number,
  width: (at: number) => number,
): number | null {
  let at = from;
  for (let i = 0; i < offset && i < value.length; i++) {
    if (isSpace(value[i]!) && !(text[at] === "\\" && width(at) > 1)) {
      // One space of the value may be a line break and indentation in the source.
      at = isSpace(text[at] ?? "") ? at + 1 : at;
      continue;
    }
    at = skipSpace(text, at, to, width);
    if (at >= to) return null;
    // An escape may stand for a pair of UTF-16 units.
    if (text[at + 1] === "U" && width(at) === 10 && value.codePointAt(i)! > 0xffff) i++;
    at += width(at);
  }
  const next = value[offset];
  if (next !== undefined && !isSpace(next)) at = skipSpace(text, at, to, width);
  return at <= to ? at : null;
}

function skipSpace(text: string, from: number, to: number, width: (at: number) => number): number {
  let at = from;
  for (;;) {
    if (at < to && isSpace(text[at]!)) at++;
    // A backslash at a line's end joins the lines.
    else if (at < to && text[at] === "\\" && width(at) > 1 && /[\r\n]/.test(text[at + 1] ?? "")) at += 2;
    else return at;
  }
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r";
}
