// The partial step of a pipeline on a pool thread: aggregates the records of a batch before they go home, where
// that makes fewer rows of them. Remembers nothing of records, only keys that it has met.

import type { Batch } from "../../operators/sdk/index.ts";
import type { CompactBatch } from "../batch/compact.ts";
import type { StepPlan } from "../pipeline/pipeline.ts";
import { Gather } from "./gather.ts";
import { partialKeysMax } from "./partial-step.ts";
import { Stage } from "./stage.ts";
import type { Receiver } from "./receiver.ts";
import type { Member } from "./step-tree.ts";

/** With more rows for each record than this, merging them costs home as much as the records would. */
const rowsPerRecordMax = 0.5;
/** Batches that go home record by record before it is tried again. */
const restBatches = 64;

export class Aggregation implements Receiver {
  readonly gather: Gather = new Gather();
  readonly #step: StepPlan;
  readonly #member: Pick<Member, "ledger" | "deadLetter">;
  #stage: Stage;
  #records = 0;
  #resting = 0;

  readonly #rowsPerRecord: number;

  constructor(
    step: StepPlan,
    member: Pick<Member, "ledger" | "deadLetter">,
    rowsPerRecord: number = rowsPerRecordMax,
  ) {
    this.#rowsPerRecord = rowsPerRecord;
    this.#step = step;
    this.#member = member;
    this.#stage = this.#newStage();
  }

  #newStage(): Stage {
    return new Stage(this.#step, this.#member.ledger, this.#member.deadLetter, this.gather);
  }

  /** Whether the records of the next batch are to be aggregated. */
  begin(): boolean {
    this.#records = 0;
    if (this.#resting > 0) {
      this.#resting--;
      return false;
    }
    // There has to be room for the keys of a whole batch.
    if (this.#stage.keys > partialKeysMax) this.#stage = this.#newStage();
    return true;
  }

  onBatch(batch: Batch): void {
    this.#records += batch.count;
    this.#stage.onBatch(batch);
  }

  onWatermark(): void {
    // Before home there is no notion of a watermark.
  }

  /** They were, and have become `batches`. */
  end(batches: readonly CompactBatch[]): void {
    const rows = batches.reduce((total, batch) => total + batch.rows, 0);
    if (rows > this.#records * this.#rowsPerRecord) this.#resting = restBatches;
  }

  /** A batch did not arrive. */
  reset(): void {
    this.gather.reset();
    this.#stage = this.#newStage();
  }
}
