// Typed tree to JavaScript text for one row `r`. Nothing that a user wrote becomes part of the text:
// columns are `c0, c1, …`, texts and functions are constants `k0, k1, …`, numbers are `n0, n1, …`.
//
// Numbers carry null as NaN and may be infinite on the way; where an infinity would be lost, or decide
// something, it is turned to NaN first, so that the result is as if every step had been checked.
// Bools have three forms: `truth` (true and nothing else; 1 and 0 will do), `falsity`, and the Kleene
// number 0, 1, 2.

import { kleene, kleeneOf } from "./lift.ts";
import { calculated, comparedNumbers, isPlain, type NumberPart, plainNumber } from "./emit-number.ts";
import type { Scope } from "./scope.ts";
import { type CallTree, isNumber, type Tree } from "./tree.ts";

type OfKind<K extends Tree["kind"]> = Extract<Tree, { kind: K }>;

const comparisons: Readonly<Record<string, { readonly text: string; readonly opposite: string }>> = {
  "==": { text: "===", opposite: "!=" },
  "!=": { text: "!==", opposite: "==" },
  "<": { text: "<", opposite: ">=" },
  "<=": { text: "<=", opposite: ">" },
  ">": { text: ">", opposite: "<=" },
  ">=": { text: ">=", opposite: "<" },
};

/** Longest list of numbers that is compared one by one. */
const listedMax = 8;

export class Emitter {
  readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /** A float64 or time, and whether it is there once it is named `name`. */
  number(tree: Tree, name: string): { readonly value: string; readonly valid: string } {
    const plain = isPlain(tree);
    const value = plain ? plainNumber(tree, this.scope).text : this.#number(tree).text;
    return { value, valid: this.scope.flagged(`(${name} - ${name} === 0)`, plain ? [tree] : []) };
  }

  /** Whether the truth of a tree is had without a branch or a call, as 0, 1, true or false. */
  isCheap(tree: Tree): boolean {
    switch (tree.kind) {
      case "column":
      case "lifted":
        return true;
      case "and":
      case "or":
        return this.isCheap(tree.left) && this.isCheap(tree.right);
      case "not":
        return this.isCheap(tree.operand);
      case "has":
        return tree.operand.kind === "column";
      case "call":
        return (
          Object.hasOwn(comparisons, tree.entry.name) &&
          tree.args.every((arg) => isNumber(arg.type) && isPlain(arg))
        );
      default:
        return false;
    }
  }

  /** An int64 or string; null where it is null. */
  value(tree: Tree): string {
    switch (tree.kind) {
      case "constant":
        return this.scope.constant(tree.value);
      case "column": {
        const slot = this.scope.slot(tree.index);
        return this.scope.loaded(
          slot,
          tree.type === "int64" ? `c${slot}[r]` : `d${slot}.text(c${slot}[r])`,
          "null",
        );
      }
      case "lifted":
        return this.scope.lookup(tree, (value) => this.scope.constant(value));
      case "choice":
        return this.#choice(tree, (side) => this.value(side), "null");
      case "coalesce":
        return `(${tree.options.map((option) => this.value(option)).join(" ?? ")})`;
      default:
        return this.#strict((tree as CallTree).args, (names) => this.#run(tree as CallTree, names), "null");
    }
  }

  /** True where the tree is true; false where it is false or null. */
  truth(tree: Tree): string {
    switch (tree.kind) {
      case "constant":
        return String(tree.value === true);
      case "column": {
        const slot = this.scope.slot(tree.index);
        return this.scope.nullable ? `(c${slot}[r] & v${slot}[r])` : `c${slot}[r]`;
      }
      case "and":
        return this.#joined(tree, "&", this.truth(tree.left), this.truth(tree.right));
      case "or":
        return this.#joined(tree, "|", this.truth(tree.left), this.truth(tree.right));
      case "not":
        return this.falsity(tree.operand);
      case "has":
        return this.#has(tree.operand);
      case "choice":
        return this.#choice(tree, (side) => this.truth(side), "false");
      case "in":
        return this.#strict([tree.operand], ([name]) => this.#found(tree, name!), "false");
      case "call":
        if (Object.hasOwn(comparisons, tree.entry.name)) return this.#compared(tree, tree.entry.name);
        return this.#strict(tree.args, (names) => `(${this.#run(tree, names)} === true)`, "false");
      default:
        return this.#is(tree, kleene.true);
    }
  }

  /** True where the tree is false; false where it is true or null. */
  falsity(tree: Tree): string {
    switch (tree.kind) {
      case "and":
        return this.#joined(tree, "|", this.falsity(tree.left), this.falsity(tree.right));
      case "or":
        return this.#joined(tree, "&", this.falsity(tree.left), this.falsity(tree.right));
      case "not":
        return this.truth(tree.operand);
      case "choice":
        return this.#choice(tree, (side) => this.falsity(side), "false");
      case "in":
        return this.#strict([tree.operand], ([name]) => `!${this.#found(tree, name!)}`, "false");
      case "call": {
        const comparison = comparisons[tree.entry.name];
        if (comparison !== undefined) return this.#compared(tree, comparison.opposite);
        return this.#strict(tree.args, (names) => `(${this.#run(tree, names)} === false)`, "false");
      }
      default:
        return this.scope.mayBeNull(tree) || tree.kind === "lifted"
          ? this.#is(tree, kleene.false)
          : `(!${this.truth(tree)})`;
    }
  }

  /** 0 for false, 1 for null, 2 for true. */
  kleene(tree: Tree): string {
    if (tree.kind === "lifted") return this.scope.lookup(tree, (value) => String(kleeneOf(value)));
    if (tree.kind === "constant") return String(kleeneOf(tree.value));
    if (tree.kind === "coalesce") {
      return this.#firstOf(
        tree,
        (option) => this.kleene(option),
        (x) => `${x} !== 1`,
      );
    }
    if (!this.scope.mayBeNull(tree)) return `(${this.truth(tree)} ? 2 : 0)`;
    switch (tree.kind) {
      case "column": {
        const slot = this.scope.slot(tree.index);
        return this.scope.loaded(slot, `c${slot}[r] * 2`, "1");
      }
      case "and":
      case "or": {
        const [decisive, lesser] = tree.kind === "and" ? [0, "<"] : [2, ">"];
        const [x, y] = [this.scope.temporary(), this.scope.temporary()];
        const [left, right] = [this.kleene(tree.left), this.kleene(tree.right)];
        return `((${x} = ${left}) === ${decisive} ? ${decisive} : (${y} = ${right}) ${lesser} ${x} ? ${y} : ${x})`;
      }
      case "not":
        return `(2 - ${this.kleene(tree.operand)})`;
      case "choice":
        return this.#choice(tree, (side) => this.kleene(side), "1");
      case "in":
        return this.#strict([tree.operand], ([name]) => `(${this.#found(tree, name!)} ? 2 : 0)`, "1");
      case "call":
        return this.#kleeneCall(tree);
      default:
        return `(${this.#has(tree.operand)} ? 2 : 0)`;
    }
  }

  /** Whether the Kleene number of a tree is `wanted`. */
  #is(tree: Tree, wanted: 0 | 2): string {
    const found = tree.kind === "lifted" ? this.scope.found(tree, wanted) : null;
    return found ?? `(${this.kleene(tree)} === ${wanted})`;
  }

  /** Both or either, without a branch where that costs nothing. */
  #joined(tree: OfKind<"and" | "or">, operator: "&" | "|", left: string, right: string): string {
    return `(${left} ${this.isCheap(tree) ? operator : operator + operator} ${right})`;
  }

  #number(tree: Tree): NumberPart {
    const nullable = this.scope.mayBeNull(tree);
    switch (tree.kind) {
      case "constant":
        return { text: this.scope.number(tree.value), infinite: false, nullable };
      case "column": {
        const slot = this.scope.slot(tree.index);
        return { text: this.scope.loaded(slot, `c${slot}[r]`, "NaN"), infinite: false, nullable };
      }
      case "lifted":
        return {
          text: this.scope.lookup(tree, (value) => this.scope.number(value)),
          infinite: false,
          nullable,
        };
      case "choice": {
        const text = this.#choice(tree, (side) => this.#number(side).text, "NaN");
        return { text, infinite: nullable, nullable };
      }
      case "coalesce": {
        const there = (x: string): string => `${x} - ${x} === 0`;
        const text = this.#firstOf(tree, (option) => this.#number(option).text, there);
        return { text, infinite: nullable, nullable };
      }
      default:
        return this.#calculated(tree as CallTree);
    }
  }

  #calculated(tree: CallTree): NumberPart {
    if (tree.overload.code === undefined) {
      const text = this.#strict(tree.args, (names) => this.#run(tree, names), "NaN");
      return { text, infinite: true, nullable: true };
    }
    return calculated(
      tree,
      tree.args.map((arg) => this.#number(arg)),
      this.scope,
    );
  }

  /** True where the comparison `operator` of a comparison's operands holds. */
  #compared(tree: CallTree, operator: string): string {
    const [left, right] = tree.args as [Tree, Tree];
    const { text } = comparisons[operator]!;
    if (!isNumber(left.type)) return this.#strict(tree.args, ([a, b]) => `(${a} ${text} ${b})`, "false");
    if (isPlain(left) && isPlain(right)) {
      const compared = comparedNumbers(
        operator,
        text,
        plainNumber(left, this.scope),
        plainNumber(right, this.scope),
        this.scope,
      );
      return this.scope.flagged(compared, [left, right]);
    }
    return comparedNumbers(operator, text, this.#number(left), this.#number(right), this.scope);
  }

  #kleeneCall(tree: CallTree): string {
    const comparison = comparisons[tree.entry.name];
    if (comparison === undefined) {
      if (tree.overload.partial !== true) {
        return this.#strict(tree.args, (names) => `(${this.#run(tree, names)} ? 2 : 0)`, "1");
      }
      const x = this.scope.temporary();
      return this.#strict(
        tree.args,
        (names) => `((${x} = ${this.#run(tree, names)}) === null ? 1 : ${x} ? 2 : 0)`,
        "1",
      );
    }
    return this.#strict(tree.args, ([a, b]) => `(${a} ${comparison.text} ${b} ? 2 : 0)`, "1");
  }

  /** The call of `call` with the arguments' values where none of them is null, else `nothing`. Each is used once. */
  #strict(args: readonly Tree[], call: (names: readonly string[]) => string, nothing: string): string {
    const conditions: string[] = [];
    const names = args.map((arg) => {
      const nullable = this.scope.mayBeNull(arg);
      if (arg.type === "bool" && !nullable) return `!!${this.truth(arg)}`;
      const text = isNumber(arg.type)
        ? this.#number(arg).text
        : arg.type === "bool"
          ? this.kleene(arg)
          : this.value(arg);
      if (!nullable) return text;
      const x = this.scope.temporary();
      const there = isNumber(arg.type) ? `- ${x} === 0` : arg.type === "bool" ? "!== 1" : "!== null";
      conditions.push(`(${x} = ${text}) ${there}`);
      return arg.type === "bool" ? `(${x} === 2)` : x;
    });
    return conditions.length === 0
      ? call(names)
      : `(${conditions.join(" && ")} ? ${call(names)} : ${nothing})`;
  }

  #run(tree: CallTree, names: readonly string[]): string {
    return `${this.scope.constant(tree.run)}(${names.join(", ")})`;
  }

  #found(tree: OfKind<"in">, name: string): string {
    if (tree.list.length === 0) return "false";
    if (!isNumber(tree.operand.type) || tree.list.length > listedMax) {
      return `${this.scope.constant(new Set(tree.list))}.has(${name})`;
    }
    const x = this.scope.temporary();
    return `(${x} = ${name}, ${tree.list.map((each) => `${x} === ${this.scope.number(each)}`).join(" || ")})`;
  }

  #has(operand: Tree): string {
    if (!this.scope.mayBeNull(operand)) return "true";
    if (operand.kind === "column") return `(v${this.scope.slot(operand.index)}[r] === 1)`;
    if (operand.type === "bool") return `(${this.kleene(operand)} !== 1)`;
    if (!isNumber(operand.type)) return `(${this.value(operand)} !== null)`;
    const x = this.scope.temporary();
    return `((${x} = ${this.#number(operand).text}) - ${x} === 0)`;
  }

  #choice(tree: OfKind<"choice">, side: (tree: Tree) => string, nothing: string): string {
    if (!this.scope.mayBeNull(tree.condition)) {
      return `(${this.truth(tree.condition)} ? ${side(tree.accepted)} : ${side(tree.otherwise)})`;
    }
    const x = this.scope.temporary();
    const condition = this.kleene(tree.condition);
    return `((${x} = ${condition}) === 2 ? ${side(tree.accepted)} : ${x} === 0 ? ${side(tree.otherwise)} : ${nothing})`;
  }

  #firstOf(
    tree: OfKind<"coalesce">,
    text: (option: Tree) => string,
    there: (name: string) => string,
  ): string {
    const texts = tree.options.map(text);
    return texts.reduceRight((rest, each) => {
      const x = this.scope.temporary();
      return `(${x} = ${each}, ${there(x)} ? ${x} : ${rest})`;
    });
  }
}
