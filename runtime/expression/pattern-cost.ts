// How long a backtracking match can take at worst: as a power of the text's length, or without bound.
// A pattern that can be tried in exponentially many ways is refused, and so is one whose power is high.
// Conservative: it refuses some harmless patterns, and lets no harmful one pass.

import {
  type CharacterSet,
  noCharacters,
  type PatternNode,
  PatternRefusal,
  readPattern,
} from "./pattern-syntax.ts";

export { PatternRefusal };

/** At most `ways · length ^ degree` steps. */
export interface PatternCost {
  readonly ways: number;
  readonly degree: number;
}

/** What may come after a part: its first characters, or anything when the rest may be empty. */
interface Follow {
  readonly first: CharacterSet;
  readonly open: boolean;
}

/** In how many ways a part can match from one start: `ways · length ^ degree`; and whether it may scan far. */
interface Ways {
  readonly ways: number;
  readonly degree: number;
  readonly scans: boolean;
}

const waysMax = 10_000;
const degreeMax = 3;
/** Size with counted repeats written out, as the engine compiles them. */
const sizeMax = 10_000;
const single: Ways = { ways: 1, degree: 0, scans: false };

export function patternCost(source: string, flags: string): PatternCost {
  const node = readPattern(source, flags);
  const size = sizeOf(node);
  if (size > sizeMax) throw new PatternRefusal("this pattern repeats too often; use lesser counts");
  // After the last part the match is done: nothing is tried again there.
  const total = waysOf(node, { first: noCharacters, open: false });
  // Every start, times every way, times the length of a scan that is not a way of its own.
  const degree = (anchored(node) ? 0 : 1) + total.degree + (total.scans ? 1 : 0);
  if (degree > degreeMax || total.ways > waysMax) {
    throw new PatternRefusal(
      "this pattern may take very long: several of its repeats can match the same characters; " +
        "anchor it with ^, or say what separates them, as in [^/]*/ for .*/",
    );
  }
  // Each way goes through as many characters as the pattern has at most, beside those of a scan.
  return { ways: total.ways * size, degree: Math.max(degree, 1) };
}

function waysOf(node: PatternNode, follow: Follow): Ways {
  switch (node.kind) {
    case "sequence":
      return waysOfSequence(node.parts, follow);
    case "alternatives":
      return waysOfAlternatives(node.options, follow);
    case "repeat":
      return waysOfRepeat(node, follow);
    default:
      return single;
  }
}

function waysOfSequence(parts: readonly PatternNode[], follow: Follow): Ways {
  let total = single;
  let after = follow;
  for (const part of parts.toReversed()) {
    const each = waysOf(part, after);
    total = {
      ways: total.ways * each.ways,
      degree: total.degree + each.degree,
      scans: total.scans || each.scans,
    };
    after = before(part, after);
  }
  return total;
}

function waysOfAlternatives(options: readonly PatternNode[], follow: Follow): Ways {
  let ways = 0;
  let degree = 0;
  let scans = false;
  let disjoint = true;
  let seen = noCharacters;
  for (const option of options) {
    const each = waysOf(option, follow);
    const first = firstOf(option);
    disjoint &&= !mayBeEmpty(option) && (seen & first) === noCharacters;
    seen |= first;
    ways = disjoint ? Math.max(ways, each.ways) : ways + each.ways;
    degree = Math.max(degree, each.degree);
    scans ||= each.scans;
  }
  return { ways, degree, scans };
}

function waysOfRepeat(node: Extract<PatternNode, { kind: "repeat" }>, follow: Follow): Ways {
  const { body, min, max } = node;
  const first = firstOf(body);
  const empty = mayBeEmpty(body);
  const each = waysOf(body, max > 1 ? { first: first | follow.first, open: follow.open } : follow);
  const unbounded = max === Infinity;
  if (unbounded && (empty || each.ways > 1 || each.degree > 0)) {
    throw new PatternRefusal(
      "this pattern may take exponentially long: a repeat holds a repeat or alternatives that can match the same " +
        "characters, as in (a+)+ or (a|ab)*; write it without the inner one",
    );
  }
  // Where the next character tells whether to go on, there is one way only.
  const decided = min === max || (!empty && !follow.open && (first & follow.first) === noCharacters);
  if (unbounded) return { ways: 1, degree: decided ? 0 : 1, scans: decided || each.scans };
  return {
    ways: Math.min(each.ways ** max * (decided ? 1 : max - min + 1), Number.MAX_VALUE),
    degree: each.degree * max,
    scans: each.scans,
  };
}

/** What may come after whatever stands before `part`. */
function before(part: PatternNode, after: Follow): Follow {
  if (part.kind === "end") return { first: noCharacters, open: false };
  const first = firstOf(part);
  return mayBeEmpty(part) ? { first: first | after.first, open: after.open } : { first, open: false };
}

function firstOf(node: PatternNode): CharacterSet {
  switch (node.kind) {
    case "characters":
      return node.set;
    case "sequence": {
      let set = noCharacters;
      for (const part of node.parts) {
        set |= firstOf(part);
        if (!mayBeEmpty(part)) break;
      }
      return set;
    }
    case "alternatives":
      return node.options.reduce((set, option) => set | firstOf(option), noCharacters);
    case "repeat":
      return firstOf(node.body);
    default:
      return noCharacters;
  }
}

function mayBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case "characters":
      return false;
    case "sequence":
      return node.parts.every(mayBeEmpty);
    case "alternatives":
      return node.options.some(mayBeEmpty);
    case "repeat":
      return node.min === 0 || mayBeEmpty(node.body);
    default:
      return true;
  }
}

function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case "sequence":
      return node.parts.reduce((size, part) => size + sizeOf(part), 1);
    case "alternatives":
      return node.options.reduce((size, option) => size + sizeOf(option), 1);
    case "repeat":
      return sizeOf(node.body) * Math.max(1, node.max === Infinity ? node.min : node.max);
    default:
      return 1;
  }
}

/** Whether it can only match at the start of the text. */
function anchored(node: PatternNode): boolean {
  switch (node.kind) {
    case "start":
      return true;
    case "sequence":
      return node.parts.length > 0 && anchored(node.parts[0]!);
    case "alternatives":
      return node.options.every(anchored);
    default:
      return false;
  }
}
