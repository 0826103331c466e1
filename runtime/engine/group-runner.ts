// Runs a source's pipelines at home, and sends the stateless part to the pool while that gains. Batches
// are taken in source order wherever they were decoded.

import type { Arrived } from "../batch/compact.ts";
import { type PayloadBatch, PayloadOrigin, sharedPayloads } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { limits } from "../limits.ts";
import { Checkpoints, notHere } from "./checkpoints.ts";
import type { EntryClock } from "./intake.ts";
import type { PipelineInput } from "./loader.ts";
import {
  Average,
  type BatchCosts,
  choosePlace,
  gatherGuessShare,
  hopGuess_ms,
  mergeGuessShare,
  PoolTrial,
  settlingBatches,
} from "./placement.ts";
import { type DecodePool, type PoolEntrance, tasksAtOnce } from "./pool.ts";
import { Homecoming } from "./homecoming.ts";
import { arrivedLast } from "./pipeline-engine.ts";
import type { PoolPart } from "./pool-member.ts";
import type { PoolResult } from "./pool-protocol.ts";
import type { Runner } from "./runner.ts";
import type { PipelineStatus } from "./status.ts";
import type { SourceGroup } from "./source-group.ts";

/** Full batches in a row that show a source faster than home. */
const saturatedAfter = 8;
/** Batches in a row that come back from no thread, those of three that died, after which none is sent there any more. */
const lostMax = 3 * tasksAtOnce;

export interface GroupRunnerOptions {
  /** The group's pipelines again, for the pool's threads. */
  readonly inputs: readonly PipelineInput[];
  readonly header: readonly string[];
  /** Whose threads may decode; null keeps all work at home. */
  readonly pool: DecodePool | null;
}

/** What a thread made of a batch, by pipeline. */
interface Received extends PoolResult {
  readonly received: readonly { readonly part: PoolPart; readonly arrived: readonly Arrived[] }[];
}

export class GroupRunner implements Runner {
  readonly #group: SourceGroup;
  readonly #options: GroupRunnerOptions;
  /** By pipeline. */
  readonly #checkpoints: readonly Checkpoints[];
  /** By pipeline, where its batches come home from the pool. */
  readonly #homecomings: readonly Homecoming[];
  readonly #source = new Average();
  readonly #stateless = new Average();
  readonly #home = new Average();
  readonly #hop = new Average();
  readonly #gather = new Average();
  /** Of batches whose records are aggregated in the pool. */
  readonly #thread = new Average();
  readonly #merge = new Average();
  readonly #trial = new PoolTrial();
  #entrance: PoolEntrance | null = null;
  #lost = 0;
  /** Batches that came back. */
  #returned = 0;
  /** Memory of batches that have come back. */
  readonly #spare: SharedArrayBuffer[] = [];
  #full = 0;
  /** When the last batch had been taken. */
  #fed = 0;
  /** Whether that was at home. */
  #wasHome = true;
  /** The end of the queue of batches that are in the pool; rejected once a pipeline has failed. */
  #tail: Promise<void> = Promise.resolve();
  /** By batch in the pool, oldest first: resolves once it was taken back. */
  readonly #inPool: Promise<void>[] = [];

  constructor(group: SourceGroup, options: GroupRunnerOptions) {
    this.#group = group;
    this.#options = options;
    this.#checkpoints = group.engines.map((engine) => new Checkpoints(engine));
    this.#homecomings = group.engines.map(({ plan }) => new Homecoming(plan));
  }

  async feed(payloads: PayloadBatch, now: number, input = 0, elapsed: number = now): Promise<void> {
    const full =
      payloads.count >= limits.batch_rows_max || payloads.bytes.length * 2 >= limits.batch_bytes_max;
    this.#full = full ? this.#full + 1 : 0;
    const saturated = this.#full >= saturatedAfter;
    // With batches in the pool, what came back was taken in meanwhile.
    if (saturated && this.#inPool.length === 0 && this.#wasHome) this.#source.add(stopwatch() - this.#fed);
    const pool = saturated ? this.#openPool() : null;
    const place = pool === null ? "home" : choosePlace(this.costs(), pool.threads);
    if (place === "pool") await this.#feedPool(pool!, payloads, now, elapsed);
    else await this.#feedHome(payloads, now, input, elapsed);
    const fed = stopwatch();
    if (saturated) this.#trial.add(place, (fed - this.#fed) / payloads.count);
    this.#fed = fed;
    this.#wasHome = place === "home";
  }

  /** The pool, where it may help. */
  #openPool(): DecodePool | null {
    const { pool } = this.#options;
    const isOpen = this.#group.pools && this.#trial.open && this.#lost < lostMax;
    return isOpen && pool?.isBroken === false ? pool : null;
  }

  async #feedHome(payloads: PayloadBatch, now: number, input: number, elapsed: number): Promise<void> {
    await this.#tail;
    const started = stopwatch();
    const decode_ms = this.#group.feed(payloads, now, input, elapsed);
    this.#stateless.add(decode_ms);
    this.#home.add(stopwatch() - started - decode_ms);
  }

  async refer(pipeline: string, table: string, content: ReferenceContent): Promise<void> {
    await this.#tail;
    this.#group.each((engine) => {
      if (engine.plan.name === pipeline) engine.refer(table, content);
    });
  }

  async tick(now: number, input: number | null = null, elapsed: number = now): Promise<void> {
    await this.#tail;
    this.#group.tick(now, input, elapsed);
  }

  async end(now: number, input: number, elapsed: number = now): Promise<void> {
    await this.#tail;
    this.#group.end(now, input, elapsed);
  }

  get isBehind(): boolean {
    return this.#group.isBehind;
  }

  async goOn(): Promise<void> {
    await this.#tail;
    this.#group.goOn();
  }

  async idle(): Promise<void> {
    await this.#tail;
  }

  async checkpoint(elapsed: number): Promise<ReadonlyMap<string, Uint8Array>> {
    await this.#tail;
    const changes = new Map<string, Uint8Array>();
    this.#group.each(({ plan }, place) => {
      const change = this.#checkpoints[place]!.take(elapsed);
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
    elapsed: number,
    areGiven: boolean = false,
  ): Promise<void> {
    await this.#tail;
    const place = this.#group.engines.findIndex(({ plan }) => plan.name === pipeline);
    if (place < 0) throw notHere(pipeline);
    this.#checkpoints[place]!.restore(changes, elapsed, areGiven);
  }

  async finish(now: number): Promise<void> {
    await this.#tail;
    this.#group.finish(now);
  }

  status(): readonly PipelineStatus[] {
    return this.#checkpoints.map((each) => each.status());
  }

  close(): Promise<void> {
    this.#entrance?.leave();
    return Promise.resolve();
  }

  costs(): BatchCosts {
    const stateless_ms = this.#stateless.value(0);
    const home_ms = this.#home.value(0);
    // Rows are gathered and sent back for each pipeline by itself, whatever they share at home.
    const pipelines = this.#group.engines.length;
    const gather_ms = this.#gather.value(stateless_ms * gatherGuessShare * pipelines);
    return {
      source_ms: this.#source.value(0),
      stateless_ms,
      home_ms,
      hop_ms: this.#hop.value(hopGuess_ms * pipelines),
      gather_ms,
      aggregated: !this.#homecomings.some(({ aggregates }) => aggregates)
        ? null
        : {
            thread_ms: this.#thread.value(stateless_ms + gather_ms + home_ms),
            home_ms: this.#merge.value(home_ms * mergeGuessShare),
          },
    };
  }

  async #feedPool(pool: DecodePool, payloads: PayloadBatch, now: number, elapsed: number): Promise<void> {
    const started = stopwatch();
    const { inputs, header } = this.#options;
    this.#entrance ??= pool.enter({ inputs, header });
    const arrived = arrivedLast(payloads, now);
    const shared = sharedPayloads(payloads, this.#spare.pop() ?? null);
    const clock = this.#group.clockOf(payloads, now, 0, elapsed);
    const running = this.#entrance.run(shared, clock).then(
      (result) => this.#receive(result),
      () => null,
    );
    const hop_ms = stopwatch() - started;
    const taken = this.#tail.then(async () => {
      const result = await running;
      this.#lost = result === null ? this.#lost + 1 : 0;
      // The thread died with the batch: it is run again, here.
      if (result === null) this.#group.feedAt(shared, clock);
      else {
        this.#takeBack(result, shared, { clock, arrived, hop_ms });
        this.#entrance?.giveBack(result);
      }
      this.#spare.push(shared.bytes.buffer as SharedArrayBuffer);
      void this.#inPool.shift();
    });
    this.#tail = taken;
    // A failure is told by the next call.
    taken.catch(() => undefined);
    this.#inPool.push(taken);
    while (this.#inPool.length >= limits.pool_batches_in_flight_max) await this.#inPool[0];
  }

  /** Takes in what a thread made, as it comes; its turn comes later. */
  #receive(result: PoolResult): Received {
    const received = result.parts.map((part, place) => {
      return { part, arrived: this.#homecomings[place]!.take(part, result.thread) };
    });
    return { ...result, received };
  }

  #takeBack(
    { received, stateless_ms, gather_ms }: Received,
    payloads: PayloadBatch,
    {
      clock,
      arrived,
      hop_ms,
    }: { readonly clock: EntryClock; readonly arrived: number; readonly hop_ms: number },
  ): void {
    const started = stopwatch();
    const origin = new PayloadOrigin(payloads);
    let restore_ms = 0;
    this.#group.each((engine, place) => {
      const { part, arrived: all } = received[place]!;
      const before = stopwatch();
      const batches = this.#homecomings[place]!.batches(part, all, origin);
      restore_ms += stopwatch() - before;
      engine.book(part, arrived);
      engine.take(part, batches, clock, arrived);
    });
    this.#hop.add(hop_ms + restore_ms);
    // A thread that starts, and compiles what it runs, tells nothing of its costs.
    if (++this.#returned <= settlingBatches) return;
    const home_ms = stopwatch() - started - restore_ms;
    if (received.some(({ part }) => part.isPartial)) {
      this.#thread.add(stateless_ms + gather_ms);
      this.#merge.add(home_ms);
      return;
    }
    this.#stateless.add(stateless_ms);
    this.#gather.add(gather_ms);
    this.#home.add(home_ms);
  }
}
