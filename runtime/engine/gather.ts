// Where batches end that go from a pool thread to home: each is copied at once, since it lasts only as long as the
// call. Never sends anything.

import type { Batch } from "../../operators/sdk/index.ts";
import { type CompactBatch, Departure } from "../batch/compact.ts";
import { stopwatch } from "../clock.ts";
import type { Receiver } from "./receiver.ts";

export class Gather implements Receiver {
  readonly #departure = new Departure();
  #batches: CompactBatch[] = [];
  #spent_ms = 0;

  onBatch(batch: Batch): void {
    const started = stopwatch();
    this.#batches.push(this.#departure.leave(batch));
    this.#spent_ms += stopwatch() - started;
  }

  onWatermark(): void {
    // Before home there is no notion of a watermark.
  }

  /** The batches since the last time, and the ms that copying took. */
  take(): { readonly batches: readonly CompactBatch[]; readonly spent_ms: number } {
    const taken = { batches: this.#batches, spent_ms: this.#spent_ms };
    this.#batches = [];
    this.#spent_ms = 0;
    return taken;
  }

  reset(): void {
    this.take();
    this.#departure.reset();
  }
}
