// Program text over numbers. A number carries null as NaN, or as a flag beside it where that saves a
// branch: a loop without branches ran 3.5 times as fast as one with three that nobody can predict.

import type { Value } from "./overload.ts";
import { partsOf, type Tree } from "./tree.ts";

/** A number as text. */
export interface NumberPart {
  readonly text: string;
  /** It may be an infinity, which stands for null. */
  readonly infinite: boolean;
  /** It may be NaN, which stands for null. */
  readonly nullable: boolean;
}

/** What the emitter gives for parts of a text. */
export interface Names {
  /** The slot of a column. */
  slot(index: number): number;
  /** A fresh variable. */
  temporary(): string;
  /** A number that is not in the text itself, so that expressions which differ in it alone have one text. */
  number(value: Value | null): string;
}

/** Largest calculation that is done for every row rather than branched around. */
const plainMax = 32;

/** Whether a number is calculated from columns and constants by plain arithmetic, so that it costs next to nothing. */
export function isPlain(tree: Tree): boolean {
  let parts = 0;
  const plain = (part: Tree): boolean => {
    if (++parts > plainMax) return false;
    if (part.kind === "call") return part.overload.code !== undefined && partsOf(part).every(plain);
    return part.kind === "column" || (part.kind === "constant" && part.value !== null);
  };
  return plain(tree);
}

/** An infinity turned to NaN. */
export function finiteText(part: NumberPart, names: Names): string {
  if (!part.infinite) return part.text;
  const x = names.temporary();
  return `((${x} = ${part.text}) - ${x} === 0 ? ${x} : NaN)`;
}

/** A call of an overload with code, given its operands. */
export function calculated(
  tree: Extract<Tree, { kind: "call" }>,
  parts: readonly NumberPart[],
  names: Names,
): NumberPart {
  const code = tree.overload.code!;
  const texts = parts.map((part, i) => (code.finite[i] === true ? finiteText(part, names) : part.text));
  const infinite =
    code.result === "never" || (code.result === "operands" && parts.some((part) => part.infinite));
  return { text: code.text(...texts), infinite, nullable: true };
}

/** A plain number with its columns as they stand; what it gives is only meant where they are all valid. */
export function plainNumber(tree: Tree, names: Names): NumberPart {
  switch (tree.kind) {
    case "column":
      return { text: `c${names.slot(tree.index)}[r]`, infinite: false, nullable: false };
    case "call":
      return calculated(
        tree,
        tree.args.map((arg) => plainNumber(arg, names)),
        names,
      );
    default:
      return {
        text: names.number((tree as Extract<Tree, { kind: "constant" }>).value),
        infinite: false,
        nullable: false,
      };
  }
}

/** True where the comparison holds between numbers that are both there; no branch in it. */
export function comparedNumbers(
  operator: string,
  text: string,
  left: NumberPart,
  right: NumberPart,
  names: Names,
): string {
  const sides = [left, right].map((part, side) => ({
    part,
    guard: guardOf(operator, part, side === 0, left.infinite && right.infinite),
  }));
  const guards: string[] = [];
  const operands = sides.map(({ part, guard }) => {
    if (guard === null) return part.text;
    const x = names.temporary();
    guards.push(` & (${guard(x)})`);
    return `(${x} = ${part.text})`;
  });
  const compared = `(${operands[0]} ${text} ${operands[1]})`;
  return guards.length === 0 ? compared : `(${compared}${guards.join("")})`;
}

/** What must hold for a side besides the comparison: NaN decides every one but `!=` by itself, an infinity does not. */
function guardOf(
  operator: string,
  part: NumberPart,
  isLeft: boolean,
  both: boolean,
): ((x: string) => string) | null {
  if (operator === "!=") return part.infinite || part.nullable ? (x) => `${x} - ${x} === 0` : null;
  if (!part.infinite) return null;
  if (operator === "==") return both ? (x) => `${x} - ${x} === 0` : null;
  return operator.startsWith("<") === isLeft ? (x) => `${x} > -Infinity` : (x) => `${x} < Infinity`;
}
