// Which fields a pipeline reads from its records where the file declares no schema, and of what type:
// found from how the steps use them. Never decodes anything.

import type { ColumnType, OperatorDefinition, Schema, SchemaField } from "../../operators/sdk/index.ts";
import {
  bind,
  type Demand,
  demandsOf,
  memberParts,
  placeholder,
  replaceUnbound,
  unboundIn,
} from "./binding.ts";
import type { ConfigDocument, Span } from "./document.ts";
import type { Diagnostic, InputSpec, PipelineSpec, StepSpec } from "./pipeline.ts";
import { unread } from "./steps-spec.ts";
import { templateParts } from "./subject.ts";

/** A field as far as its uses tell. */
interface Guess {
  /** What some use needs it to be; null while none says. */
  firm: ColumnType | null;
  /** What a use would like it to be where nothing is needed. */
  soft: ColumnType | null;
  readonly where: Span | null;
}

/** The columns at some edge of the pipeline, and which of them are a field under another name. */
interface Columns {
  readonly schema: Schema;
  readonly aliases: ReadonlyMap<string, string>;
}

const nothing: Columns = { schema: { fields: [], rest: null }, aliases: new Map() };

export interface Inferred {
  readonly fields: readonly SchemaField[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Rounds until nothing new is learned; each learns at least one type or field. */
const roundsMax = 16;

const words: Readonly<Record<ColumnType, string>> = {
  float64: "a number",
  int64: "a whole number",
  bool: "true or false",
  string: "text",
  time: "a time",
  json: "JSON",
};

/** The fields that the steps and sinks of `spec` read of its one source. `tokens` are columns that come from the subject. */
export function inferFields(
  spec: PipelineSpec,
  { time, path }: InputSpec,
  catalogue: readonly OperatorDefinition[],
  document: ConfigDocument,
  tokens: readonly SchemaField[],
): Inferred {
  const inference = new Inference(catalogue, document, tokens);
  if (time !== null) inference.require(time.field, document.spanOf([...path, "time", "field"]));
  for (let round = 0; round < roundsMax; round++) {
    const before = inference.summary();
    inference.round(spec);
    if (inference.summary() === before) break;
  }
  return { fields: inference.fields(), diagnostics: inference.diagnostics };
}

class Inference {
  readonly diagnostics: Diagnostic[] = [];
  readonly #catalogue: readonly OperatorDefinition[];
  readonly #document: ConfigDocument;
  readonly #tokens: readonly SchemaField[];
  readonly #guesses = new Map<string, Guess>();
  readonly #reported = new Set<string>();
  /** What comes into each step whose late records go down a branch. */
  readonly #inputs = new Map<StepSpec, Columns>();

  constructor(
    catalogue: readonly OperatorDefinition[],
    document: ConfigDocument,
    tokens: readonly SchemaField[],
  ) {
    this.#catalogue = catalogue;
    this.#document = document;
    this.#tokens = tokens;
  }

  require(timeField: string, where: Span): void {
    this.#guesses.set(timeField, { firm: "time", soft: null, where });
  }

  fields(): readonly SchemaField[] {
    return [...this.#guesses].map(([name, { firm, soft }]) => ({ name, type: firm ?? soft ?? "json" }));
  }

  summary(): string {
    return JSON.stringify(this.fields());
  }

  round(spec: PipelineSpec): void {
    const start: Schema = { fields: [...this.fields(), ...this.#tokens], rest: { except: [] } };
    const shared = this.#chain(spec.steps, { schema: start, aliases: new Map() });
    for (const branch of spec.branches) {
      const input = branch.lateOf === null ? shared : (this.#inputs.get(branch.lateOf) ?? nothing);
      const rows = this.#chain(branch.steps, input);
      if (branch.sink.kind !== "nats") continue;
      const path = [...branch.path, "nats", "subject"];
      for (const part of templateParts(branch.sink.subject)) {
        if (typeof part === "string") continue;
        const span = this.#document.spanWithin(path, part.start, part.end);
        this.#learn({ name: part.column, types: ["string", "float64"], start: 0, end: 0 }, rows, span);
      }
    }
  }

  /** Follows the columns through the steps as well as it can; settings that do not bind yet are guessed. */
  #chain(steps: readonly StepSpec[], start: Columns): Columns {
    let { schema, aliases } = start;
    for (const step of steps) {
      const { operator, config, path } = step;
      const definition = this.#catalogue.find((each) => each.name === operator);
      if (definition === undefined || config === unread) return nothing;
      for (const { unbound, path: within } of unboundIn(config)) {
        for (const demand of demandsOf(unbound)) {
          const span = this.#document.spanWithin([...path, ...within], demand.start, demand.end);
          this.#learn(demand, { schema, aliases }, span);
        }
      }
      // What this step has just taught is part of its own input.
      const input = this.#withGuesses(schema);
      this.#inputs.set(step, { schema: input, aliases });
      const bound = replaceUnbound(config, (unbound) => {
        const answer = bind(unbound, input);
        return answer.ok ? answer.value : placeholder(unbound);
      });
      try {
        aliases = this.#aliasesAfter(config, { schema: input, aliases });
        schema = definition.schema(input, bound);
      } catch {
        // Reported where the plan is made.
        return nothing;
      }
    }
    return { schema, aliases };
  }

  /**
   * Columns that are a field under another name, as in `select: { t: temp }`: a setting called like the
   * column, whose expression is nothing but the field, or a field of one of several inputs. What a later use tells about the one, it tells of the other.
   */
  #aliasesAfter(config: unknown, { schema, aliases }: Columns): ReadonlyMap<string, string> {
    const after = new Map(aliases);
    for (const { unbound, path } of unboundIn(config)) {
      const name = path.at(-1);
      const { kind } = unbound.want;
      if (typeof name !== "string" || (kind !== "expression" && kind !== "member")) continue;
      const text = kind === "member" ? (memberParts(unbound.text)?.column ?? "") : unbound.text.trim();
      const source = aliases.get(text) ?? text;
      const isColumn = schema.fields.some((each) => each.name === text);
      if (isColumn && this.#guesses.has(source) && name !== source) after.set(name, source);
      else after.delete(name);
    }
    return after;
  }

  #withGuesses(schema: Schema): Schema {
    if (schema.rest === null) return schema;
    const { except } = schema.rest;
    const missing = this.fields().filter(
      ({ name }) => !except.includes(name) && !schema.fields.some((each) => each.name === name),
    );
    return missing.length === 0 ? schema : { fields: [...schema.fields, ...missing], rest: schema.rest };
  }

  #learn({ name: used, types }: Demand, { schema, aliases }: Columns, where: Span): void {
    const column = schema.fields.find((each) => each.name === used);
    const name = (column !== undefined ? aliases.get(used) : undefined) ?? used;
    const guess = this.#guesses.get(name);
    if (column === undefined && (schema.rest === null || schema.rest.except.includes(name))) return;
    // A column of that name that an earlier step made is not the field of the record.
    if (column !== undefined && (guess === undefined || column.type !== (guess.firm ?? guess.soft ?? "json")))
      return;
    const firm = firmType(types);
    const soft = firm === null && types.includes("string") ? "string" : null;
    if (guess === undefined) {
      this.#guesses.set(name, { firm, soft, where: firm === null ? null : where });
    } else if (guess.firm === null) {
      this.#guesses.set(name, { firm, soft: guess.soft ?? soft, where: firm === null ? null : where });
    } else if (firm !== null && !agree(guess.firm, firm)) {
      this.#conflict(name, guess, firm, where);
    }
  }

  #conflict(name: string, guess: Guess, type: ColumnType, where: Span): void {
    const key = `${where.start}:${name}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    const { line, column } = this.#document.lines.place(guess.where?.start ?? 0);
    const message = `${name} is used as ${words[type]} here, and as ${words[guess.firm ?? "json"]} at ${line}:${column}`;
    this.diagnostics.push(this.#document.diagnostic(where, message, "say what it is under source.schema"));
  }
}

/** The one type that a use needs; null where it would take text as well or anything. */
function firmType(types: readonly ColumnType[]): ColumnType | null {
  if (types.length === 0) return null;
  if (types.length === 1) return types[0]!;
  if (types.includes("string") || types.includes("json")) return null;
  return types.includes("float64") ? "float64" : types[0]!;
}

/** Whether a field of type `known` may serve where `wanted` is asked for. Numbers and times may; the compiler judges. */
function agree(known: ColumnType, wanted: ColumnType): boolean {
  return known === wanted || (isNumber(wanted) && (isNumber(known) || known === "time"));
}

function isNumber(type: ColumnType): boolean {
  return type === "float64" || type === "int64";
}
