// A runner whose sources are told what is settled once the rows that it caused have arrived. Keeps nothing beyond the
// process. Never looks into what passes.

import type { Clock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import type { Runner } from "../engine/runner.ts";
import { Committer } from "./committer.ts";
import { FeedGate } from "./feed-gate.ts";
import type { SinkSet } from "./sink-set.ts";
import { Reading, type Task } from "./task.ts";

/** How often what is settled is committed. */
const commit_ms = 100;

export class RunnerTask implements Task {
  readonly runner: Runner;
  readonly sources: readonly Source[];
  readonly #reading: Reading;
  readonly #committers: readonly Committer[];
  readonly #sinks: SinkSet;
  readonly #clock: Clock;

  constructor(sources: readonly Source[], runner: Runner, sinks: SinkSet, clock: Clock) {
    this.runner = runner;
    this.sources = sources;
    this.#sinks = sinks;
    this.#clock = clock;
    this.#committers = sources.map((source) => new Committer(source, sinks, () => runner.idle()));
    this.#reading = new Reading({
      sources,
      runner,
      clock,
      gate: new FeedGate(),
      taken: (input, position) => this.#committers[input]!.note(position),
      room: () => sinks.ready(),
    });
  }

  stop(): void {
    this.#reading.stop();
  }

  /** Resolves once every row is confirmed and the sources committed. Open windows fire: nothing of them is kept. */
  async run(): Promise<void> {
    const endCommits = this.#clock.every(commit_ms, () => {
      for (const committer of this.#committers) committer.begin();
    });
    try {
      await this.#reading.run();
      await this.#reading.finish();
      await this.#sinks.flush();
      await Promise.all(this.#committers.map((committer) => committer.settle()));
    } finally {
      endCommits();
    }
  }

  async close(): Promise<void> {
    await this.runner.close();
    for (const source of this.sources) await source.close();
    await this.#sinks.close();
  }
}
