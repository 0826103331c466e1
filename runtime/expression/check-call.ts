// Which overload of a function is meant by the types of its arguments, and the cure when none is.

import type { ColumnType } from "../../operators/sdk/index.ts";
import { type Gathering, listed } from "./fault.ts";
import { callable } from "./functions.ts";
import { didYouMean } from "./near-name.ts";
import type { FunctionEntry, Overload, Run, Value } from "./overload.ts";
import { type CallSyntax, comparisonOperators, type Syntax } from "./syntax.ts";
import { isNumber, type Tree } from "./tree.ts";

/** The call of an operator (`callee` is its entry) or of a function by its name. Null after a fault. */
export function resolveCall(
  gathering: Gathering,
  callee: FunctionEntry | string,
  syntax: Syntax,
  parts: readonly Syntax[],
  args: readonly (Tree | null)[],
): Tree | null {
  const entry = typeof callee === "string" ? callable.get(callee) : callee;
  if (entry === undefined) return unknownFunction(gathering, syntax as CallSyntax, args);
  const arity = new Set(entry.overloads.map((each) => each.takes.length));
  if (!arity.has(parts.length)) {
    const expected = listed([...arity].map(String), "or");
    return gathering.fault(
      syntax,
      `${entry.name} expected ${expected} argument${expected === "1" ? "" : "s"}, got ${parts.length}`,
    );
  }
  if (args.includes(null)) return null;
  const trees = args as readonly Tree[];
  const overload = entry.overloads.find(
    ({ takes }) => takes.length === trees.length && takes.every((type, i) => trees[i]!.type === type),
  );
  if (overload === undefined) return wrongTypes(gathering, entry, syntax, parts, trees);
  if (overload.prepare !== undefined) return prepared(gathering, entry, overload, parts, trees);
  return folded(gathering, syntax, {
    kind: "call",
    type: overload.gives,
    entry,
    overload,
    run: overload.run,
    args: trees,
  });
}

function unknownFunction(gathering: Gathering, syntax: CallSyntax, args: readonly (Tree | null)[]): null {
  if (/^(?:now|today|current_?timestamp|sysdate)$/i.test(syntax.name))
    return gathering.fault(
      syntax.callee,
      `there is no function ${syntax.name}: rows depend on records and their times alone, so that they can be made again; how long something lasts is for absence, hold and previous`,
    );
  const near = didYouMean(syntax.name, callable.keys());
  const known = near === "" ? `; ${functionsOf(args)}` : near;
  return gathering.fault(syntax.callee, `there is no function ${syntax.name}${known}`);
}

/** What there is for arguments of these types; one that is wrong itself may be of any. */
function functionsOf(args: readonly (Tree | null)[]): string {
  const takesThem = ({ takes }: Overload): boolean =>
    takes.length === args.length && takes.every((type, i) => args[i] === null || args[i]!.type === type);
  const names = [...callable.values()]
    .filter(({ overloads }) => overloads.some(takesThem))
    .map(({ name }) => name);
  const types = listed(
    args.map((arg) => arg?.type ?? "any"),
    "and",
  );
  return names.length === 0
    ? "weir docs lists those that there are"
    : `of ${types} there is ${names.join(", ")}`;
}

function prepared(
  gathering: Gathering,
  entry: FunctionEntry,
  overload: Overload,
  parts: readonly Syntax[],
  trees: readonly Tree[],
): Tree | null {
  const last = parts.at(-1)!;
  if (last.kind !== "text")
    return gathering.fault(last, `${entry.name} expected a literal text here, in quotes`);
  const made = overload.prepare!(last.value);
  if (!made.ok) return gathering.fault(last, made.message);
  return { kind: "call", type: overload.gives, entry, overload, run: made.run, args: trees.slice(0, -1) };
}

/** A call of constants is a constant; one without a value is a mistake. */
function folded(gathering: Gathering, syntax: Syntax, call: Extract<Tree, { kind: "call" }>): Tree | null {
  if (!call.args.every((arg) => arg.kind === "constant" && arg.value !== null)) return call;
  const values = call.args.map((arg) => (arg as { value: Value }).value);
  const value = (call.run as Run & ((...given: readonly Value[]) => Value | null))(...values);
  if (value === null || (isNumber(call.type) && !Number.isFinite(value))) {
    return gathering.fault(syntax, `this has no value: ${reasonFor(call.entry.name)}`);
  }
  return { kind: "constant", type: call.type, value };
}

function reasonFor(name: string): string {
  if (name === "timestamp") return 'expected RFC 3339, as in timestamp("2026-01-01T00:00:00Z")';
  if (name === "duration") return 'expected a length of time such as "500ms", "10s", "1m30s" or "2h"';
  return `${name} of these is always null`;
}

function wrongTypes(
  gathering: Gathering,
  entry: FunctionEntry,
  syntax: Syntax,
  parts: readonly Syntax[],
  trees: readonly Tree[],
): null {
  const got = listed(
    trees.map((tree) => tree.type),
    "and",
  );
  const accepted = [...new Set(entry.overloads.map((each) => listed(each.takes, "and")))];
  // An operator's fault is the whole operation's; a function's wrong argument can be pointed at.
  const wrong = trees.findIndex((tree, i) => !entry.overloads.some((each) => each.takes[i] === tree.type));
  const where = entry.kind === "function" && wrong >= 0 ? parts[wrong]! : syntax;
  const cure = cureFor(
    gathering,
    parts,
    trees.map((tree) => tree.type),
    entry,
  );
  return gathering.fault(where, `${entry.name} expected ${listed(accepted, "or")}; got ${got}${cure}`);
}

/** A text as a time: as it is, where it may be one; else one of its form. */
function timestampOf(text: string): string {
  const isNone = text.startsWith('"') && !/T.*(Z|[+-]\d\d:\d\d)"$/.test(text);
  return isNone ? 'timestamp("2026-01-01T00:00:00Z"), with its zone' : `timestamp(${text})`;
}

const comparing: ReadonlySet<string> = new Set(comparisonOperators);

/** `1 < x < 3` as two comparisons; null where none is compared. */
function unchained(
  gathering: Gathering,
  [left, right]: readonly Syntax[],
  entry: FunctionEntry,
): string | null {
  if (left?.kind !== "binary" || right === undefined) return null;
  if (!comparing.has(left.operator) || !comparing.has(entry.name)) return null;
  const [first, middle, last] = [left, left.right, right].map((part) => gathering.written(part));
  return `${first} && ${middle} ${entry.name} ${last}`;
}

function cureFor(
  gathering: Gathering,
  parts: readonly Syntax[],
  types: readonly ColumnType[],
  entry: FunctionEntry,
): string {
  const chain = unchained(gathering, parts, entry);
  if (chain !== null) return `; write ${chain}`;
  const written = (type: ColumnType): string => gathering.written(parts[types.indexOf(type)]!);
  const has = (type: ColumnType): boolean => types.includes(type);
  if (has("json")) return `; declare the type of ${written("json")} in the schema`;
  if (
    has("int64") &&
    has("string") &&
    entry.overloads.some(({ takes }) => takes.every((each) => each === "string"))
  ) {
    const text = written("string");
    const number = /^"(-?\d+)"$/.exec(text)?.[1];
    if (number !== undefined) return `; write ${number} without quotes`;
    const asNumber = parts[types.indexOf("string")]!.kind === "text" ? "" : `int(${text}) or `;
    return `; write ${asNumber}string(${written("int64")})`;
  }
  if (has("int64") && entry.overloads.some((each) => each.takes.includes("float64"))) {
    return `; write double(${written("int64")})`;
  }
  if (has("time") && has("string")) return `; write ${timestampOf(written("string"))}`;
  if (has("time") && has("float64")) {
    return `; write double(${written("time")}) for its ms since the epoch, or timestamp("2026-01-01T00:00:00Z") for a time`;
  }
  const quoted = has("string") && has("float64") ? /^"(-?\d+(?:\.\d+)?)"$/.exec(written("string")) : null;
  if (quoted !== null) return `; write ${quoted[1]} without quotes`;
  if (has("string") && has("float64")) {
    const asNumber =
      parts[types.indexOf("string")]!.kind === "text" ? "" : `double(${written("string")}) or `;
    return `; write ${asNumber}string(${written("float64")})`;
  }
  if (has("bool") && has("float64")) return `; write double(${written("bool")})`;
  return "";
}
