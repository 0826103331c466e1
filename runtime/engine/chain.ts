// A plan's operators linked into stages: the trunk that all branches share, then each branch to its
// output. Wires; decides nothing.

import type { Batch } from "../../operators/sdk/index.ts";
import type { BranchPlan, StepPlan } from "../pipeline/pipeline.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import type { Ledger } from "./ledger.ts";
import { type Receiver, Stage } from "./stage.ts";

/** Stages in the order of their steps, ending in `next`. */
export interface Chain {
  readonly first: Receiver;
  readonly stages: readonly Stage[];
}

export function linkChain(
  steps: readonly StepPlan[],
  ledger: Ledger,
  deadLetter: DeadLetterPort,
  next: Receiver,
): Chain {
  let first = next;
  const stages: Stage[] = [];
  for (const step of steps.toReversed()) {
    const stage = new Stage(step, ledger, deadLetter, first);
    stages.unshift(stage);
    first = stage;
  }
  return { first, stages };
}

/** Gives every branch the same batch. Batches are never modified, so none sees another's work. */
export class FanOut implements Receiver {
  readonly #branches: readonly Receiver[];
  constructor(branches: readonly Receiver[]) {
    this.#branches = branches;
  }
  onBatch(batch: Batch): void {
    for (const branch of this.#branches) branch.onBatch(batch);
  }
  onWatermark(watermark: number): void {
    for (const branch of this.#branches) branch.onWatermark(watermark);
  }
}

/** How many leading steps are stateless: those may run on any thread, in any order. */
export function statelessPrefix(steps: readonly StepPlan[]): number {
  const keyed = steps.findIndex(({ definition }) => definition.kind !== "stateless");
  return keyed < 0 ? steps.length : keyed;
}

/** The trunk of a plan: the shared steps, and those of the only branch when there is just one. */
export function trunkOf(plan: {
  readonly steps: readonly StepPlan[];
  readonly branches: readonly BranchPlan[];
}): {
  readonly trunk: readonly StepPlan[];
  readonly branches: readonly { readonly plan: BranchPlan; readonly steps: readonly StepPlan[] }[];
} {
  const only = plan.branches.length === 1 ? plan.branches[0]! : null;
  return {
    trunk: only === null ? plan.steps : [...plan.steps, ...only.steps],
    branches: plan.branches.map((branch) => ({ plan: branch, steps: only === null ? branch.steps : [] })),
  };
}
