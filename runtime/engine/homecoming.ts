// Where what a pipeline's part made on pool threads comes home: record by record, or aggregated. Decides nothing.

import type { Batch, Origin, Schema } from "../../operators/sdk/index.ts";
import { Arrival, type Arrived } from "../batch/compact.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { partialStepOf } from "./partial-step.ts";
import type { PoolPart } from "./pool-member.ts";
import { homeSchemaOf } from "./stateless-part.ts";

/** Batches of one kind, and the columns that they have. */
interface Arriving {
  readonly arrival: Arrival;
  readonly schema: Schema;
}

export class Homecoming {
  readonly #records: Arriving;
  readonly #partial: Arriving | null;

  constructor(plan: PipelinePlan) {
    const step = partialStepOf(plan);
    this.#records = { arrival: new Arrival(), schema: homeSchemaOf(plan) };
    this.#partial = step === null ? null : { arrival: new Arrival(), schema: step.output };
  }

  /** Whether threads may aggregate. */
  get aggregates(): boolean {
    return this.#partial !== null;
  }

  /** Takes in what came from a thread, as it comes; its turn comes later. */
  take(part: PoolPart, thread: number): readonly Arrived[] {
    const { arrival } = this.#arriving(part);
    return part.batches.map((batch) => arrival.take(batch, thread));
  }

  /** It is its turn: the batches as home knows them. `origin` speaks of the rows of the payloads. */
  batches(part: PoolPart, arrived: readonly Arrived[], origin: Origin): readonly Batch[] {
    const { arrival, schema } = this.#arriving(part);
    return arrived.map((batch) => arrival.batch(batch, schema, origin));
  }

  #arriving({ isPartial }: PoolPart): Arriving {
    return (isPartial ? this.#partial : null) ?? this.#records;
  }
}
