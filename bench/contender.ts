// What the benchmark compares: anything that takes the payloads to rows. Knows neither weir nor the
// hand-written program, and measures nothing.

import type { PayloadBatch } from "../runtime/batch/payloads.ts";

/** What one run made. */
export interface Outcome {
  /** The rows' payloads, JSON, in the order in which they were sent. */
  readonly rows: readonly Uint8Array[];
  /** Records that the filter left out. */
  readonly filtered: number;
}

export interface Contender {
  readonly engine: string;
  /** Makes whatever one run needs; what it returns is called once, and only that is timed. */
  open(): (batches: readonly PayloadBatch[]) => Outcome;
}
