// What a chain gives its batches to: the port between one stage, output or fan and the next. Shape only.

import type { Batch } from "../../operators/sdk/index.ts";

/** What comes next in a chain. */
export interface Receiver {
  onBatch(batch: Batch): void;
  onWatermark(watermark: number): void;
}
