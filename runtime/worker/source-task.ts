// One source and the pipelines that read it, from open to drained: the loop that reads, feeds and
// commits. Thin on purpose: it decides nothing about data.

import type { Clock } from "../clock.ts";
import type { Sink, Source, SourceStats } from "../connect/connect.ts";
import type { Runner } from "../engine/runner.ts";
import { limits } from "../limits.ts";
import { Committer } from "./committer.ts";

/** How often processing time and idle sources move on while nothing arrives. */
const tick_ms = 50;
/** How often what is settled is committed. */
const commit_ms = 100;

export class SourceTask {
  readonly source: Source;
  readonly runner: Runner;
  readonly #sinks: readonly Sink[];
  readonly #clock: Clock;
  readonly #committer: Committer;
  #stopping = false;
  /** Payload bytes read. */
  #bytes = 0;

  constructor(source: Source, runner: Runner, sinks: readonly Sink[], clock: Clock) {
    this.source = source;
    this.runner = runner;
    this.#sinks = sinks;
    this.#clock = clock;
    this.#committer = new Committer(source, sinks, () => runner.idle());
  }

  get bytes(): number {
    return this.#bytes;
  }

  stats(): SourceStats {
    return this.source.stats();
  }

  /** Takes nothing new from here on; `run` then finishes what is in flight. */
  stop(): void {
    this.#stopping = true;
  }

  /** Runs to the source's end or to `stop`; resolves once every row is confirmed and the source committed. */
  async run(): Promise<void> {
    const endCommits = this.#clock.every(commit_ms, () => this.#committer.begin());
    try {
      while (!this.#stopping && (await this.#step())) {
        // Each step waits for room, so the source is never read faster than the sinks take.
      }
      await this.runner.finish(this.#clock.now());
      await Promise.all(this.#sinks.map((sink) => sink.flush()));
      await this.#committer.settle();
    } finally {
      endCommits();
    }
  }

  /** One read; false at the source's end. */
  async #step(): Promise<boolean> {
    const delivery = await this.source.read({
      rows: limits.batch_rows_max,
      bytes: limits.batch_bytes_max,
      wait_ms: tick_ms,
      age_ms: limits.batch_age_ms_max,
    });
    if (delivery === "end") return false;
    if (delivery === null) {
      await this.runner.tick(this.#clock.now());
      return true;
    }
    this.#bytes += delivery.payloads.bytes.length;
    await this.runner.feed(delivery.payloads, this.#clock.now());
    this.#committer.note(delivery.position);
    for (const sink of this.#sinks) await sink.ready();
    return true;
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.source.close();
    for (const sink of this.#sinks) await sink.close();
  }
}
