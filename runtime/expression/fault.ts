// How faults of an expression are made. Never throws them: a mistake in a text is a result.

import type { ExpressionFault, Result } from "./expression.ts";
import type { Span } from "./syntax.ts";

export function faultAt(where: Span, message: string): ExpressionFault {
  return { start: where.start, end: where.end, message };
}

export function refuse<T>(where: Span, message: string): Result<T> {
  return { ok: false, faults: [faultAt(where, message)] };
}

/** Where the mistakes of an expression are gathered, and what was written in it. */
export interface Gathering {
  /** Reports a mistake; there is no result, null. */
  fault(where: Span, message: string): null;
  /** What was written at a place. */
  written(where: Span): string;
}

/** `a`, `a or b`, `a, b or c`. */
export function listed(words: readonly string[], last: "or" | "and"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

/** The text with a caret line under the fault, as a terminal shows it. */
export function underlined(text: string, fault: ExpressionFault): string {
  const lineStart = text.lastIndexOf("\n", fault.start - 1) + 1;
  const lineBreak = text.indexOf("\n", fault.start);
  const line = text.slice(lineStart, lineBreak < 0 ? text.length : lineBreak);
  const column = fault.start - lineStart;
  const width = Math.max(1, Math.min(fault.end, lineStart + line.length) - fault.start);
  return `${line}\n${" ".repeat(column)}${"^".repeat(width)} ${fault.message}`;
}
