// Parts of an expression that depend on one string column and nothing else are worth one evaluation
// for each distinct text, not one a record: they are lifted out and looked up by the column's codes.

import type { Column, ColumnType, Dictionary } from "../../operators/sdk/index.ts";
import { closureOf, type RowFunction } from "./closure.ts";
import type { Value } from "./overload.ts";
import { columnsOf, isNumber, partsOf, type Tree } from "./tree.ts";

/** How a bool stands in a table and in generated code: Kleene's and is the minimum, or the maximum. */
export const kleene = { false: 0, null: 1, true: 2 } as const;

/** The same meaning, with every greatest part that depends on one string column only as a `lifted` node. */
export function lift(tree: Tree): Tree {
  if (tree.kind === "constant" || tree.kind === "column") return tree;
  const columns = [...columnsOf(tree)];
  if (columns.length === 1 && readsText(tree))
    return { kind: "lifted", type: tree.type, tree, index: columns[0]! };
  switch (tree.kind) {
    case "call":
      return { ...tree, args: tree.args.map(lift) };
    case "and":
    case "or":
      return { ...tree, left: lift(tree.left), right: lift(tree.right) };
    case "not":
    case "has":
    case "in":
      return { ...tree, operand: lift(tree.operand) };
    case "choice":
      return {
        ...tree,
        condition: lift(tree.condition),
        accepted: lift(tree.accepted),
        otherwise: lift(tree.otherwise),
      };
    case "coalesce":
      return { ...tree, options: tree.options.map(lift) };
    default:
      return tree;
  }
}

/** Whether a column of type string is read. */
function readsText(tree: Tree): boolean {
  return tree.kind === "column" ? tree.type === "string" : partsOf(tree).some(readsText);
}

/** Results by code: Kleene numbers for bool, NaN for null in numbers, null itself for the others. */
export type Lookup = Uint8Array | Float64Array | (Value | null)[];

interface Filled {
  values: Lookup;
  count: number;
}

let identity = new Int32Array(0);

/** Codes 0 … size - 1. */
function allCodes(size: number): Int32Array {
  if (identity.length < size) {
    identity = Int32Array.from({ length: Math.max(size, identity.length * 2, 1024) }, (_, code) => code);
  }
  return identity;
}

/** The results of one lifted part, for every dictionary that it met, extended as the dictionary grows. */
export class LiftedTable {
  /** The result where the column is null. */
  readonly ofNull: Value | null;
  readonly index: number;
  readonly #type: ColumnType;
  readonly #run: RowFunction;
  readonly #tables = new WeakMap<Dictionary, Filled>();
  readonly #columns: Column[] = [];

  constructor(part: Extract<Tree, { kind: "lifted" }>) {
    this.index = part.index;
    this.#type = part.type;
    this.#run = closureOf(part.tree);
    const none: Dictionary = { size: 0, text: () => "" };
    this.#columns[part.index] = {
      type: "string",
      values: new Int32Array(1),
      valid: new Uint8Array(1),
      dictionary: none,
    };
    this.ofNull = this.#run(this.#columns, 0);
  }

  /** The results for every text of `dictionary`, by code. */
  lookup(dictionary: Dictionary): Lookup {
    let filled = this.#tables.get(dictionary);
    if (filled === undefined) {
      filled = { values: this.#allocate(0), count: 0 };
      this.#tables.set(dictionary, filled);
    }
    if (filled.count < dictionary.size) this.#extend(filled, dictionary);
    return filled.values;
  }

  #extend(filled: Filled, dictionary: Dictionary): void {
    const { size } = dictionary;
    this.#columns[this.index] = { type: "string", values: allCodes(size), valid: null, dictionary };
    if (!Array.isArray(filled.values) && filled.values.length < size) {
      const grown = this.#allocate(Math.max(size, filled.values.length * 2, 64)) as Uint8Array | Float64Array;
      grown.set(filled.values);
      filled.values = grown;
    }
    for (let code = filled.count; code < size; code++) this.#put(filled.values, code);
    filled.count = size;
  }

  #put(values: Lookup, code: number): void {
    const value = this.#run(this.#columns, code);
    if (Array.isArray(values)) values[code] = value;
    else if (this.#type === "bool") values[code] = kleeneOf(value);
    else values[code] = value === null ? Number.NaN : (value as number);
  }

  #allocate(size: number): Lookup {
    if (this.#type === "bool") return new Uint8Array(size);
    return isNumber(this.#type) ? new Float64Array(size) : [];
  }
}

export function kleeneOf(value: Value | null): 0 | 1 | 2 {
  if (value === null) return kleene.null;
  return value === true ? kleene.true : kleene.false;
}
