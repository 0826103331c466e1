// The part of a pipeline that is stateless: from decoded payloads to the batches that home begins with.
// Holds nothing from one run to the next, so that it can run on any thread and in any order.

import type { Batch, Schema } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Chain, linkChain, statelessPrefix, trunkOf } from "./chain.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import { type EntryClock, Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { Receiver } from "./stage.ts";
import type { Entered } from "./watermark.ts";
import type { StepMetric } from "./step-metrics.ts";

/** What is known of one run of payloads. */
export interface Entry extends Entered {
  /** Payloads in the run. */
  readonly records: number;
}

export class StatelessPart {
  /** By source. */
  readonly #intakes: readonly Intake[];
  readonly #chain: Chain;

  /** `decodedFields`: by source. `next` gets what goes on. Each batch is valid only in that call: the steps use their columns and selections again. */
  constructor(
    plan: PipelinePlan,
    decodedFields: readonly (readonly FieldRead[])[],
    ledger: Ledger,
    deadLetter: DeadLetterPort,
    next: Receiver,
  ) {
    const { trunk } = trunkOf(plan);
    this.#intakes = plan.inputs.map(
      (_input, place) => new Intake(plan, place, decodedFields[place]!, ledger, deadLetter),
    );
    this.#chain = linkChain(trunk.slice(0, statelessPrefix(trunk)), ledger, deadLetter, next);
  }

  /** `enter` is shown the records that entered by the source `input`, and what is known of them, before they go on. */
  run(
    payloads: PayloadBatch,
    decoded: Decoded,
    clock: EntryClock,
    input = 0,
    enter: (batch: Batch, entered: Entered) => void = () => undefined,
  ): Entry {
    const { batch, ...entered } = this.#intakes[input]!.enter(payloads, decoded, clock);
    enter(batch, entered);
    this.#chain.first.onBatch(batch);
    return { records: decoded.rows, ...entered };
  }

  /** What the steps have shown since the last time. */
  drainMetrics(): StepMetric[] {
    return this.#chain.stages.flatMap(({ metrics }) => metrics.drain());
  }
}

/** The columns that the home part of a plan begins with. */
export function homeSchemaOf(plan: PipelinePlan): Schema {
  const { trunk } = trunkOf(plan);
  return trunk[statelessPrefix(trunk) - 1]?.output ?? plan.schema;
}
