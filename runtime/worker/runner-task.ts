// A runner with its sources and sinks, from open to drained: pipelines that share one source, or one that
// reads several. Never looks into what passes.

import type { Clock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import type { Runner } from "../engine/runner.ts";
import type { SinkSet } from "./sink-set.ts";
import { SourceTask } from "./source-task.ts";

/** How often what is settled is committed. */
const commit_ms = 100;

export class RunnerTask {
  readonly runner: Runner;
  readonly sources: readonly Source[];
  readonly #tasks: readonly SourceTask[];
  readonly #sinks: SinkSet;
  readonly #clock: Clock;

  constructor(sources: readonly Source[], runner: Runner, sinks: SinkSet, clock: Clock) {
    this.runner = runner;
    this.sources = sources;
    this.#sinks = sinks;
    this.#clock = clock;
    this.#tasks = sources.map((source, input) => new SourceTask({ source, input, runner, sinks, clock }));
  }

  /** Takes nothing new from here on; `run` then finishes what is in flight. */
  stop(): void {
    for (const task of this.#tasks) task.stop();
  }

  /** Runs until every source has ended or to `stop`; resolves once every row is confirmed and the sources committed. */
  async run(): Promise<void> {
    const endCommits = this.#clock.every(commit_ms, () => {
      for (const { committer } of this.#tasks) committer.begin();
    });
    try {
      const read = await Promise.allSettled(this.#tasks.map((task, input) => this.#read(task, input)));
      const failure = read.find((each) => each.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      await this.runner.finish(this.#clock.now());
      await this.#sinks.flush();
      await Promise.all(this.#tasks.map(({ committer }) => committer.settle()));
    } finally {
      endCommits();
    }
  }

  /** Reads one source. When that fails the others are read no longer. */
  async #read(task: SourceTask, input: number): Promise<void> {
    try {
      const ended = await task.run();
      if (ended && this.#tasks.length > 1) await this.runner.end(this.#clock.now(), input);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.runner.close();
    for (const source of this.sources) await source.close();
    await this.#sinks.close();
  }
}
