// `count(temp > 80)`: it counts the values that are not null, and false is one. Warnings, because that may be what is meant. Pure.

import type { AggregateCall } from "../../operators/sdk/index.ts";
import type { ConfigDocument } from "./document.ts";
import type { Diagnostic, PipelinePlan, StepPlan } from "./pipeline.ts";

export function countedConditionWarnings(
  { steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return all.flatMap((step) => countedConditions(step, document));
}

function countedConditions({ config, spec }: StepPlan, document: ConfigDocument): readonly Diagnostic[] {
  const { select } = config as { readonly select?: unknown };
  if (typeof select !== "object" || select === null || Array.isArray(select)) return [];
  return Object.entries(select as Readonly<Record<string, Partial<AggregateCall>>>).flatMap(
    ([name, call]) => {
      // A column by itself is counted where it has a value: that is plain.
      const { input } = call;
      if (call.name !== "count" || input?.type !== "bool" || /^[\w.]+$/.test(input.text)) return [];
      const message = `count(${input.text}) counts the records in which that is false as well: all that are not null`;
      const hint = `where it is true: sum(double(${input.text}))`;
      return [document.diagnostic(document.spanOf([...spec.path, "select", name]), message, hint, "warning")];
    },
  );
}
