// Runs a source's pipelines at home, and sends the stateless part to the pool while that gains. Batches
// are taken in source order wherever they were decoded.

import type { Schema } from "../../operators/sdk/index.ts";
import { ownedPayloads, type PayloadBatch, PayloadOrigin } from "../batch/payloads.ts";
import { restoreBatch } from "../batch/compact.ts";
import { stopwatch } from "../clock.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { limits } from "../limits.ts";
import { Checkpoints, notHere } from "./checkpoints.ts";
import type { PipelineInput } from "./loader.ts";
import {
  Average,
  type BatchCosts,
  choosePlace,
  gatherGuessShare,
  hopGuess_ms,
  PoolTrial,
} from "./placement.ts";
import { DecodePool } from "./pool.ts";
import { arrivedLast } from "./pipeline-engine.ts";
import type { PoolResult } from "./pool-thread.ts";
import type { PipelineStatus, Runner } from "./runner.ts";
import type { SourceGroup } from "./source-group.ts";
import { homeSchemaOf } from "./stateless-part.ts";

/** Full batches in a row that show a source faster than home. */
const saturatedAfter = 8;

export interface GroupRunnerOptions {
  /** The group's pipelines again, for the pool's threads. */
  readonly inputs: readonly PipelineInput[];
  readonly header: readonly string[];
  /** Threads that the pool may have; 0 keeps all work at home. */
  readonly threads: number;
}

export class GroupRunner implements Runner {
  readonly #group: SourceGroup;
  readonly #options: GroupRunnerOptions;
  /** By pipeline. */
  readonly #checkpoints: readonly Checkpoints[];
  /** By pipeline, the columns that home begins with. */
  readonly #homeSchemas: readonly Schema[];
  readonly #stateless = new Average();
  readonly #home = new Average();
  readonly #hop = new Average();
  readonly #gather = new Average();
  readonly #trial = new PoolTrial();
  #pool: DecodePool | null = null;
  #full = 0;
  /** When the last batch had been taken. */
  #fed = 0;
  /** The end of the queue of batches that are in the pool; rejected once a pipeline has failed. */
  #tail: Promise<void> = Promise.resolve();
  /** By batch in the pool, oldest first: resolves once it was taken back. */
  readonly #inPool: Promise<void>[] = [];

  constructor(group: SourceGroup, options: GroupRunnerOptions) {
    this.#group = group;
    this.#options = options;
    this.#checkpoints = group.engines.map((engine) => new Checkpoints(engine));
    this.#homeSchemas = group.engines.map(({ plan }) => homeSchemaOf(plan));
  }

  async feed(payloads: PayloadBatch, now: number, input = 0): Promise<void> {
    const full =
      payloads.count >= limits.batch_rows_max || payloads.bytes.length * 2 >= limits.batch_bytes_max;
    this.#full = full ? this.#full + 1 : 0;
    const pooled = this.#group.pools && (this.#pool?.failure ?? null) === null;
    const threads = pooled && this.#trial.open ? this.#options.threads : 0;
    const saturated = this.#full >= saturatedAfter;
    const place = saturated ? choosePlace(this.costs(), threads) : "home";
    if (place === "pool") await this.#feedPool(payloads, now);
    else await this.#feedHome(payloads, now, input);
    const fed = stopwatch();
    if (saturated) this.#trial.add(place, (fed - this.#fed) / payloads.count);
    this.#fed = fed;
  }

  async #feedHome(payloads: PayloadBatch, now: number, input: number): Promise<void> {
    await this.#tail;
    const started = stopwatch();
    const decode_ms = this.#group.feed(payloads, now, input);
    this.#stateless.add(decode_ms);
    this.#home.add(stopwatch() - started - decode_ms);
  }

  async refer(pipeline: string, table: string, content: ReferenceContent): Promise<void> {
    await this.#tail;
    this.#group.each((engine) => {
      if (engine.plan.name === pipeline) engine.refer(table, content);
    });
  }

  async tick(now: number, input: number | null = null): Promise<void> {
    await this.#tail;
    this.#group.tick(now, input);
  }

  async end(now: number, input: number): Promise<void> {
    await this.#tail;
    this.#group.end(now, input);
  }

  async idle(): Promise<void> {
    await this.#tail;
  }

  async checkpoint(now: number): Promise<ReadonlyMap<string, Uint8Array>> {
    await this.#tail;
    const changes = new Map<string, Uint8Array>();
    this.#group.each(({ plan }, place) => {
      const change = this.#checkpoints[place]!.take(now);
      if (change !== null) changes.set(plan.name, change);
    });
    return changes;
  }

  whole(): Promise<ReadonlyMap<string, Uint8Array>> {
    const all = new Map<string, Uint8Array>();
    for (const [place, { plan }] of this.#group.engines.entries()) {
      const whole = this.#checkpoints[place]!.whole();
      if (whole !== null) all.set(plan.name, whole);
    }
    return Promise.resolve(all);
  }

  async restore(
    pipeline: string,
    changes: readonly Uint8Array[],
    now: number,
    areGiven: boolean = false,
  ): Promise<void> {
    await this.#tail;
    const place = this.#group.engines.findIndex(({ plan }) => plan.name === pipeline);
    if (place < 0) throw notHere(pipeline);
    this.#checkpoints[place]!.restore(changes, now, areGiven);
  }

  async finish(now: number): Promise<void> {
    await this.#tail;
    this.#group.finish(now);
  }

  status(): readonly PipelineStatus[] {
    return this.#group.engines.map((engine) => engine.status());
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  costs(): BatchCosts {
    const stateless_ms = this.#stateless.value(0);
    // Rows are gathered and sent back for each pipeline by itself, whatever they share at home.
    const pipelines = this.#group.engines.length;
    return {
      stateless_ms,
      home_ms: this.#home.value(0),
      hop_ms: this.#hop.value(hopGuess_ms * pipelines),
      gather_ms: this.#gather.value(stateless_ms * gatherGuessShare * pipelines),
    };
  }

  async #feedPool(payloads: PayloadBatch, now: number): Promise<void> {
    const started = stopwatch();
    this.#pool ??= new DecodePool(this.#options.inputs, this.#options.header, this.#options.threads);
    const arrived = arrivedLast(payloads, now);
    const kept = ownedPayloads(payloads);
    const clock = this.#group.clockOf(payloads, now);
    const running = this.#pool.run(ownedPayloads(payloads), clock).catch(() => null);
    const hop_ms = stopwatch() - started;
    const taken = this.#tail.then(async () => {
      const result = await running;
      // The thread died with the batch: it is run again, here.
      if (result === null) this.#group.feedAt(kept, clock);
      else this.#takeBack(result, clock.now, arrived, hop_ms);
      void this.#inPool.shift();
    });
    this.#tail = taken;
    // A failure is told by the next call.
    taken.catch(() => undefined);
    this.#inPool.push(taken);
    while (this.#inPool.length >= limits.pool_batches_in_flight_max) await this.#inPool[0];
  }

  #takeBack(result: PoolResult, now: number, arrived: number, hop_ms: number): void {
    const started = stopwatch();
    const { payloads } = result;
    const origin = new PayloadOrigin(payloads);
    let restore_ms = 0;
    this.#group.each((engine, place) => {
      const part = result.parts[place]!;
      const before = stopwatch();
      const schema = this.#homeSchemas[place]!;
      const batches = part.batches.map((batch) => restoreBatch(batch, schema, origin));
      restore_ms += stopwatch() - before;
      engine.book(part, arrived);
      engine.take(part, batches, now, arrived);
    });
    this.#stateless.add(result.stateless_ms);
    this.#gather.add(result.gather_ms);
    this.#hop.add(hop_ms + restore_ms);
    this.#home.add(stopwatch() - started - restore_ms);
  }
}
