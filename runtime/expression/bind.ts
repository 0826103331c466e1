// Text to an expression over a schema's columns: parse, check, choose a back end.

import type { Batch, Column, ColumnType, Expression, Schema } from "../../operators/sdk/index.ts";
import { check } from "./check.ts";
import { CodeKernel, codeAllowed } from "./code.ts";
import { type Tested, testOf } from "./column-test.ts";
import type { Backend, CompileOptions, Result } from "./expression.ts";
import { listed, refuse } from "./fault.ts";
import { ClosureKernel } from "./interpret.ts";
import type { Kernel } from "./kernel.ts";
import { parse } from "./parse.ts";
import type { Syntax } from "./syntax.ts";
import type { Tree } from "./tree.ts";

/** The expression that `text` is over `schema`, or every mistake in it. Never throws for a text. */
export function compile(text: string, schema: Schema, options: CompileOptions): Result<Expression> {
  const parsed = parse(text);
  return parsed.ok ? bind(parsed.value, text, text, schema, options) : parsed;
}

/** As `compile`, for a part of `text`; `written` is what the expression is called. */
export function bind(
  syntax: Syntax,
  text: string,
  written: string,
  schema: Schema,
  options: CompileOptions,
): Result<Expression> {
  const checked = check(syntax, text, schema);
  if (!checked.ok) return checked;
  const tree = checked.value;
  const wrong = typeFault(tree.type, options.types, written);
  if (wrong !== null) return refuse(syntax, wrong);
  return { ok: true, value: expressionOf(tree, written, options.backend) };
}

/** Why `type` is not one of `types`; null when it is, or when any will do. */
export function typeFault(type: ColumnType, types: readonly ColumnType[], written: string): string | null {
  if (types.length === 0 || types.includes(type)) return null;
  return `expected ${listed(types, "or")}, got ${type}${cureFor(type, types, written)}`;
}

function cureFor(type: ColumnType, types: readonly ColumnType[], written: string): string {
  if (type === "json") return `; declare the type of ${written} in the schema`;
  if (types.includes("float64") && ["int64", "bool", "string", "time"].includes(type))
    return `; write double(${written})`;
  if (types.includes("bool"))
    return type === "float64" ? "; compare it, as in x > 0" : "; compare it, as in x == y";
  if (types.includes("string")) return `; write string(${written})`;
  return "";
}

function expressionOf(tree: Tree, text: string, backend: Backend | undefined): Expression & Tested {
  const kernel = kernelOf(tree, backend);
  const { type } = tree;
  return {
    text,
    type,
    test: testOf(tree),
    evaluate: (batch: Batch): Column => kernel.evaluate(batch),
    select(batch: Batch, rows: Uint32Array): number {
      if (type !== "bool") throw new TypeError(`select wants an expression of type bool, ${text} is ${type}`);
      return kernel.select(batch, rows);
    },
  };
}

function kernelOf(tree: Tree, backend: Backend | undefined): Kernel {
  const code = backend !== "closure" && codeAllowed();
  const kernel = code ? new CodeKernel(tree) : new ClosureKernel(tree);
  if (tree.kind !== "column") return kernel;
  // A column as it stands: nothing is copied.
  const { index } = tree;
  return { evaluate: (batch) => batch.columns[index]!, select: (batch, rows) => kernel.select(batch, rows) };
}
