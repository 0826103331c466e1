// The part of a pipeline that is stateless: from decoded payloads to the batches that home begins with.
// Holds nothing from one run to the next, so that it can run on any thread and in any order.

import type { Batch, Schema } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Chain, linkChain, statelessPrefix, trunkOf } from "./chain.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import { Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { Receiver } from "./stage.ts";

/** What is known of one run of payloads. */
export interface Entry {
  /** Payloads in the run. */
  readonly records: number;
  /** The largest event time that entered; -Infinity when none did. */
  readonly latest: number;
}

export class StatelessPart {
  readonly #intake: Intake;
  readonly #chain: Chain;

  /** `next` gets what goes on. Each batch is valid only in that call: the steps use their columns and selections again. */
  constructor(
    plan: PipelinePlan,
    decodedFields: readonly FieldRead[],
    ledger: Ledger,
    deadLetter: DeadLetterPort,
    next: Receiver,
  ) {
    const { trunk } = trunkOf(plan);
    this.#intake = new Intake(plan, decodedFields, ledger, deadLetter);
    this.#chain = linkChain(trunk.slice(0, statelessPrefix(trunk)), ledger, deadLetter, next);
  }

  /** `enter` is shown the records that entered, with the largest event time of them, before they go on. */
  run(
    payloads: PayloadBatch,
    decoded: Decoded,
    now: number,
    enter: (batch: Batch, latest: number) => void = () => undefined,
  ): Entry {
    const { batch, latest } = this.#intake.enter(payloads, decoded, now);
    enter(batch, latest);
    this.#chain.first.onBatch(batch);
    return { records: decoded.rows, latest };
  }
}

/** The columns that the home part of a plan begins with. */
export function homeSchemaOf(plan: PipelinePlan): Schema {
  const { trunk } = trunkOf(plan);
  return trunk[statelessPrefix(trunk) - 1]?.output ?? plan.schema;
}
