// The sinks of a runner, of which there may be thousands: only those that were written to are asked whether
// they have room, and to confirm. Never writes by itself.

import type { OutputRow, Sink } from "../connect/connect.ts";

export class SinkSet {
  readonly #all: readonly Sink[];
  /** Written to since it was last seen that they have room, and since they were last told to confirm. */
  readonly #filling = new Set<Sink>();
  #unconfirmed = new Set<Sink>();
  #confirming: Promise<unknown> = Promise.resolve();

  constructor(all: readonly Sink[]) {
    this.#all = all;
  }

  write(sink: Sink, row: OutputRow): void {
    this.#filling.add(sink);
    this.#unconfirmed.add(sink);
    sink.write(row);
  }

  /** Resolves once every sink has room for more rows. */
  async ready(): Promise<void> {
    for (const sink of this.#filling) {
      await sink.ready();
      this.#filling.delete(sink);
    }
  }

  /** Resolves once every row that was written so far is confirmed or dropped. */
  async flush(): Promise<void> {
    const asked = [...this.#unconfirmed];
    this.#unconfirmed = new Set();
    // What an earlier call has asked for is part of what this one promises.
    this.#confirming = Promise.all([this.#confirming, ...asked.map((sink) => sink.flush())]);
    await this.#confirming;
  }

  async close(): Promise<void> {
    for (const sink of this.#all) await sink.close();
  }
}
