// A call of an aggregate, `quantile(temp, 0.99)` or `arg_max(device, temp)`: one or two arguments are
// expressions, the rest are literal numbers. Knows no aggregate by name: the caller gives the list.

import type {
  Aggregate,
  AggregateCall,
  AggregateDefinition,
  ColumnType,
  Expression,
  Schema,
} from "../../operators/sdk/index.ts";
import { messageOf } from "../errors.ts";
import { bind, typeFault } from "./bind.ts";
import type { ColumnUse, CompileOptions, ExpressionFault, Result } from "./expression.ts";
import { faultAt, listed, refuse } from "./fault.ts";
import { oneOf, usesIn } from "./fields.ts";
import { callable } from "./functions.ts";
import { nearName } from "./near-name.ts";
import { parse } from "./parse.ts";
import type { CallSyntax, Syntax } from "./syntax.ts";

/** What a text calls, before its arguments have a type. */
interface Reading {
  readonly syntax: CallSyntax;
  readonly definition: AggregateDefinition;
  readonly argument: Syntax | null;
  readonly second: Syntax | null;
  readonly parameters: readonly number[];
}

/** The aggregate call that `text` is over `schema`, or every mistake in it. `options.types` are the accepted results. */
export function compileAggregate(
  text: string,
  aggregates: readonly AggregateDefinition[],
  schema: Schema,
  options: CompileOptions,
): Result<AggregateCall> {
  const reading = read(text, aggregates);
  if (!reading.ok) return reading;
  const { syntax, definition, argument, second } = reading.value;
  const bindOne = (part: Syntax | null, types: readonly ColumnType[]): Result<Expression | null> =>
    part === null
      ? { ok: true, value: null }
      : bindArgument(text, definition.name, part, types, schema, options);
  const input = bindOne(argument, definition.input);
  const other = bindOne(second, definition.second?.input ?? []);
  if (!input.ok || !other.ok) {
    return { ok: false, faults: [input, other].flatMap((each) => (each.ok ? [] : each.faults)) };
  }
  const made = create(reading.value, input.value?.type ?? null, other.value);
  if (!made.ok) return made;
  const wrong = typeFault(made.value.type, options.types, text);
  if (wrong !== null) return refuse(syntax, wrong);
  return { ok: true, value: { text, name: definition.name, input: input.value, ...made.value } };
}

/** The columns that an aggregate call reads; its arguments are demanded to be what the aggregate takes. */
export function aggregateFieldsOf(
  text: string,
  aggregates: readonly AggregateDefinition[],
): Result<readonly ColumnUse[]> {
  const reading = read(text, aggregates);
  if (!reading.ok) return reading;
  const { argument, second, definition } = reading.value;
  const first = argument === null ? [] : usesIn(argument, definition.assumed ?? oneOf(definition.input));
  const others = second === null ? [] : usesIn(second, oneOf(definition.second?.input ?? []));
  return { ok: true, value: [...first, ...others] };
}

/** An aggregate that is called by a word which the expression language reserves, and a name of its length in its place. */
const reservedCall = /^(\s*)var(?=\s*\()/;
const placeholder = "va_";

/** The syntax of a text; a reserved word as the outermost name is a name like any other. */
function parseCall(text: string): Result<Syntax> {
  if (!reservedCall.test(text)) return parse(text);
  const parsed = parse(text.replace(reservedCall, `$1${placeholder}`));
  if (!parsed.ok || parsed.value.kind !== "call" || parsed.value.name !== placeholder) return parsed;
  return { ok: true, value: { ...parsed.value, name: "var" } };
}

function read(text: string, aggregates: readonly AggregateDefinition[]): Result<Reading> {
  const parsed = parseCall(text);
  if (!parsed.ok) return parsed;
  const syntax = parsed.value;
  const names = aggregates.map((each) => each.name);
  if (syntax.kind !== "call") return refuse(syntax, noCall(syntax, names));
  const definition = aggregates.find((each) => each.name === syntax.name);
  if (definition === undefined) return refuse(syntax.callee, unknownAggregate(syntax, names));
  const { args } = syntax;
  const taken = argumentsOf(definition);
  const argument = taken > 0 ? (args[0] ?? null) : null;
  if (taken > 0 && argument === null && definition.inputOptional !== true) {
    return refuse(
      syntax,
      `${definition.name} expected an argument (${listed(definition.input, "or")}), got none`,
    );
  }
  const second = taken > 1 ? (args[1] ?? null) : null;
  if (definition.second !== undefined && second === null) {
    const { name, input } = definition.second;
    return refuse(
      syntax,
      `${definition.name} expected a second argument ${name} (${listed(input, "or")}), got none`,
    );
  }
  const literals = readParameters(syntax, definition, args.slice(taken));
  if (!literals.ok) return literals;
  return { ok: true, value: { syntax, definition, argument, second, parameters: literals.value } };
}

/** How many of the arguments are expressions. */
function argumentsOf({ input, second }: AggregateDefinition): number {
  if (second !== undefined) return 2;
  return input.length > 0 ? 1 : 0;
}

/** An aggregate with something around it is told where that goes; else all that there are. */
function noCall(syntax: Syntax, names: readonly string[]): string {
  const expected = "expected one call of an aggregate";
  if (syntax.kind === "name" && names.includes(syntax.name))
    return `${expected}; write ${syntax.name}(${syntax.name === "count" ? "" : "x"})`;
  return holdsCall(syntax, names)
    ? `${expected} and nothing around it; compute with its result in a step behind this one: set`
    : `${expected}, such as ${names[0] ?? "count"}(x); there is ${names.join(", ")}`;
}

function holdsCall(syntax: Syntax, names: readonly string[]): boolean {
  if (syntax.kind === "binary") return holdsCall(syntax.left, names) || holdsCall(syntax.right, names);
  if (syntax.kind === "negate") return holdsCall(syntax.operand, names);
  return syntax.kind === "call" && names.includes(syntax.name);
}

function unknownAggregate({ name, args }: CallSyntax, names: readonly string[]): string {
  const percent = /^p(\d\d)$/.exec(name)?.[1];
  if (percent !== undefined && names.includes("quantile"))
    return `there is no aggregate ${name}; write quantile(x, 0.${percent})`;
  if (/^count_?(?:if|where|true)$/i.test(name))
    return `there is no aggregate ${name}; write sum(double(x)) for how often x is true`;
  const near = nearName(name, names);
  if (near !== undefined) return `there is no aggregate ${name}; did you mean ${near}?`;
  const inside =
    callable.has(name) && args.length > 0
      ? `; ${name} goes inside, as in ${names[0] ?? "mean"}(${name}(x))`
      : "";
  return `there is no aggregate ${name}${inside}; there is ${names.join(", ")}`;
}

function readParameters(
  syntax: CallSyntax,
  definition: AggregateDefinition,
  given: readonly Syntax[],
): Result<readonly number[]> {
  const { name } = definition;
  const parameters = repeated(definition.parameters, given.length);
  const faults: ExpressionFault[] = [];
  const surplus = given[parameters.length];
  if (surplus !== undefined) {
    const most = argumentsOf(definition) + parameters.length;
    faults.push(
      faultAt(
        surplus,
        `${name} expected at most ${most} argument${most === 1 ? "" : "s"}, got ${syntax.args.length}`,
      ),
    );
  }
  const values = parameters.map((parameter, i) => {
    const literal = given[i];
    const range = `${parameter.name} from ${parameter.min} to ${parameter.max}`;
    if (literal === undefined) {
      if (parameter.default !== undefined) return parameter.default;
      faults.push(faultAt(syntax, `${name} expected a number for ${range}, got none`));
    } else if (literal.kind !== "number") {
      faults.push(faultAt(literal, `${name} expected a literal number for ${range}`));
    } else if (literal.value >= parameter.min && literal.value <= parameter.max) return literal.value;
    else faults.push(faultAt(literal, `${name} expected ${range}, got ${literal.value}`));
    return Number.NaN;
  });
  return faults.length === 0 ? { ok: true, value: values } : { ok: false, faults };
}

/** The parameters, the last one as often as it is given where it repeats. */
function repeated(
  parameters: AggregateDefinition["parameters"],
  given: number,
): AggregateDefinition["parameters"] {
  const last = parameters.at(-1);
  if (last?.repeats !== true || given <= parameters.length) return parameters;
  return [...parameters, ...Array.from({ length: given - parameters.length }, () => last)];
}

function bindArgument(
  text: string,
  aggregate: string,
  argument: Syntax,
  types: readonly ColumnType[],
  schema: Schema,
  options: CompileOptions,
): Result<Expression> {
  const backend = options.backend === undefined ? {} : { backend: options.backend };
  const written = text.slice(argument.start, argument.end);
  const bound = bind(argument, text, written, schema, { types: [], ...backend });
  if (!bound.ok) return bound;
  const wrong = typeFault(bound.value.type, types, written);
  return wrong === null ? bound : refuse(argument, `${aggregate} ${wrong}`);
}

/** An aggregate may refuse what its declaration lets pass; that is a fault in the text too. */
function create(
  { syntax, definition, parameters }: Reading,
  input: ColumnType | null,
  second: Expression | null,
): Result<{ readonly type: ColumnType; readonly aggregate: Aggregate }> {
  try {
    return {
      ok: true,
      value: {
        type: definition.output(input),
        aggregate: definition.create(input, parameters, second ?? undefined),
      },
    };
  } catch (thrown) {
    return refuse(syntax, `${definition.name}: ${messageOf(thrown)}`);
  }
}
