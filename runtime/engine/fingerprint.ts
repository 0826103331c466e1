// What decides the meaning of a pipeline's state, as one hash: state that was kept under another one would
// be read as something that it is not. Pure.

import { createHash } from "node:crypto";
import type { AggregateCall, Expression, TableDeclarations } from "../../operators/sdk/index.ts";
import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";

/** A setting as data, without what was compiled from it: an expression or an aggregate is its text, a function nothing. */
export function described(value: unknown): unknown {
  if (typeof value === "function") return undefined;
  // Numbers too: JSON knows no infinity.
  if (typeof value !== "object" || value === null || value instanceof RegExp) return String(value);
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, described);
  if ("evaluate" in value || "aggregate" in value) {
    const { text, type } = value as unknown as Pick<Expression | AggregateCall, "text" | "type">;
    return [text, type];
  }
  return Object.entries(value)
    .map(([name, each]) => [name, described(each)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Its label first. */
function stepOf(
  { label, definition, config, input }: StepPlan,
  tables = describedTables,
): readonly unknown[] {
  const fields = input.fields.map(({ name, type }) => [name, type]);
  return [label, definition.name, described(config), tables(definition.state(config)), fields];
}

function describedTables(declarations: TableDeclarations): unknown {
  return described(declarations);
}

/** As it was written when numbers had no names. */
function namelessTables(declarations: TableDeclarations): unknown {
  const nameless = Object.entries(declarations).map(([table, declaration]) => {
    const { names: _names, ...rest } = { names: undefined, ...declaration };
    return [table, rest] as const;
  });
  return described(Object.fromEntries(nameless));
}

/** True where a step has something to go on with: what it keeps is in tables. */
export function keepsState({ definition, config }: StepPlan): boolean {
  return Object.keys(definition.state(config)).length > 0;
}

/** By label, what each step is, and whether it keeps anything. */
export function stepMarks({
  steps,
  branches,
}: PipelinePlan): ReadonlyMap<string, { readonly mark: string; readonly keepsState: boolean }> {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return new Map(
    all.map((step) => [step.label, { mark: JSON.stringify(stepOf(step)), keepsState: keepsState(step) }]),
  );
}

/**
 * 32 bytes; equal for plans whose sources and branches by name, and whose steps that keep something, in their order, with
 * settings, tables and columns, are the same. The others, a filter say, may be changed, left out or new: what is kept goes on.
 */
export function fingerprintOf(plan: PipelinePlan): Uint8Array {
  return hashOf(plan, (steps) => steps.filter(keepsState).map((step) => stepOf(step).slice(1)));
}

/** What was written for a plan when numbers had no names, and before that when each of its steps decided. */
export function earlierFingerprintsOf(plan: PipelinePlan): readonly Uint8Array[] {
  const marksOf = (step: StepPlan): readonly unknown[] => stepOf(step, namelessTables);
  return [
    hashOf(plan, (steps) => steps.filter(keepsState).map((step) => marksOf(step).slice(1))),
    hashOf(plan, (steps) => steps.map(marksOf)),
  ];
}

function hashOf(
  { spec, steps, branches }: PipelinePlan,
  marksOf: (steps: readonly StepPlan[]) => unknown,
): Uint8Array {
  const inputs = spec.inputs.map(({ name }) => name);
  const whole = [inputs, marksOf(steps), branches.map((branch) => [branch.name, marksOf(branch.steps)])];
  return createHash("sha256").update(JSON.stringify(whole)).digest();
}
