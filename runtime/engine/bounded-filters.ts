// Filters of several pipelines that hold one column against a number each, answered together: the laxest
// is asked about all rows, each further one only about those that passed the one before. So a hundred
// thresholds cost little more than the first of them, as long as few records pass.

import type { Batch } from "../../operators/sdk/index.ts";
import { type BoundTest, byStrictness } from "../expression/column-test.ts";
import type { JointFilter } from "./joint-filter.ts";
import type { Receiver } from "./receiver.ts";

export class BoundedFilters implements Receiver {
  /** The laxest first. */
  readonly #filters: readonly JointFilter<BoundTest>[];
  #rows = new Uint32Array(0);

  /** `filters`: of one column, and of one side of it. */
  constructor(filters: readonly JointFilter<BoundTest>[]) {
    this.#filters = filters.toSorted((a, b) => byStrictness(a.test, b.test));
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
