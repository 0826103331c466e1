// Which steps of a plan branches share, which of those may run anywhere, and what of the first that may not can be done
// before it. Decides only; links and runs nothing.

import type { PartialOperator } from "../../operators/sdk/index.ts";
import type { BranchPlan, PipelinePlan, StepPlan } from "./pipeline.ts";

/** How many leading steps are stateless: those may run on any thread, in any order. */
export function statelessPrefix(steps: readonly StepPlan[]): number {
  const keyed = steps.findIndex(({ definition }) => definition.kind !== "stateless");
  return keyed < 0 ? steps.length : keyed;
}

/** The trunk of a plan: the shared steps, and those of the only branch when there is just one beside late ones. */
export function trunkOf(plan: {
  readonly steps: readonly StepPlan[];
  readonly branches: readonly BranchPlan[];
}): {
  readonly trunk: readonly StepPlan[];
  readonly branches: readonly { readonly plan: BranchPlan; readonly steps: readonly StepPlan[] }[];
} {
  const ends = plan.branches.filter(({ lateOf }) => lateOf === null);
  const only = ends.length === 1 ? ends[0]! : null;
  return {
    trunk: only === null ? plan.steps : [...plan.steps, ...only.steps],
    branches: plan.branches.map((branch) => ({ plan: branch, steps: branch === only ? [] : branch.steps })),
  };
}

/** A step whose records may be aggregated where they are decoded. */
export interface SplitStep {
  readonly step: StepPlan;
  readonly partial: PartialOperator;
}

/** The first keyed step of a plan, where that is one; null where every record has to come to it. */
export function splitStepOf(plan: PipelinePlan): SplitStep | null {
  const { trunk } = trunkOf(plan);
  const step = trunk[statelessPrefix(trunk)];
  if (step === undefined || plan.inputs.length > 1 || plan.per !== null) return null;
  const { definition, config, keys } = step;
  // Which key was silent longest is told by records; and a late branch gets each by itself.
  if (keys.ttl !== null || keys.when_full === "forget_oldest") return null;
  if (plan.branches.some(({ lateOf }) => lateOf === step)) return null;
  const partial = definition.partial?.(config) ?? null;
  return partial === null ? null : { step, partial };
}
