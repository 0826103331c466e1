// What generated text may name: columns, validities, tables, constants and variables, each by a number
// of ours. Knows the batch's layout and whether it has nulls, and no meaning of any expression.

import type { Names } from "./emit-number.ts";
import { kleeneOf, type LiftedTable } from "./lift.ts";
import { Nullability } from "./nullability.ts";
import type { Value } from "./overload.ts";
import { columnsOf, type Tree } from "./tree.ts";

/** What the text refers to by number. */
export interface Layout {
  /** By slot, a column's index. */
  readonly columns: readonly number[];
  /** By slot, the lifted parts and their tables. */
  readonly lifted: readonly { readonly tree: Tree; readonly table: LiftedTable }[];
}

export class Scope implements Names {
  /** What `k0, k1, …` stand for. */
  readonly constants: unknown[] = [];
  /** What `n0, n1, …` stand for. */
  readonly numbers: number[] = [];
  /** How many of `x0, x1, …` are used. */
  temporaries = 0;
  /** Whether some column of the batch has nulls; else the text leaves the checks out. */
  readonly nullable: boolean;
  readonly #layout: Layout;
  readonly #nullability: Nullability;

  constructor(layout: Layout, nullable: boolean) {
    this.#layout = layout;
    this.nullable = nullable;
    this.#nullability = new Nullability(nullable, (lifted) => this.#table(lifted).table.ofNull);
  }

  /** Whether the tree can be null here. */
  mayBeNull(tree: Tree): boolean {
    return this.#nullability.mayBeNull(tree);
  }

  slot(index: number): number {
    return this.#layout.columns.indexOf(index);
  }

  temporary(): string {
    return `x${this.temporaries++}`;
  }

  constant(value: unknown): string {
    if (value === null) return "null";
    const known = this.constants.indexOf(value);
    return `k${known < 0 ? this.constants.push(value) - 1 : known}`;
  }

  number(value: Value | null): string {
    return typeof value === "number" ? `n${this.numbers.push(value) - 1}` : "NaN";
  }

  /** `value` where the column in `slot` has one, else `nothing`. */
  loaded(slot: number, value: string, nothing: string): string {
    return this.nullable ? `(v${slot}[r] === 1 ? ${value} : ${nothing})` : value;
  }

  /** The result of a lifted part; `ofNull` writes down what it gives for a null text. */
  lookup(tree: Extract<Tree, { kind: "lifted" }>, ofNull: (value: Value | null) => string): string {
    return this.loaded(this.slot(tree.index), this.#entry(tree), ofNull(this.#table(tree).table.ofNull));
  }

  /** Whether the Kleene number of a lifted part is `wanted`, without a branch; null when that cannot be had. */
  found(tree: Extract<Tree, { kind: "lifted" }>, wanted: 0 | 2): string | null {
    if (!this.nullable || kleeneOf(this.#table(tree).table.ofNull) === wanted) return null;
    // A code under a null is of no meaning, but reading there is harmless: the flag decides.
    return `(v${this.slot(tree.index)}[r] & (${this.#entry(tree)} === ${wanted}))`;
  }

  /** `text`, and that the columns of `trees` have values in this row. */
  flagged(text: string, trees: readonly Tree[]): string {
    if (!this.nullable) return text;
    const slots = new Set(trees.flatMap((tree) => [...columnsOf(tree)]).map((index) => this.slot(index)));
    return slots.size === 0 ? text : `(${[...slots].map((slot) => `v${slot}[r]`).join(" & ")} & ${text})`;
  }

  #entry(tree: Extract<Tree, { kind: "lifted" }>): string {
    return `t${this.#layout.lifted.indexOf(this.#table(tree))}[c${this.slot(tree.index)}[r]]`;
  }

  #table(tree: Tree): Layout["lifted"][number] {
    return this.#layout.lifted.find((each) => each.tree === tree)!;
  }
}
