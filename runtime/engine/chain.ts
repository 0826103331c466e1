// A plan's operators linked into stages: the trunk that all branches share, then each branch to its
// output. Wires; decides nothing.

import type { Batch } from "../../operators/sdk/index.ts";
import { weightOf } from "../batch/batch.ts";
import type { StepPlan } from "../pipeline/pipeline.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import type { Books } from "./ledger.ts";
import type { References } from "./references.ts";
import { Stage } from "./stage.ts";
import type { Receiver } from "./receiver.ts";

/** Stages in the order of their steps, ending in `next`. */
export interface Chain {
  readonly first: Receiver;
  readonly stages: readonly Stage[];
}

/**
 * `references` are those of the plan, which every chain made of it shares; without them its steps look
 * nothing up. `late`: by step, where its late records go beside the ledger.
 */
export function linkChain(
  steps: readonly StepPlan[],
  ledger: Books,
  deadLetter: DeadLetterPort,
  next: Receiver,
  references: References | null = null,
  late: ReadonlyMap<StepPlan, Receiver> = new Map(),
): Chain {
  let first = next;
  const stages: Stage[] = [];
  for (const step of steps.toReversed()) {
    const tables = references?.of(step.label);
    const stage = new Stage(step, ledger, deadLetter, first, late.get(step) ?? null, tables);
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

/** The head of a late branch: counts the records that it is given. */
export class LateHead implements Receiver {
  readonly #given: { records: number };
  readonly #next: Receiver;
  constructor(given: { records: number }, next: Receiver) {
    this.#given = given;
    this.#next = next;
  }
  onBatch(batch: Batch): void {
    this.#given.records += weightOf(batch);
    this.#next.onBatch(batch);
  }
  onWatermark(watermark: number): void {
    this.#next.onWatermark(watermark);
  }
}
