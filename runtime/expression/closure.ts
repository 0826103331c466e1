// The closure back end: one function a node, one call a row. Slow, plain, and the measure of what an
// expression means: the code back end is tested against it, and it serves where code may not be made.

import { type Column, valueAt } from "../../operators/sdk/index.ts";
import type { Value } from "./overload.ts";
import { isNumber, type Tree } from "./tree.ts";

type AnyRun = (...values: readonly Value[]) => Value | null;

/** The value of an expression at one row of a batch's columns; null for null. */
export type RowFunction = (columns: readonly Column[], row: number) => Value | null;

export function closureOf(tree: Tree): RowFunction {
  switch (tree.kind) {
    case "constant":
      return () => tree.value;
    case "column":
      return columnReader(tree);
    case "call":
      return callOf(tree);
    case "and":
      return logic(closureOf(tree.left), closureOf(tree.right), false);
    case "or":
      return logic(closureOf(tree.left), closureOf(tree.right), true);
    case "not": {
      const operand = closureOf(tree.operand);
      return (columns, row) => {
        const value = operand(columns, row);
        return value === null ? null : !value;
      };
    }
    case "choice": {
      const condition = closureOf(tree.condition);
      const accepted = closureOf(tree.accepted);
      const otherwise = closureOf(tree.otherwise);
      return (columns, row) => {
        const value = condition(columns, row);
        if (value === null) return null;
        return value ? accepted(columns, row) : otherwise(columns, row);
      };
    }
    case "has": {
      const operand = closureOf(tree.operand);
      return (columns, row) => operand(columns, row) !== null;
    }
    case "coalesce":
      return coalesceOf(tree.options.map(closureOf));
    case "in": {
      const operand = closureOf(tree.operand);
      const list = new Set(tree.list);
      return (columns, row) => {
        const value = operand(columns, row);
        return value === null ? null : list.has(value);
      };
    }
    default:
      return closureOf(tree.tree);
  }
}

function columnReader(tree: Extract<Tree, { kind: "column" }>): RowFunction {
  const { index } = tree;
  return (columns, row) => valueAt(columns[index]!, row);
}

function callOf(tree: Extract<Tree, { kind: "call" }>): RowFunction {
  const args = tree.args.map(closureOf);
  const run = tree.run as AnyRun;
  const number = isNumber(tree.type);
  return (columns, row) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(columns, row);
      if (value === null) return null;
      values.push(value);
    }
    const result = run(...values);
    return number && !Number.isFinite(result) ? null : result;
  };
}

/** Kleene's and (`decisive` false) and or (`decisive` true): the decisive value wins even beside null. */
function logic(left: RowFunction, right: RowFunction, decisive: boolean): RowFunction {
  return (columns, row) => {
    const first = left(columns, row);
    if (first === decisive) return decisive;
    const second = right(columns, row);
    if (second === decisive) return decisive;
    return first === null || second === null ? null : !decisive;
  };
}

function coalesceOf(options: readonly RowFunction[]): RowFunction {
  return (columns, row) => {
    for (const option of options) {
      const value = option(columns, row);
      if (value !== null) return value;
    }
    return null;
  };
}
