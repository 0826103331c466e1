// Regular expressions that an expression may hold: compiled once, and only those whose time on any
// text is bounded. Never runs a pattern on a text longer than its bound.

import { limits } from "../limits.ts";
import type { Prepared } from "./overload.ts";
import { PatternRefusal, patternCost } from "./pattern-cost.ts";

/** A function that tells whether `literal` is found in a text, or why the pattern is refused. */
export function matcher(literal: string): Prepared {
  if (literal.length > limits.regex_length_max) {
    return refused(`expected at most ${limits.regex_length_max} characters, got ${literal.length}`);
  }
  const caseless = literal.startsWith("(?i)");
  const source = caseless ? literal.slice(4) : literal;
  const flags = caseless ? "iu" : "u";
  try {
    // Cost first: what it does not know (look-around, back-references) has a message of its own.
    const cost = patternCost(source, flags);
    const pattern = new RegExp(source, flags);
    // The engine compiles at the first run and again, for speed, at the second: it may refuse then.
    pattern.test("");
    pattern.test("");
    const length = Math.floor((limits.regex_steps_max / cost.ways) ** (1 / cost.degree));
    const run = (text: string): boolean | null => (text.length > length ? null : pattern.test(text));
    return { ok: true, run };
  } catch (thrown) {
    if (thrown instanceof PatternRefusal) return refused(thrown.message);
    const reason = thrown instanceof SyntaxError ? (/: ([^:]*)$/.exec(thrown.message)?.[1] ?? "") : "";
    return refused(`not a regular expression${reason === "" ? "" : ` (${reason.toLowerCase()})`}`);
  }
}

function refused(message: string): Prepared {
  return { ok: false, message };
}
