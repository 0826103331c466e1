// Which fields an expression reads and what type its use of each demands, where no schema says so. A
// guess from the text alone; it never decides whether an expression is right, the checker does.

import type { ColumnType } from "../../operators/sdk/index.ts";
import type { ColumnUse, Result } from "./expression.ts";
import { callable } from "./functions.ts";
import { parse } from "./parse.ts";
import { arithmeticOperators, type CallSyntax, type Syntax } from "./syntax.ts";

type Binary = Extract<Syntax, { kind: "binary" }>;
type Demand = ColumnType | null;

/** Further rounds in which what one use tells about a column helps another: `a > b && b > 3`. */
const roundsMax = 8;

/** Every use of a column in `text`, in order. `types` are the accepted types of the whole, as for `compile`. */
export function fieldsOf(text: string, types: readonly ColumnType[] = []): Result<readonly ColumnUse[]> {
  const parsed = parse(text);
  return parsed.ok ? { ok: true, value: usesIn(parsed.value, oneOf(types)) } : parsed;
}

/** The uses in a part of a text, of which the type `demand` is wanted. */
export function usesIn(syntax: Syntax, demand: Demand): readonly ColumnUse[] {
  const inference = new Inference();
  for (let round = 0; round < roundsMax; round++) {
    const before = inference.types.size;
    inference.uses = [];
    inference.visit(syntax, demand);
    if (inference.types.size === before) break;
  }
  return inference.uses
    .map(({ name, type, start, end }) => ({
      name,
      type: type ?? inference.types.get(name) ?? null,
      start,
      end,
    }))
    .toSorted((a, b) => a.start - b.start);
}

/** The type that a set of accepted ones stands for: the only one, or the plain number of several numeric ones. */
export function oneOf(types: readonly ColumnType[]): Demand {
  const distinct = new Set(types);
  if (distinct.size === 1) return types[0]!;
  const numeric = types.every((type) => type === "float64" || type === "int64" || type === "time");
  return numeric && distinct.has("float64") ? "float64" : null;
}

class Inference {
  /** What is known of each column: what its first telling use demanded. */
  readonly types = new Map<string, ColumnType>();
  uses: ColumnUse[] = [];

  visit(syntax: Syntax, demand: Demand): void {
    switch (syntax.kind) {
      case "name":
        if (demand !== null && !this.types.has(syntax.name)) this.types.set(syntax.name, demand);
        this.uses.push({ name: syntax.name, type: demand, start: syntax.start, end: syntax.end });
        return;
      case "negate":
        return this.visit(syntax.operand, demand ?? "float64");
      case "not":
        return this.visit(syntax.operand, "bool");
      case "logic":
        this.visit(syntax.left, "bool");
        return this.visit(syntax.right, "bool");
      case "choice":
        this.visit(syntax.condition, "bool");
        return this.#alike([syntax.accepted, syntax.otherwise], demand);
      case "in":
        return this.visit(syntax.operand, syntax.list[0] === undefined ? null : this.#known(syntax.list[0]));
      case "binary":
        return this.#binary(syntax, demand);
      case "call":
        return this.#call(syntax, demand);
      default:
    }
  }

  /** Parts that must be of one type. */
  #alike(parts: readonly Syntax[], demand: Demand): void {
    const type = demand ?? this.#firstKnown(parts);
    for (const part of parts) this.visit(part, type);
  }

  #binary(syntax: Binary, demand: Demand): void {
    const { left, right, operator } = syntax;
    if (operator === "+" || operator === "-") {
      const [first, second] = this.#terms(syntax, demand);
      this.visit(left, first);
      this.visit(right, second);
    } else if (operator === "*" || operator === "/" || operator === "%") {
      this.#alike([left, right], this.#firstKnown([left, right]) ?? "float64");
    } else {
      this.visit(left, this.#known(right));
      this.visit(right, this.#known(left));
    }
  }

  /** What `+` and `-` demand of their sides. */
  #terms({ left, right, operator }: Binary, demand: Demand): [Demand, Demand] {
    const first = this.#known(left);
    const second = this.#known(right);
    if (operator === "+" && [first, second, demand].includes("string")) return ["string", "string"];
    if (demand === "time") {
      return operator === "+" && first === "float64" && second !== "float64"
        ? ["float64", "time"]
        : ["time", "float64"];
    }
    if (first === "time") return ["time", operator === "+" ? "float64" : second];
    if (second === "time") return [operator === "+" ? "float64" : "time", "time"];
    const either = first ?? second ?? demand ?? (operator === "-" ? "float64" : null);
    return [either, either];
  }

  #call(syntax: CallSyntax, demand: Demand): void {
    const { name, args } = syntax;
    if (name === "coalesce") return this.#alike(args, demand);
    const overloads = this.#overloads(syntax);
    const wanted = overloads.filter((each) => each.gives === demand);
    const candidates = wanted.length > 0 ? wanted : overloads;
    args.forEach((arg, i) => this.visit(arg, oneOf(candidates.map((each) => each.takes[i]!))));
  }

  /** The overloads that what is known of the arguments leaves. */
  #overloads({ name, args }: CallSyntax): { takes: readonly ColumnType[]; gives: ColumnType }[] {
    const types = args.map((arg) => this.#known(arg));
    return (callable.get(name)?.overloads ?? []).filter(
      ({ takes }) =>
        takes.length === args.length && takes.every((type, i) => types[i] === null || types[i] === type),
    );
  }

  #firstKnown(parts: readonly Syntax[]): Demand {
    for (const part of parts) {
      const type = this.#known(part);
      if (type !== null) return type;
    }
    return null;
  }

  /** The type of a part as far as it shows. */
  #known(syntax: Syntax): Demand {
    switch (syntax.kind) {
      case "number":
        return "float64";
      case "text":
        return "string";
      case "null":
        return null;
      case "name":
        return this.types.get(syntax.name) ?? null;
      case "negate":
        return this.#known(syntax.operand) ?? "float64";
      case "choice":
        return this.#firstKnown([syntax.accepted, syntax.otherwise]);
      case "binary":
        return (arithmeticOperators as readonly string[]).includes(syntax.operator)
          ? this.#result(syntax)
          : "bool";
      case "call":
        if (syntax.name === "has") return "bool";
        if (syntax.name === "coalesce") return this.#firstKnown(syntax.args);
        return oneOf(this.#overloads(syntax).map((each) => each.gives));
      default:
        return "bool";
    }
  }

  #result({ left, right, operator }: Binary): Demand {
    const first = this.#known(left);
    const second = this.#known(right);
    if (operator === "-" && first === "time" && second === "time") return "float64";
    if (first === "time" || second === "time") return operator === "-" && second === null ? null : "time";
    return first ?? second ?? (operator === "+" ? null : "float64");
  }
}
