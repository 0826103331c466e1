// The part of a pipeline that is stateless: from decoded payloads to the batches that home begins with.
// Holds nothing from one run to the next, so that it can run on any thread and in any order.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Chain, linkChain, statelessPrefix, trunkOf } from "./chain.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import { Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { Receiver } from "./stage.ts";

/** What home needs of one run of payloads. */
export interface StatelessResult {
  /** Payloads in the run. */
  readonly records: number;
  /** The largest event time that entered; -Infinity when none did. */
  readonly latest: number;
  /** What goes on, in order. */
  readonly batches: readonly Batch[];
  /** Batches whose `watermark` columns are still to be raised; the arrays may be shared with `batches`. */
  readonly entered: readonly Batch[];
}

class Gather implements Receiver {
  #batches: Batch[] = [];
  onBatch(batch: Batch): void {
    this.#batches.push(batch);
  }
  onWatermark(): void {
    // Before home there is no notion of a watermark.
  }
  take(): Batch[] {
    const batches = this.#batches;
    this.#batches = [];
    return batches;
  }
}

export class StatelessPart {
  readonly #intake: Intake;
  readonly #gather = new Gather();
  readonly #chain: Chain;

  constructor(
    plan: PipelinePlan,
    decodedFields: readonly FieldRead[],
    ledger: Ledger,
    deadLetter: DeadLetterPort,
  ) {
    const { trunk } = trunkOf(plan);
    this.#intake = new Intake(plan, decodedFields, ledger, deadLetter);
    this.#chain = linkChain(trunk.slice(0, statelessPrefix(trunk)), ledger, deadLetter, this.#gather);
  }

  run(payloads: PayloadBatch, decoded: Decoded, now: number): StatelessResult {
    const { batch, latest } = this.#intake.enter(payloads, decoded, now);
    this.#chain.first.onBatch(batch);
    return { records: decoded.rows, latest, batches: this.#gather.take(), entered: [batch] };
  }
}
