// The part of pipelines that is stateless: from decoded payloads to the batches that home begins with.
// Holds nothing from one run to the next, so that it can run on any thread and in any order.

import type { Batch, Schema } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { jointPort } from "./dead-letter.ts";
import { type EntryClock, Intake } from "./intake.ts";
import { jointBooks } from "./ledger.ts";
import { type Ends, leadingSteps, linkTree, type Member, type StepTree } from "./step-tree.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { Entered } from "./watermark.ts";

/** What is known of one run of payloads. */
export interface Entry extends Entered {
  /** Payloads in the run. */
  readonly records: number;
}

/** Equal for plans whose records enter alike: the same ones, as the same columns, with the same event time. */
export function entranceOf({ inputs, schema }: PipelinePlan): string {
  const entries = inputs.map(({ spec: { name, time }, ...columns }) => [name, time, columns]);
  return JSON.stringify([entries, schema]);
}

export class StatelessPart<M extends Member> {
  /** By source. */
  readonly #intakes: readonly Intake[];
  readonly #tree: StepTree<M>;

  /**
   * `members`: of one entrance. `decodedFields`: by source. What comes out is valid only in the call that hands it
   * on: the steps use their columns and selections again.
   */
  constructor(members: readonly M[], decodedFields: readonly (readonly FieldRead[])[], ends: Ends<M>) {
    const { plan } = members[0]!;
    const ledger = jointBooks(members.map((each) => each.ledger));
    const deadLetter = jointPort(members.map((each) => each.deadLetter));
    this.#intakes = plan.inputs.map(
      (_input, place) => new Intake(plan, place, decodedFields[place]!, ledger, deadLetter),
    );
    this.#tree = linkTree(members, ends);
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
    this.#tree.first.onBatch(batch);
    return { records: decoded.rows, ...entered };
  }

  /** What the steps of a member have shown. */
  metrics(member: M): StepMetric[] {
    return this.#tree.stages.get(member)!.flatMap(({ metrics }) => metrics.entries());
  }

  /** What the steps of a member, which has them to itself, have shown since the last time. */
  drainMetrics(member: M): StepMetric[] {
    return this.#tree.stages.get(member)!.flatMap(({ metrics }) => metrics.drain());
  }
}

/** The columns that the home part of a plan begins with. */
export function homeSchemaOf(plan: PipelinePlan): Schema {
  return leadingSteps(plan).at(-1)?.output ?? plan.schema;
}
