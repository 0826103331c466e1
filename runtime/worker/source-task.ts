// The loop that reads one source and feeds a runner with it. Thin on purpose: it decides nothing about data.

import type { Clock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import type { Runner } from "../engine/runner.ts";
import { limits } from "../limits.ts";
import { Committer } from "./committer.ts";
import type { SinkSet } from "./sink-set.ts";

/** How often processing time and idle sources move on while nothing arrives. */
const tick_ms = 50;

export interface SourceTaskOptions {
  readonly source: Source;
  /** Which of the runner's sources it is. */
  readonly input: number;
  readonly runner: Runner;
  readonly sinks: SinkSet;
  readonly clock: Clock;
}

export class SourceTask {
  readonly source: Source;
  readonly committer: Committer;
  readonly #options: SourceTaskOptions;
  #stopping = false;

  constructor(options: SourceTaskOptions) {
    const { source, sinks, runner } = options;
    this.#options = options;
    this.source = source;
    this.committer = new Committer(source, sinks, () => runner.idle());
  }

  /** Takes nothing new from here on. */
  stop(): void {
    this.#stopping = true;
  }

  /** Reads to the source's end or to `stop`; true at its end. */
  async run(): Promise<boolean> {
    while (!this.#stopping) {
      // Each step waits for room, so the source is never read faster than the sinks take.
      if (!(await this.#step())) return true;
    }
    return false;
  }

  /** One read; false at the source's end. */
  async #step(): Promise<boolean> {
    const { input, runner, sinks, clock } = this.#options;
    const delivery = await this.source.read({
      rows: limits.batch_rows_max,
      bytes: limits.batch_bytes_max,
      wait_ms: tick_ms,
      age_ms: limits.batch_age_ms_max,
    });
    if (delivery === "end") return false;
    if (delivery === null) {
      await runner.tick(clock.now(), input);
      return true;
    }
    await runner.feed(delivery.payloads, clock.now(), input);
    this.committer.note(delivery.position);
    await sinks.ready();
    return true;
  }
}
