// The loop that reads one source and feeds a runner with it. Thin on purpose: it decides nothing about data.

import { type Clock, stopwatch } from "../clock.ts";
import type { Delivery, Source } from "../connect/connect.ts";
import { FairTurn } from "../connect/fair-turn.ts";
import type { Runner } from "../engine/runner.ts";
import { limits } from "../limits.ts";
import { noteBusy } from "./busy-time.ts";
import type { FeedGate } from "./feed-gate.ts";

/** How often processing time and idle sources move on while nothing arrives. */
const tick_ms = 50;

export interface SourceTaskOptions {
  readonly source: Source;
  /** Which of the runner's sources it is. */
  readonly input: number;
  readonly runner: Runner;
  readonly clock: Clock;
  /** The runner is fed only while it is open. */
  readonly gate: FeedGate;
  /** Told inside the gate: everything up to `position` has been handed to the runner. */
  readonly taken: (position: unknown) => void;
  /** Resolves once there is room for the rows of another batch. */
  readonly room: () => Promise<void>;
}

export class SourceTask {
  readonly #options: SourceTaskOptions;
  #stopping = false;

  constructor(options: SourceTaskOptions) {
    this.#options = options;
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
    const { source, gate, room } = this.#options;
    const delivery = await source.read({
      rows: limits.batch_rows_max,
      bytes: limits.batch_bytes_max,
      wait_ms: tick_ms,
      age_ms: limits.batch_age_ms_max,
    });
    if (delivery === "end") return false;
    await gate.pass(() => this.#feed(delivery));
    await room();
    await this.#catchUp();
    return true;
  }

  /** What the runner has left for later is sent before more is taken, as there is room for it. */
  async #catchUp(): Promise<void> {
    const { runner, gate, room } = this.#options;
    const turn = new FairTurn();
    while (runner.isBehind && !this.#stopping) {
      await gate.pass(() => runner.goOn());
      await room();
      if (turn.isOver) await turn.end();
    }
  }

  async #feed(delivery: Delivery | null): Promise<void> {
    const { input, runner, clock, taken } = this.#options;
    if (delivery === null) return runner.tick(clock.now(), input, clock.elapsed());
    const began = stopwatch();
    await runner.feed(delivery.payloads, clock.now(), input, clock.elapsed());
    noteBusy(runner, stopwatch() - began);
    taken(delivery.position);
  }
}
