// Settings that name columns, bound to the columns of a step's input: expressions compiled, columns
// found, aggregates called. Never decides what the input's columns are.

import {
  type AggregateCall,
  type ColumnReference,
  type ColumnType,
  type Expression,
  type MemberReference,
  type Schema,
  Unbound,
} from "../../operators/sdk/index.ts";
import { aggregateFieldsOf, compile, compileAggregate, fieldsOf } from "../expression/compile.ts";
import type { ColumnUse, ExpressionFault, Result } from "../expression/expression.ts";
import { choiceOf, didYouMean } from "./nearest.ts";
import type { Path } from "./pipeline.ts";

export type Bound = Expression | ColumnReference | MemberReference | AggregateCall;

/** A copy of `config` with every unbound setting replaced; `path` leads to it from the operator's own setting. */
export function replaceUnbound(
  config: unknown,
  replace: (unbound: Unbound, path: Path) => unknown,
  path: Path = [],
): unknown {
  if (config instanceof Unbound) return replace(config, path);
  if (Array.isArray(config))
    return config.map((item, place) => replaceUnbound(item, replace, [...path, place]));
  if (!isPlainObject(config)) return config;
  const entries = Object.entries(config);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, replaceUnbound(value, replace, [...path, name])]),
  );
}

/** Every unbound setting of a step, in order. */
export function unboundIn(config: unknown): readonly { readonly unbound: Unbound; readonly path: Path }[] {
  const found: { unbound: Unbound; path: Path }[] = [];
  replaceUnbound(config, (unbound, path) => found.push({ unbound, path }));
  return found;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What an unbound setting asks for, found in `schema`; otherwise why not, with offsets into its text. */
export function bind({ text, want }: Unbound, schema: Schema): Result<Bound> {
  if (want.kind === "column") return bindColumn(text, want.types, schema);
  if (want.kind === "member") return bindMember(text, want.types, schema);
  if (want.kind === "aggregate") return compileAggregate(text, want.aggregates, schema, { types: [] });
  return compile(text, schema, { types: want.types });
}

/** The column called `name`. */
export function bindColumn(
  name: string,
  types: readonly ColumnType[],
  schema: Schema,
): Result<ColumnReference> {
  const refuse = (message: string): Result<ColumnReference> => ({
    ok: false,
    faults: [{ start: 0, end: name.length, message }],
  });
  const index = schema.fields.findIndex((each) => each.name === name);
  const found = schema.fields[index];
  if (found === undefined) {
    const hint = didYouMean(
      name,
      schema.fields.map((each) => each.name),
    );
    return refuse(hint === null ? `there is no column ${name}` : `there is no column ${name}; ${hint}`);
  }
  if (types.length > 0 && !types.includes(found.type)) {
    const inside = `: name a value inside it, such as ${name}.id, and declare it in the schema`;
    const cure = found.type === "json" ? inside : "";
    return refuse(`${name} is of type ${found.type}; expected ${choiceOf(types)}${cure}`);
  }
  return { ok: true, value: { name, type: found.type, index } };
}

/** What stands before the first dot and behind it; null when one of the two is missing. */
export function memberParts(text: string): { readonly input: string; readonly column: string } | null {
  const dot = text.indexOf(".");
  if (dot < 1 || dot === text.length - 1) return null;
  return { input: text.slice(0, dot), column: text.slice(dot + 1) };
}

function bindMember(text: string, types: readonly ColumnType[], schema: Schema): Result<MemberReference> {
  const parts = memberParts(text);
  if (parts === null) return { ok: false, faults: [notMember(text)] };
  const bound = bindColumn(parts.column, types, schema);
  if (bound.ok) return { ok: true, value: { input: parts.input, column: bound.value } };
  const before = parts.input.length + 1;
  const faults = bound.faults.map((each) => ({
    ...each,
    start: each.start + before,
    end: each.end + before,
  }));
  return { ok: false, faults };
}

function notMember(text: string): ExpressionFault {
  const message = "expected an input and one of its columns, such as temp.value";
  return { start: 0, end: text.length, message };
}

/** A column that a setting reads, and what it may be: any type when `types` is empty. */
export interface Demand {
  readonly name: string;
  readonly types: readonly ColumnType[];
  readonly start: number;
  readonly end: number;
}

/** The columns that an unbound setting reads; none where its text has a fault of its own. */
export function demandsOf(unbound: Unbound): readonly Demand[] {
  const { text, want } = unbound;
  if (want.kind === "column") return [{ name: text, types: want.types, start: 0, end: text.length }];
  if (want.kind === "member") {
    const column = memberParts(text)?.column;
    if (column === undefined) return [];
    return [{ name: column, types: want.types, start: text.length - column.length, end: text.length }];
  }
  const uses = usesOf(unbound);
  if (!uses.ok) return [];
  return uses.value.map(({ name, type, start, end }) => ({
    name,
    types: type === null ? [] : [type],
    start,
    end,
  }));
}

/** What is wrong with an unbound setting whatever the columns are. */
export function syntaxFaultsOf(unbound: Unbound): readonly ExpressionFault[] {
  const uses = usesOf(unbound);
  return uses.ok ? [] : uses.faults;
}

function usesOf({ text, want }: Unbound): Result<readonly ColumnUse[]> {
  if (want.kind === "column") return { ok: true, value: [] };
  if (want.kind === "member") {
    return memberParts(text) === null ? { ok: false, faults: [notMember(text)] } : { ok: true, value: [] };
  }
  return want.kind === "expression" ? fieldsOf(text, want.types) : aggregateFieldsOf(text, want.aggregates);
}

/** Stands in for a setting that cannot be bound yet, so that the columns of later steps can be told. */
export function placeholder({ text, want }: Unbound): Bound {
  if (want.kind === "column") return { name: text, type: want.types[0] ?? "json", index: -1 };
  if (want.kind === "member") {
    const { input, column } = memberParts(text) ?? { input: text, column: text };
    return { input, column: { name: column, type: want.types[0] ?? "json", index: -1 } };
  }
  const unusable = (): never => {
    throw new TypeError("a placeholder is never run");
  };
  if (want.kind === "expression") {
    return { text, type: want.types[0] ?? "json", evaluate: unusable, select: unusable };
  }
  const aggregate = { initial: [], add: unusable, merge: unusable, finish: unusable };
  return { text, name: text, type: "float64", input: null, aggregate };
}

/** A fault's message, and what it suggests after a semicolon. */
export function splitFault({ message }: ExpressionFault): {
  readonly message: string;
  readonly hint: string | null;
} {
  const [, before, hint] = /^(.*); (did you mean [^;]*)$/.exec(message) ?? [];
  return before === undefined || hint === undefined ? { message, hint: null } : { message: before, hint };
}
