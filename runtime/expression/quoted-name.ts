// Names that the grammar has no form for, such as oil-temp, loop or "Temp (°C)": they stand in backticks,
// as CEL has it for fields. The parser does not know that form: it gets another name of the same length,
// so that every place it tells is one of the text.

import type { Span } from "./syntax.ts";

/** Texts and comments, in which a backtick is a character like any other; else a name in backticks. */
const pieces =
  /\/\/[^\n]*|"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`([^`]*)(`?)/g;
const plain = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

export interface QuotedNames {
  /** The text with `a…a` in place of each name in backticks. */
  readonly text: string;
  /** The names by where their first backtick is. */
  readonly names: ReadonlyMap<number, string>;
  /** The first that has no end, or no name in it. */
  readonly broken: (Span & { readonly message: string }) | null;
}

export function quotedNames(text: string): QuotedNames {
  const names = new Map<number, string>();
  let broken: QuotedNames["broken"] = null;
  if (!text.includes("`")) return { text, names, broken };
  const without = text.replace(pieces, (piece, name: string | undefined, closing: string, start: number) => {
    if (name === undefined) return piece;
    const message =
      closing === "" ? "expected a ` behind the name" : name === "" ? "expected a name between the `" : null;
    if (message !== null) broken ??= { start, end: start + piece.length, message };
    names.set(start, name);
    return "a".repeat(piece.length);
  });
  return { text: without, names, broken };
}

/** Whether an expression can name the column without backticks, but for words that it reserves. */
export function isPlainName(name: string): boolean {
  return plain.test(name);
}

/** The cure where a part of a column's name was taken for all of it: `oil` of oil-temp, which is a subtraction. */
export function inBackticks(text: string, { start }: Span, names: Iterable<string>): string | null {
  for (const name of names) {
    if (isPlainName(name) || name === "" || name.includes("`")) continue;
    for (let at = text.indexOf(name); at >= 0 && at <= start; at = text.indexOf(name, at + 1))
      if (start < at + name.length && text[at - 1] !== "`")
        return `the column ${name} stands in backticks, \`${name}\``;
  }
  return null;
}
