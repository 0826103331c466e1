// How far event time has come at one source. The watermark is the largest event time that entered,
// minus the lateness; a source that is silent for `idle` lets the clock carry it on, so that open
// windows fire. It never goes back. Pure: the clock is an argument.

import type { Batch } from "../../operators/sdk/index.ts";
import type { TimeSpec } from "../pipeline/pipeline.ts";

export class WatermarkTracker {
  readonly #lateness: number;
  readonly #idle: number | null;
  readonly #processingTime: boolean;
  /** The largest event time so far, carried on by the clock while idle. */
  #latest = Number.NEGATIVE_INFINITY;
  #arrived = Number.NEGATIVE_INFINITY;
  #idleFrom = Number.NEGATIVE_INFINITY;

  constructor(time: TimeSpec | null) {
    this.#lateness = time?.lateness ?? 0;
    this.#idle = time?.idle ?? null;
    this.#processingTime = time === null;
  }

  get current(): number {
    return this.#latest - this.#lateness;
  }

  /**
   * Takes note of batches that entered together. On entry their `watermark` columns hold, by row, the
   * largest event time before that row among them; on return the watermark in force when the row arrived.
   */
  advance(batches: readonly Batch[], latest: number, now: number): void {
    const carried = this.#latest;
    const lateness = this.#lateness;
    for (const { watermark, selection, count } of batches) {
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const largest = watermark[row]!;
        watermark[row] = (largest > carried ? largest : carried) - lateness;
      }
    }
    if (latest === Number.NEGATIVE_INFINITY) return;
    this.#latest = Math.max(carried, latest);
    this.#arrived = now;
    this.#idleFrom = this.#latest;
  }

  /** Time passes without records. */
  tick(now: number): void {
    if (this.#processingTime) {
      this.#latest = Math.max(this.#latest, now);
      return;
    }
    if (this.#idle === null || now - this.#arrived < this.#idle || this.#arrived === Number.NEGATIVE_INFINITY)
      return;
    this.#latest = Math.max(this.#latest, this.#idleFrom + (now - this.#arrived));
  }
}
