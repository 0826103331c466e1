// When workers were started, by a clock that nobody sets. Drivers tell it by the wall clock as it was then; where that was put
// back since, it lies ahead, and a heartbeat would seem to be that of an earlier process for as long as that takes.

import type { Clock } from "../clock.ts";
import type { ObservedWorker } from "./driver.ts";

export class Beginnings {
  readonly #clock: Clock;
  /** Those of the first list were there before. */
  #since: number | null;
  /** By handle, when it was first seen. */
  #seen: ReadonlyMap<string, number> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.elapsed();
  }

  /** The same workers; what a driver does not list any more is forgotten. */
  told(workers: readonly ObservedWorker[]): readonly ObservedWorker[] {
    const now = this.#clock.elapsed();
    const ahead = now - this.#clock.now();
    const [before, since] = [this.#seen, this.#since ?? now];
    this.#since = null;
    this.#seen = new Map(workers.map(({ id }) => [id, before.get(id) ?? since]));
    return workers.map((each) => ({
      ...each,
      started: Math.min(each.started + ahead, this.#seen.get(each.id) ?? since),
    }));
  }
}
