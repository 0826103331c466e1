// The part of a pipeline's first keyed step that may be done where records are decoded, as a step of its own: it sends
// rows that stand for many records, and the step at home merges them.

import { limits } from "../limits.ts";
import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";
import { splitStepOf } from "../pipeline/trunk.ts";

/** Keys that a thread knows at most between batches; those of one more batch have room as well. */
export const partialKeysMax: number = limits.partial_keys_max;

/** The step that runs before home; null where every record has to come home. */
export function partialStepOf(plan: PipelinePlan): StepPlan | null {
  const split = splitStepOf(plan);
  if (split === null) return null;
  const { step, partial } = split;
  const lateness = plan.inputs[0]!.spec.time?.lateness ?? 0;
  return {
    ...step,
    definition: {
      ...step.definition,
      schema: () => partial.schema,
      state: () => partial.tables,
      create: (_config, { state }) => partial.create(state, lateness),
    },
    keys: { ...step.keys, max: partialKeysMax + limits.batch_rows_max },
    output: partial.schema,
  };
}
