// Tells the source what is settled: once the rows that a batch caused are confirmed by every sink. One
// round at a time, so that a slow sink costs no more than one flush in flight.

import type { Source } from "../connect/connect.ts";
import type { SinkSet } from "./sink-set.ts";

export class Committer {
  readonly #source: Source;
  readonly #sinks: SinkSet;
  readonly #reached: () => Promise<void>;
  #position: unknown;
  #pending = false;
  #running: Promise<void> = Promise.resolve();
  #busy = false;

  /** `reached` resolves once all that was read has reached the sinks. */
  constructor(source: Source, sinks: SinkSet, reached: () => Promise<void>) {
    this.#source = source;
    this.#sinks = sinks;
    this.#reached = reached;
  }

  /** Everything up to `position` has been handed to the engine. */
  note(position: unknown): void {
    this.#position = position;
    this.#pending = true;
  }

  /** Begins a round unless one is running. Failures surface at the next `settle`. */
  begin(): void {
    if (this.#busy || !this.#pending) return;
    this.#busy = true;
    this.#running = this.#round().finally(() => {
      this.#busy = false;
    });
    this.#running.catch(() => undefined);
  }

  /** Resolves once everything noted so far is committed. */
  async settle(): Promise<void> {
    await this.#running;
    await this.#round();
  }

  async #round(): Promise<void> {
    if (!this.#pending) return;
    const position = this.#position;
    this.#pending = false;
    await this.#reached();
    await this.#sinks.flush();
    await this.#source.commit(position);
  }
}
