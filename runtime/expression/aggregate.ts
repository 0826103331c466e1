// A call of an aggregate, `quantile(temp, 0.99)`: its argument is an expression, the rest are literal
// numbers. Knows no aggregate by name: the caller gives the list.

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

/** What a text calls, before its argument has a type. */
interface Reading {
  readonly syntax: CallSyntax;
  readonly definition: AggregateDefinition;
  readonly argument: Syntax | null;
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
  const { syntax, definition, argument, parameters } = reading.value;
  let input: Expression | null = null;
  if (argument !== null) {
    const bound = bindArgument(text, definition, argument, schema, options);
    if (!bound.ok) return bound;
    input = bound.value;
  }
  const made = create(syntax, definition, input?.type ?? null, parameters);
  if (!made.ok) return made;
  const wrong = typeFault(made.value.type, options.types, text);
  if (wrong !== null) return refuse(syntax, wrong);
  return { ok: true, value: { text, name: definition.name, input, ...made.value } };
}

/** The columns that an aggregate call reads; its argument is demanded to be what the aggregate takes. */
export function aggregateFieldsOf(
  text: string,
  aggregates: readonly AggregateDefinition[],
): Result<readonly ColumnUse[]> {
  const reading = read(text, aggregates);
  if (!reading.ok) return reading;
  const { argument, definition } = reading.value;
  return { ok: true, value: argument === null ? [] : usesIn(argument, oneOf(definition.input)) };
}

function read(text: string, aggregates: readonly AggregateDefinition[]): Result<Reading> {
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const syntax = parsed.value;
  const names = aggregates.map((each) => each.name);
  if (syntax.kind !== "call") {
    return refuse(
      syntax,
      `expected one call of an aggregate, such as ${names[0] ?? "count"}(x); there is ${names.join(", ")}`,
    );
  }
  const definition = aggregates.find((each) => each.name === syntax.name);
  if (definition === undefined) return refuse(syntax.callee, unknownAggregate(syntax, names));
  const takes = definition.input.length > 0;
  const argument = takes ? (syntax.args[0] ?? null) : null;
  if (takes && argument === null && definition.inputOptional !== true) {
    return refuse(
      syntax,
      `${definition.name} expected an argument (${listed(definition.input, "or")}), got none`,
    );
  }
  const literals = readParameters(syntax, definition, takes ? syntax.args.slice(1) : syntax.args);
  if (!literals.ok) return literals;
  return { ok: true, value: { syntax, definition, argument, parameters: literals.value } };
}

function unknownAggregate({ name, args }: CallSyntax, names: readonly string[]): string {
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
  const { name, parameters } = definition;
  const faults: ExpressionFault[] = [];
  const surplus = given[parameters.length];
  if (surplus !== undefined) {
    const most = (definition.input.length > 0 ? 1 : 0) + parameters.length;
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

function bindArgument(
  text: string,
  definition: AggregateDefinition,
  argument: Syntax,
  schema: Schema,
  options: CompileOptions,
): Result<Expression> {
  const backend = options.backend === undefined ? {} : { backend: options.backend };
  const written = text.slice(argument.start, argument.end);
  const bound = bind(argument, text, written, schema, { types: [], ...backend });
  if (!bound.ok) return bound;
  const wrong = typeFault(bound.value.type, definition.input, written);
  return wrong === null ? bound : refuse(argument, `${definition.name} ${wrong}`);
}

/** An aggregate may refuse what its declaration lets pass; that is a fault in the text too. */
function create(
  syntax: CallSyntax,
  definition: AggregateDefinition,
  input: ColumnType | null,
  parameters: readonly number[],
): Result<{ readonly type: ColumnType; readonly aggregate: Aggregate }> {
  try {
    return {
      ok: true,
      value: { type: definition.output(input), aggregate: definition.create(input, parameters) },
    };
  } catch (thrown) {
    return refuse(syntax, `${definition.name}: ${messageOf(thrown)}`);
  }
}
