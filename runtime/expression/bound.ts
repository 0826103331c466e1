// Expressions that are nothing but a column beside a number, as in `temp > 30`. Those of one column can be
// put in order: what passes a strict one passes every laxer one as well.

import type { Expression } from "../../operators/sdk/index.ts";
import { isNumber, type Tree } from "./tree.ts";

export interface Bound {
  /** The column's place. */
  readonly column: number;
  /** On which side of the limit values pass. */
  readonly side: "above" | "below";
  readonly limit: number;
  /** Whether the limit itself passes. */
  readonly inclusive: boolean;
}

/** An expression that may be one. */
export interface Bounded {
  readonly bound: Bound | null;
}

/** The bound that an expression is, if it is one. */
export function boundIn(expression: Expression & Partial<Bounded>): Bound | null {
  return expression.bound ?? null;
}

const sides: Readonly<Record<string, Pick<Bound, "side" | "inclusive">>> = {
  ">": { side: "above", inclusive: false },
  ">=": { side: "above", inclusive: true },
  "<": { side: "below", inclusive: false },
  "<=": { side: "below", inclusive: true },
};

/** The bound that a tree is; null when it is another kind of expression. */
export function boundOf(tree: Tree): Bound | null {
  if (tree.kind !== "call" || !Object.hasOwn(sides, tree.entry.name)) return null;
  const [left, right] = tree.args as [Tree, Tree];
  const { side, inclusive } = sides[tree.entry.name]!;
  const direct = asBound(left, right);
  if (direct !== null) return { ...direct, side, inclusive };
  const turned = asBound(right, left);
  return turned === null ? null : { ...turned, side: side === "above" ? "below" : "above", inclusive };
}

function asBound(column: Tree, limit: Tree): Pick<Bound, "column" | "limit"> | null {
  if (column.kind !== "column" || !isNumber(column.type)) return null;
  if (limit.kind !== "constant" || typeof limit.value !== "number") return null;
  return { column: column.index, limit: limit.value };
}

/** Sorts bounds of one column and side, the laxest first. */
export function byStrictness(a: Bound, b: Bound): number {
  const further = a.side === "above" ? a.limit - b.limit : b.limit - a.limit;
  return further === 0 ? Number(b.inclusive) - Number(a.inclusive) : further;
}
