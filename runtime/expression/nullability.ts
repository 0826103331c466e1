// Which parts of a tree can be null in a batch, so that generated code leaves out the checks that
// cannot matter. Too often is harmless; too seldom would be a wrong result.

import type { Value } from "./overload.ts";
import type { CallTree, Tree } from "./tree.ts";

/** Whether a call can be null though its arguments are not: any number can overflow, any text can be too long. */
function canFail(tree: CallTree): boolean {
  return tree.type !== "bool" || tree.overload.partial === true;
}

export class Nullability {
  readonly #columns: boolean;
  readonly #ofNull: (lifted: Tree) => Value | null;
  readonly #known = new Map<Tree, boolean>();

  /** `columns`: whether some column of the batch has nulls. `ofNull`: what a lifted part gives for a null text. */
  constructor(columns: boolean, ofNull: (lifted: Tree) => Value | null = () => null) {
    this.#columns = columns;
    this.#ofNull = ofNull;
  }

  mayBeNull(tree: Tree): boolean {
    let known = this.#known.get(tree);
    if (known === undefined) {
      known = this.#find(tree);
      this.#known.set(tree, known);
    }
    return known;
  }

  #find(tree: Tree): boolean {
    switch (tree.kind) {
      case "constant":
        return tree.value === null;
      case "column":
        return this.#columns;
      case "lifted":
        return (this.#columns && this.#ofNull(tree) === null) || new Nullability(false).mayBeNull(tree.tree);
      case "has":
        return false;
      case "coalesce":
        return tree.options.every((option) => this.mayBeNull(option));
      case "and":
      case "or":
        return this.mayBeNull(tree.left) || this.mayBeNull(tree.right);
      case "choice":
        return [tree.condition, tree.accepted, tree.otherwise].some((part) => this.mayBeNull(part));
      case "call":
        return canFail(tree) || tree.args.some((arg) => this.mayBeNull(arg));
      default:
        return this.mayBeNull(tree.operand);
    }
  }
}
