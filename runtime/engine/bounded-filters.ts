// Filters of several pipelines that hold one column against a number each, answered together: the laxest
// is asked about all rows, each further one only about those that passed the one before. So a hundred
// thresholds cost little more than the first of them, as long as few records pass.

import type { Batch, Expression } from "../../operators/sdk/index.ts";
import { type Bound, byStrictness } from "../expression/bound.ts";
import type { Receiver, Stage } from "./stage.ts";

export interface BoundedFilter {
  readonly condition: Expression;
  readonly bound: Bound;
  readonly stage: Stage;
  /** Told when the steps behind the filter fail. */
  readonly failed: (error: unknown) => void;
}

export class BoundedFilters implements Receiver {
  /** The laxest first. */
  readonly #filters: readonly BoundedFilter[];
  #rows = new Uint32Array(0);

  /** `filters`: of one column, and of one side of it. */
  constructor(filters: readonly BoundedFilter[]) {
    this.#filters = filters.toSorted((a, b) => byStrictness(a.bound, b.bound));
  }

  onBatch(batch: Batch): void {
    if (this.#rows.length < batch.count) this.#rows = new Uint32Array(batch.count);
    const rows = this.#rows;
    let passed = batch;
    for (const { condition, stage, failed } of this.#filters) {
      const count = passed.count === 0 ? 0 : condition.select(passed, rows);
      if (passed === batch || count < passed.count) passed = { ...batch, selection: rows, count };
      try {
        stage.keep(batch, rows, count);
      } catch (error) {
        failed(error);
      }
    }
  }

  onWatermark(watermark: number): void {
    for (const { stage } of this.#filters) stage.onWatermark(watermark);
  }
}
