// One pipeline on a pool thread: runs the stateless part on each batch, aggregates what comes out of it where its first keyed step
// lets it, and packs that up. Knows no thread.

import type { CompactBatch } from "../batch/compact.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Aggregation } from "./aggregation.ts";
import type { DeadLetter, DeadLetterPort } from "./dead-letter.ts";
import { Gather } from "./gather.ts";
import type { EntryClock } from "./intake.ts";
import { type BookedEntry, Ledger } from "./ledger.ts";
import { partialStepOf } from "./partial-step.ts";
import type { Receiver } from "./receiver.ts";
import { type Entry, StatelessPart } from "./stateless-part.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { Member } from "./step-tree.ts";

export interface PoolPart extends Entry {
  /** True when the records were aggregated: `batches` have the columns of the partial step. */
  readonly isPartial: boolean;
  readonly batches: readonly CompactBatch[];
  readonly ledger: readonly BookedEntry[];
  readonly letters: readonly DeadLetter[];
  readonly metrics: readonly StepMetric[];
}

/** One pipeline: its part, and where that puts what it makes and leaves out. */
export class PoolMember implements Member {
  readonly plan: PipelinePlan;
  readonly #part: StatelessPart<PoolMember>;
  readonly #gather = new Gather();
  /** Null where records go home as they are; they do as well while `aggregates` is false. */
  readonly #aggregation: Aggregation | null;
  #aggregates = false;
  readonly ledger: Ledger = new Ledger();
  readonly #letters: DeadLetter[] = [];
  readonly deadLetter: DeadLetterPort = (letter) => void this.#letters.push(letter);

  /** `rowsPerRecord`: at more rows than this for a record, records are not aggregated. */
  constructor(plan: PipelinePlan, fields: readonly FieldRead[], rowsPerRecord?: number) {
    this.plan = plan;
    const step = partialStepOf(plan);
    this.#aggregation = step === null ? null : new Aggregation(step, this, rowsPerRecord);
    const end: Receiver = {
      onBatch: (batch) => (this.#aggregates ? this.#aggregation! : this.#gather).onBatch(batch),
      onWatermark: () => undefined,
    };
    this.#part = new StatelessPart([this], [fields], {
      end: () => end,
      // The batch is run again at home, where it is seen what becomes of the pipeline.
      failed: (_members, error) => {
        throw error;
      },
    });
  }

  /** What it makes of some payloads, and the ms that copying took. */
  run(payloads: PayloadBatch, decoded: Decoded, clock: EntryClock): readonly [PoolPart, number] {
    this.#aggregates = this.#aggregation?.begin() === true;
    const isPartial = this.#aggregates;
    const entry = this.#part.run(payloads, decoded, clock);
    const gather = isPartial ? this.#aggregation!.gather : this.#gather;
    const { batches, spent_ms } = gather.take();
    if (isPartial) this.#aggregation!.end(batches);
    const left = { ledger: this.ledger.drain(), letters: this.#letters.splice(0) };
    return [{ ...entry, isPartial, batches, ...left, metrics: this.#part.drainMetrics(this) }, spent_ms];
  }

  /** Nothing of a batch arrives. */
  reset(): void {
    this.#gather.reset();
    this.#aggregation?.reset();
    this.#part.drainMetrics(this);
    this.ledger.drain();
    this.#letters.length = 0;
  }
}
