// What a condition says about a single column, where several conditions can be answered together by it: a
// bound, `temp > 30`, or a value that the column must have, `device == "boiler-7"`.

import type { Expression } from "../../operators/sdk/index.ts";
import { isNumber, type Tree } from "./tree.ts";

/** The condition is a column beside a number. What passes a strict one passes every laxer one of its side as well. */
export interface BoundTest {
  readonly kind: "bound";
  /** The column's place. */
  readonly column: number;
  /** On which side of the limit values pass. */
  readonly side: "above" | "below";
  readonly limit: number;
  /** Whether the limit itself passes. */
  readonly inclusive: boolean;
}

/** The condition is true only where a column has this value. */
export interface ValueTest {
  readonly kind: "value";
  /** The column's place. */
  readonly column: number;
  readonly value: string | number;
  /** Whether nothing else is demanded. */
  readonly whole: boolean;
}

export type ColumnTest = BoundTest | ValueTest;

/** An expression that knows what it says about a column; null where that is nothing of use. */
export interface Tested {
  readonly test: ColumnTest | null;
}

export function testIn(expression: Expression & Partial<Tested>): ColumnTest | null {
  return expression.test ?? null;
}

const sides: Readonly<Record<string, Pick<BoundTest, "side" | "inclusive">>> = {
  ">": { side: "above", inclusive: false },
  ">=": { side: "above", inclusive: true },
  "<": { side: "below", inclusive: false },
  "<=": { side: "below", inclusive: true },
};

export function testOf(tree: Tree): ColumnTest | null {
  return boundOf(tree) ?? valueOf(tree);
}

function boundOf(tree: Tree): BoundTest | null {
  if (tree.kind !== "call" || !Object.hasOwn(sides, tree.entry.name)) return null;
  const beside = besideConstant(tree.args);
  if (beside === null || typeof beside.value !== "number") return null;
  const { side, inclusive } = sides[tree.entry.name]!;
  const turned = side === "above" ? "below" : "above";
  const { column, value: limit, isFirst } = beside;
  return { kind: "bound", column, side: isFirst ? side : turned, limit, inclusive };
}

/** The first part of a conjunction that demands a value; all of them must be true. */
function valueOf(tree: Tree): ValueTest | null {
  if (tree.kind === "and") {
    const part = valueOf(tree.left) ?? valueOf(tree.right);
    return part === null ? null : { ...part, whole: false };
  }
  if (tree.kind !== "call" || tree.entry.name !== "==") return null;
  const beside = besideConstant(tree.args);
  return beside && { kind: "value", column: beside.column, value: beside.value, whole: true };
}

interface BesideConstant {
  readonly column: number;
  readonly value: string | number;
  /** Whether the column stands first. */
  readonly isFirst: boolean;
}

function besideConstant([left, right]: readonly Tree[]): BesideConstant | null {
  const isFirst = left?.kind === "column";
  const [column, constant] = isFirst ? [left, right] : [right, left];
  if (column?.kind !== "column" || constant?.kind !== "constant") return null;
  const { value } = constant;
  const isUsable = typeof value === (isNumber(column.type) ? "number" : "string");
  return isUsable ? { column: column.index, value: value as string | number, isFirst } : null;
}

/** Sorts bounds of one column and side, the laxest first. */
export function byStrictness(a: BoundTest, b: BoundTest): number {
  const further = a.side === "above" ? a.limit - b.limit : b.limit - a.limit;
  return further === 0 ? Number(b.inclusive) - Number(a.inclusive) : further;
}
