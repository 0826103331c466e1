// Text to syntax tree. The grammar is CEL's, read by @marcbachmann/cel-js, of which only the parser is
// used; this is the one file that knows its tree. Nothing here knows columns, functions or types.

import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { expressionLengthMax } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { ExpressionFault, Result } from "./expression.ts";
import { faultAt, refuse } from "./fault.ts";
import { parseFault } from "./parse-fault.ts";
import { quotedNames } from "./quoted-name.ts";
import {
  arithmeticOperators,
  type BinaryOperator,
  comparisonOperators,
  type Span,
  type Syntax,
} from "./syntax.ts";

const environment = new Environment({
  limits: {
    maxDepth: limits.expression_depth_max,
    maxAstNodes: limits.expression_nodes_max,
    maxListElements: limits.expression_list_max,
    maxCallArguments: limits.expression_arguments_max,
  },
});

const binaryOperators: ReadonlySet<string> = new Set([...arithmeticOperators, ...comparisonOperators]);

/** Thrown inside this file only, to leave the recursion at the first thing that the subset does not have. */
class Refusal extends Error {
  readonly fault: ExpressionFault;
  constructor(where: Span, message: string) {
    super(message);
    this.fault = faultAt(where, message);
  }
}

/** The syntax tree of `text`, or what is wrong with it. Never throws. */
export function parse(text: string): Result<Syntax> {
  if (text.length > expressionLengthMax) {
    const where = { start: 0, end: text.length };
    return refuse(where, `expected at most ${expressionLengthMax} characters, got ${text.length}`);
  }
  const quoted = quotedNames(text);
  if (quoted.broken !== null) return refuse(quoted.broken, quoted.broken.message);
  try {
    const { ast } = environment.parse(quoted.text);
    return { ok: true, value: new Reader(quoted.text, quoted.names).read(ast, 0) };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ok: false, faults: [thrown.fault] };
    if (thrown instanceof ParseError) return { ok: false, faults: [parseFault(text, thrown)] };
    return refuse({ start: 0, end: text.length }, "this is not an expression; write it in simpler parts");
  }
}

class Reader {
  readonly #text: string;
  /** What stands in backticks, by where it begins. */
  readonly #quoted: ReadonlyMap<number, string>;
  constructor(text: string, quoted: ReadonlyMap<number, string>) {
    this.#text = text;
    this.#quoted = quoted;
  }

  /** A chain such as `a + b + c` counts as one level: only what is nested on purpose makes depth. */
  read(node: ASTNode, depth: number): Syntax {
    const { start, end } = node;
    const where = { start, end };
    if (depth > limits.expression_depth_max) {
      throw new Refusal(where, `nested too deeply: at most ${limits.expression_depth_max} levels`);
    }
    switch (node.op) {
      case "value":
        return literal(node.args, where);
      case "id":
        return { kind: "name", name: this.#quoted.get(start) ?? node.args, start, end };
      case ".":
        return this.#select(node.args[0], node.args[1], where, depth);
      case "call":
        return this.#call(
          node.args[0],
          node.args[1],
          where,
          { start, end: start + node.args[0].length },
          depth,
        );
      case "rcall":
        return this.#method(node.args, where, depth);
      case "&&":
      case "||":
        return { kind: "logic", operator: node.op, ...this.#operands(node.args, depth) };
      case "!_":
      case "-_": {
        const operand = this.read(node.args, depth + 1);
        const whole = { start, end: this.#endOf(operand, start) };
        return node.op === "-_" ? negated(operand, whole) : { kind: "not", operand, ...whole };
      }
      case "?:":
        return this.#choice(node.args, depth);
      case "in":
        return this.#membership(node.args[0], node.args[1], where, depth);
      case "list":
        throw new Refusal(where, "a list is only understood after in, as in x in [1, 2]");
      case "map":
        throw new Refusal(where, "maps are not supported; name one column or call one function");
      case "[]":
      case "[?]":
      case ".?":
        throw new Refusal(
          where,
          "indexing is not supported; a nested field is named with dots, as in position.lat, and a step unnest makes a row of each element of a list",
        );
      default:
        return this.#binary(node.op, node.args, where, depth);
    }
  }

  #binary(operator: string, args: readonly [ASTNode, ASTNode], where: Span, depth: number): Syntax {
    if (!binaryOperators.has(operator)) throw new Refusal(where, `the operator ${operator} is not supported`);
    return { kind: "binary", operator: operator as BinaryOperator, ...this.#operands(args, depth) };
  }

  /** Both sides of an operator, and from where to where it all goes. */
  #operands(
    args: readonly [ASTNode, ASTNode],
    depth: number,
  ): { readonly left: Syntax; readonly right: Syntax } & Span {
    const left = this.read(args[0], depth);
    const right = this.read(args[1], depth + 1);
    return { left, right, start: this.#startOf(left, right.start), end: this.#endOf(right, left.end) };
  }

  #choice(args: readonly [ASTNode, ASTNode, ASTNode], depth: number): Syntax {
    const condition = this.read(args[0], depth + 1);
    const accepted = this.read(args[1], depth + 1);
    const otherwise = this.read(args[2], depth + 1);
    const start = this.#startOf(condition, accepted.start);
    return {
      kind: "choice",
      condition,
      accepted,
      otherwise,
      start,
      end: this.#endOf(otherwise, accepted.end),
    };
  }

  /** Where an operand begins with the parentheses around it, which are no part of it: as many as are closed before `next`. */
  #startOf(operand: Span, next: number): number {
    let { start } = operand;
    for (const _closed of this.#text.slice(operand.end, next).matchAll(/\)/g)) {
      const opening = this.#text.lastIndexOf("(", start - 1);
      if (start > 0 && opening >= 0) start = opening;
    }
    return start;
  }

  /** Where an operand ends with them: as many as were opened since `before`. */
  #endOf(operand: Span, before: number): number {
    let { end } = operand;
    for (const _opened of this.#text.slice(before, operand.start).matchAll(/\(/g)) {
      const closing = this.#text.indexOf(")", end);
      if (closing >= 0) end = closing + 1;
    }
    return end;
  }

  #select(operand: ASTNode, written: string, where: Span, depth: number): Syntax {
    const of = this.read(operand, depth + 1);
    const field = this.#quoted.get(where.end - written.length) ?? written;
    if (of.kind !== "name") {
      throw new Refusal(where, `.${field} needs a column before it, as in position.${field}`);
    }
    return { kind: "name", name: `${of.name}.${field}`, ...where };
  }

  #method(parts: readonly [string, ASTNode, ASTNode[]], where: Span, depth: number): Syntax {
    const [name, receiver, args] = parts;
    const start = Math.max(receiver.end, this.#text.indexOf(name, receiver.end));
    return this.#call(name, [receiver, ...args], where, { start, end: start + name.length }, depth);
  }

  #call(name: string, args: readonly ASTNode[], where: Span, callee: Span, depth: number): Syntax {
    if (this.#quoted.has(callee.start))
      throw new Refusal(callee, "a name in backticks is a column; a function is called without them");
    return { kind: "call", name, callee, args: args.map((each) => this.read(each, depth + 1)), ...where };
  }

  #membership(operand: ASTNode, list: ASTNode, where: Span, depth: number): Syntax {
    if (list.op !== "list") {
      throw new Refusal(list.range, 'expected a list after in, as in device in ["a", "b"]');
    }
    return {
      kind: "in",
      operand: this.read(operand, depth),
      list: list.args.map((each) => this.read(each, depth + 1)),
      ...where,
    };
  }
}

function literal(value: unknown, where: Span): Syntax {
  switch (typeof value) {
    case "bigint":
      return { kind: "number", value: Number(value), integer: value, ...where };
    case "number":
      return { kind: "number", value, integer: null, ...where };
    case "string":
      return { kind: "text", value, ...where };
    case "boolean":
      return { kind: "bool", value, ...where };
    default:
      if (value === null) return { kind: "null", ...where };
      if (value instanceof Uint8Array)
        throw new Refusal(where, 'bytes are not supported; write a text, as in "abc"');
      throw new Refusal(where, "unsigned numbers are not supported; leave the u away");
  }
}

/** A minus before a number belongs to the number, so that the smallest int64 can be written. */
function negated(operand: Syntax, where: Span): Syntax {
  if (operand.kind !== "number") return { kind: "negate", operand, ...where };
  const integer = operand.integer === null ? null : -operand.integer;
  return { kind: "number", value: -operand.value, integer, ...where };
}
