// The typed tree: an expression after checking, bound to column numbers. Both back ends read it; it
// holds no text of the user's but constants. Types, and what may be asked of a tree.

import type { ColumnType } from "../../operators/sdk/index.ts";
import type { FunctionEntry, Overload, Run, Value } from "./overload.ts";

export type Tree =
  | { readonly kind: "constant"; readonly type: ColumnType; readonly value: Value | null }
  | { readonly kind: "column"; readonly type: ColumnType; readonly index: number }
  /** Null when an argument is null. `run` is the overload's, or made of a literal argument. */
  | {
      readonly kind: "call";
      readonly type: ColumnType;
      readonly entry: FunctionEntry;
      readonly overload: Overload;
      readonly run: Run;
      readonly args: readonly Tree[];
    }
  | { readonly kind: "and" | "or"; readonly type: "bool"; readonly left: Tree; readonly right: Tree }
  | { readonly kind: "not"; readonly type: "bool"; readonly operand: Tree }
  | {
      readonly kind: "choice";
      readonly type: ColumnType;
      readonly condition: Tree;
      readonly accepted: Tree;
      readonly otherwise: Tree;
    }
  | { readonly kind: "has"; readonly type: "bool"; readonly operand: Tree }
  | { readonly kind: "coalesce"; readonly type: ColumnType; readonly options: readonly Tree[] }
  | { readonly kind: "in"; readonly type: "bool"; readonly operand: Tree; readonly list: readonly Value[] }
  /** Made by `lift`: a part that depends on one string column only, looked up by that column's code. */
  | { readonly kind: "lifted"; readonly type: ColumnType; readonly tree: Tree; readonly index: number };

export type CallTree = Extract<Tree, { kind: "call" }>;

/** The parts of a tree, one level down. */
export function partsOf(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case "constant":
    case "column":
      return [];
    case "call":
      return tree.args;
    case "and":
    case "or":
      return [tree.left, tree.right];
    case "not":
    case "has":
    case "in":
      return [tree.operand];
    case "choice":
      return [tree.condition, tree.accepted, tree.otherwise];
    case "coalesce":
      return tree.options;
    default:
      return [tree.tree];
  }
}

/** The columns that a tree reads. */
export function columnsOf(tree: Tree, into: Set<number> = new Set()): Set<number> {
  if (tree.kind === "column") into.add(tree.index);
  for (const part of partsOf(tree)) columnsOf(part, into);
  return into;
}

/** Whether float64 numbers stand for values of this type, so that NaN can stand for null while it is calculated with. */
export function isNumber(type: ColumnType): boolean {
  return type === "float64" || type === "time";
}
