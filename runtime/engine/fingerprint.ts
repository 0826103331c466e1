// What decides the meaning of a pipeline's state, as one hash: state that was kept under another one would
// be read as something that it is not. Pure.

import { createHash } from "node:crypto";
import type { AggregateCall, Expression } from "../../operators/sdk/index.ts";
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

function stepOf({ label, definition, config, input }: StepPlan): unknown {
  const fields = input.fields.map(({ name, type }) => [name, type]);
  return [label, definition.name, described(config), described(definition.state(config)), fields];
}

/** By label, what decides the meaning of each step's state, and whether it has any. */
export function stepMarks({
  steps,
  branches,
}: PipelinePlan): ReadonlyMap<string, { readonly mark: string; readonly keepsState: boolean }> {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return new Map(
    all.map((step) => [
      step.label,
      {
        mark: JSON.stringify(stepOf(step)),
        keepsState: Object.keys(step.definition.state(step.config)).length > 0,
      },
    ]),
  );
}

/** 32 bytes; equal for plans whose sources by name, steps, settings, tables and columns are the same. */
export function fingerprintOf({ spec, steps, branches }: PipelinePlan): Uint8Array {
  const inputs = spec.inputs.map(({ name }) => name);
  const whole = [
    inputs,
    steps.map(stepOf),
    branches.map((branch) => [branch.name, branch.steps.map(stepOf)]),
  ];
  return createHash("sha256").update(JSON.stringify(whole)).digest();
}
