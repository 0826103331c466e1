// Syntax to typed tree against a schema: names become column numbers, calls become overloads, literals
// get the type of what they stand beside. All mistakes are gathered; nothing is evaluated but constants.

import type { Schema } from "../../operators/sdk/index.ts";
import { resolveCall } from "./check-call.ts";
import type { ExpressionFault, Result } from "./expression.ts";
import { faultAt, type Gathering } from "./fault.ts";
import { callable, operatorEntry } from "./functions.ts";
import { didYouMean, nearName } from "./near-name.ts";
import type { Value } from "./overload.ts";
import { inBackticks } from "./quoted-name.ts";
import type { Span, Syntax } from "./syntax.ts";
import type { Tree } from "./tree.ts";

/** The typed tree of `syntax`, or everything that is wrong with it. `text` is what it was read from. */
export function check(syntax: Syntax, text: string, schema: Schema): Result<Tree> {
  const checker = new Checker(text, schema);
  const tree = checker.tree(syntax);
  if (tree === null || checker.faults.length > 0) return { ok: false, faults: checker.faults };
  return { ok: true, value: tree };
}

/**
 * Whether a syntax is a whole number, or made of such: it takes the type of what it stands beside.
 * Not a division: 9 / 5 is 1.8 wherever it stands.
 */
function adapts(syntax: Syntax): boolean {
  switch (syntax.kind) {
    case "number":
      return syntax.integer !== null;
    case "negate":
      return adapts(syntax.operand);
    case "binary":
      return "+-*%".includes(syntax.operator) && adapts(syntax.left) && adapts(syntax.right);
    default:
      return false;
  }
}

class Checker implements Gathering {
  readonly faults: ExpressionFault[] = [];
  readonly text: string;
  readonly #schema: Schema;
  readonly #columns: ReadonlyMap<string, number>;

  constructor(text: string, schema: Schema) {
    this.text = text;
    this.#schema = schema;
    this.#columns = new Map(schema.fields.map((field, index) => [field.name, index]));
  }

  /** Null when there is a fault in it. `exact` asks for int64 of whole numbers. */
  tree(syntax: Syntax, exact = false): Tree | null {
    switch (syntax.kind) {
      case "number":
        return this.#number(syntax, exact);
      case "text":
        return { kind: "constant", type: "string", value: syntax.value };
      case "bool":
        return { kind: "constant", type: "bool", value: syntax.value };
      case "null":
        return this.fault(
          syntax,
          "null is only understood in x == null, x != null and beside the : of a choice",
        );
      case "name":
        return this.#column(syntax);
      case "negate":
        return resolveCall(
          this,
          operatorEntry("-x"),
          syntax,
          [syntax.operand],
          this.together([syntax.operand], exact),
        );
      case "binary":
        return this.#binary(syntax, exact);
      case "call":
        return this.#call(syntax);
      case "not": {
        const operand = this.#bool(syntax.operand, "!");
        return operand && { kind: "not", type: "bool", operand };
      }
      case "logic": {
        const left = this.#bool(syntax.left, syntax.operator);
        const right = this.#bool(syntax.right, syntax.operator);
        return left && right && { kind: syntax.operator === "&&" ? "and" : "or", type: "bool", left, right };
      }
      case "choice":
        return this.#choice(syntax);
      default:
        return this.#membership(syntax);
    }
  }

  fault(where: Span, message: string): null {
    this.faults.push(faultAt(where, message));
    return null;
  }

  written(where: Span): string {
    return this.text.slice(where.start, where.end);
  }

  /** Trees that stand beside one another: whole numbers are int64 where one of the others is. */
  together(parts: readonly Syntax[], exact = false): (Tree | null)[] {
    const trees = parts.map((part) => (adapts(part) ? undefined : this.tree(part)));
    const integers = exact || trees.some((tree) => tree?.type === "int64");
    return trees.map((tree, i) => (tree === undefined ? this.tree(parts[i]!, integers) : tree));
  }

  #number(syntax: Extract<Syntax, { kind: "number" }>, exact: boolean): Tree | null {
    const { integer, value } = syntax;
    if (exact && integer !== null) {
      if (BigInt.asIntN(64, integer) === integer) return { kind: "constant", type: "int64", value: integer };
      return this.fault(syntax, "this number does not fit int64 (-2^63 … 2^63 - 1)");
    }
    if (integer !== null && (!Number.isFinite(value) || BigInt(value) !== integer)) {
      const near = Number.isFinite(value) ? `; write ${value.toExponential()} if the nearest will do` : "";
      return this.fault(syntax, `float64 cannot hold this number exactly${near}`);
    }
    return { kind: "constant", type: "float64", value };
  }

  #column(syntax: Extract<Syntax, { kind: "name" }>): Tree | null {
    const index = this.#columns.get(syntax.name);
    if (index !== undefined) return { kind: "column", type: this.#schema.fields[index]!.type, index };
    const names = [...this.#columns.keys()];
    const parent = names.find((name) => syntax.name.startsWith(`${name}.`));
    if (parent !== undefined && this.#schema.fields[this.#columns.get(parent)!]!.type === "json") {
      return this.fault(
        syntax,
        `there is no column ${syntax.name}; declare it in the schema beside ${parent}`,
      );
    }
    const parentType =
      parent === undefined ? undefined : this.#schema.fields[this.#columns.get(parent)!]!.type;
    const inside =
      parentType === "time" ? nearName(syntax.name.slice(parent!.length + 1), callable.keys()) : undefined;
    if (inside !== undefined)
      return this.fault(syntax, `there is no column ${syntax.name}; write ${parent}.${inside}()`);
    if (this.#isUnquoted(syntax, `column ${syntax.name}`)) return null;
    const near = didYouMean(syntax.name, names);
    // YAML takes the quotes around a setting for its own.
    const isAll = this.text.trim() === syntax.name;
    const known =
      names.length === 0
        ? ""
        : `; there is ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}; a text stands in quotes${isAll ? ` of its own: '"${syntax.name}"'` : ""}`;
    return this.fault(syntax, `there is no column ${syntax.name}${near === "" ? known : near}`);
  }

  /** Whether this is a part of a column's name that stands in backticks; its parts are told of together. */
  #isUnquoted(where: Span, what: string): boolean {
    const cure = inBackticks(this.text, where, this.#columns.keys());
    if (cure === null) return false;
    const isKnown = this.faults.some(({ message }) => message.endsWith(cure));
    if (!isKnown) this.fault(where, `there is no ${what}; ${cure}`);
    return true;
  }

  #bool(syntax: Syntax, operator: string): Tree | null {
    const tree = this.tree(syntax);
    if (tree === null || tree.type === "bool") return tree;
    const written = this.written(syntax);
    const cure =
      tree.type === "float64"
        ? `; compare it, as in ${written} != 0`
        : `; write has(${written}) to ask whether it is there`;
    return this.fault(syntax, `${operator} expected bool, got ${tree.type}${cure}`);
  }

  #binary(syntax: Extract<Syntax, { kind: "binary" }>, exact: boolean): Tree | null {
    const { operator, left, right } = syntax;
    if (operator === "==" || operator === "!=") {
      const tested = left.kind === "null" ? right : right.kind === "null" ? left : null;
      if (tested !== null) return this.#present(tested, operator === "!=");
    }
    return resolveCall(
      this,
      operatorEntry(operator),
      syntax,
      [left, right],
      this.together([left, right], exact),
    );
  }

  #present(syntax: Syntax, there: boolean): Tree | null {
    const operand = this.tree(syntax);
    if (operand === null) return null;
    const has: Tree = { kind: "has", type: "bool", operand };
    return there ? has : { kind: "not", type: "bool", operand: has };
  }

  #call(syntax: Extract<Syntax, { kind: "call" }>): Tree | null {
    const { name, args } = syntax;
    if (name === "has") {
      if (args.length === 1) return this.#present(args[0]!, true);
      return this.fault(syntax, `has expected 1 argument, got ${args.length}`);
    }
    if (name === "coalesce") return this.#coalesce(syntax, args);
    if (!callable.has(name) && this.#isUnquoted(syntax.callee, `function ${name}`)) return null;
    return resolveCall(this, name, syntax, args, this.together(args));
  }

  #coalesce(where: Span, args: readonly Syntax[]): Tree | null {
    if (args.length < 2)
      return this.fault(where, `coalesce expected at least 2 arguments, got ${args.length}`);
    const options = this.#alike(args, "coalesce");
    return options && { kind: "coalesce", type: options[0]!.type, options };
  }

  #choice(syntax: Extract<Syntax, { kind: "choice" }>): Tree | null {
    const condition = this.#bool(syntax.condition, "?");
    const { accepted, otherwise } = syntax;
    if (accepted.kind === "null" && otherwise.kind === "null")
      return this.fault(syntax, "one side of : must not be null");
    const sides = [accepted, otherwise].filter((side) => side.kind !== "null");
    const trees = this.#alike(sides, "a choice");
    if (condition === null || trees === null) return null;
    const type = trees[0]!.type;
    const none: Tree = { kind: "constant", type, value: null };
    return {
      kind: "choice",
      type,
      condition,
      accepted: accepted.kind === "null" ? none : trees[0]!,
      otherwise: otherwise.kind === "null" ? none : trees.at(-1)!,
    };
  }

  /** Trees of one type that is not json. */
  #alike(parts: readonly Syntax[], of: string): Tree[] | null {
    const trees = this.together(parts);
    if (trees.includes(null)) return null;
    const type = trees[0]!.type;
    if (type === "json") {
      this.fault(
        parts[0]!,
        `${of} cannot take a json column; declare the type of ${this.written(parts[0]!)} in the schema`,
      );
      return null;
    }
    const other = trees.findIndex((tree) => tree!.type !== type);
    if (other < 0) return trees as Tree[];
    const mixed = [type, trees[other]!.type].toSorted().join() === "float64,int64";
    const integer = type === "int64" ? parts[0]! : parts[other]!;
    const cure = mixed ? `; write double(${this.written(integer)})` : "";
    return this.fault(parts[other]!, `${of} expected ${type}, got ${trees[other]!.type}${cure}`);
  }

  #membership(syntax: Extract<Syntax, { kind: "in" }>): Tree | null {
    const operand = this.tree(syntax.operand);
    if (operand === null) return null;
    if (operand.type === "bool" || operand.type === "json") {
      return this.fault(syntax.operand, `in expected float64, int64, time or string, got ${operand.type}`);
    }
    const list: Value[] = [];
    for (const each of syntax.list) {
      const tree = this.tree(each, operand.type === "int64");
      if (tree === null) continue;
      if (tree.type !== operand.type)
        this.fault(each, `in expected ${operand.type} as before it, got ${tree.type}`);
      else if (tree.kind === "constant" && tree.value !== null) list.push(tree.value);
      else this.fault(each, "a list holds literals only; write x == a || x == b to compare with columns");
    }
    return list.length < syntax.list.length ? null : { kind: "in", type: "bool", operand, list };
  }
}
