// Where the stateless part of a batch runs: at home or in the pool. Pure: measured costs in, a choice out.

import { instanceOf } from "../instance.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";

/** Threads of a pool: one core is home's, and one is for what feeds it, the nats-server, the kernel's network, the collector. */
export function poolThreads(processors: number): number {
  return Math.max(0, processors - 2);
}

/** How many threads pipelines of one source may have: what their files say, else what the device does, else what is spare. */
export function threadsFor(
  plans: readonly Pick<PipelinePlan, "name" | "spec">[],
  device: number | null,
  spare: number,
): number {
  const said = plans.flatMap(({ spec }) => spec.placement.threads ?? []);
  if (said.length > 0) return Math.max(...said);
  // A worker runs several partitions of a stream, and each would have a pool of its own.
  const isPartition = plans.some(({ name }) => instanceOf(name).partition !== null);
  return device ?? (isPartition ? 0 : spare);
}

/** Averages over recent batches, in ms of the thread that does the work. */
export interface BatchCosts {
  /** Reading it and cutting it into records, which is done at home in any case. */
  readonly source_ms: number;
  /** Decode and the stateless steps, wherever they ran. */
  readonly stateless_ms: number;
  /** What must be done at home in any case: keyed steps, encoding. */
  readonly home_ms: number;
  /** What a hop costs home: copying, posting, taking back. */
  readonly hop_ms: number;
  /** What a hop costs the pool's thread: gathering the rows that go back. */
  readonly gather_ms: number;
  /**
   * Where threads do part of the keyed steps as well: all that they do for a batch, and what is left for home beside its hop. Null
   * where they do not.
   */
  readonly aggregated: { readonly thread_ms: number; readonly home_ms: number } | null;
}

/** A hop before any was measured (20–60 µs for the messages, as much again for the copies), and its share of gathering. */
export const hopGuess_ms = 0.15;
export const gatherGuessShare = 0.3;
/** What is left of home's own work, before it was measured, where threads aggregate. */
export const mergeGuessShare = 0.3;

/** The pool must promise at least this much more throughput: a hop that gains nothing costs latency. */
const gainMin = 1.15;

/**
 * `pool` when the batches a second that the pool promises exceed those that home manages alone. With
 * `threads` threads the slower of two stages sets the pace: home with its hops, or the threads.
 */
export function choosePlace(costs: BatchCosts, threads: number): "home" | "pool" {
  if (threads < 1) return "home";
  const { source_ms, stateless_ms, home_ms, hop_ms, gather_ms, aggregated } = costs;
  const alone = source_ms + stateless_ms + home_ms;
  const split = aggregated ?? { thread_ms: stateless_ms + gather_ms, home_ms };
  const pooled = Math.max(source_ms + split.home_ms + hop_ms, split.thread_ms / threads);
  return alone > pooled * gainMin ? "pool" : "home";
}

/** An exponential average over about the last sixteen values. */
export class Average {
  #value: number | null = null;
  add(value: number): void {
    this.#value = this.#value === null ? value : this.#value + (value - this.#value) / 16;
  }
  /** `guess` before the first value. */
  value(guess: number): number {
    return this.#value ?? guess;
  }
}

/** Batches that tell nothing of either place: threads start, and compile what they run, in the first of them. */
export const settlingBatches = 24;
const judgedBatches = 40;
/** Batches at home after a pool that gained nothing, and the most of them after it was tried again and again. */
const restBatches = 512;
const restBatchesMax = 65_536;

/**
 * Whether the pool keeps what it promised, by the clock on the wall: costs of threads do not tell that other
 * programs, such as the server that the records come from, want the same processors. A pool that gained nothing rests, each
 * time longer.
 */
export class PoolTrial {
  readonly #home = new Average();
  #pool = new Average();
  #batches = 0;
  /** Batches that have told how fast home is. */
  #homeBatches = 0;
  /** Batches to go at home. */
  #resting = 0;
  #rest = restBatches;

  /** False while the pool rests. */
  get open(): boolean {
    return this.#resting === 0;
  }

  /** A batch of a saturated source went through in so much time a record. */
  add(place: "home" | "pool", ms_per_record: number): void {
    if (place === "home") {
      this.#home.add(ms_per_record);
      this.#homeBatches++;
      if (this.#resting > 0) this.#resting--;
      return;
    }
    if (++this.#batches > settlingBatches) this.#pool.add(ms_per_record);
    if (this.#batches === settlingBatches + judgedBatches) this.#judge();
  }

  #judge(): void {
    const home_ms = this.#home.value(Number.POSITIVE_INFINITY);
    const known = this.#homeBatches >= settlingBatches;
    const gains = known && this.#pool.value(0) < home_ms;
    if (gains) this.#rest = restBatches;
    else if (!known) this.#resting = settlingBatches;
    else {
      this.#resting = this.#rest;
      this.#rest = Math.min(this.#rest * 4, restBatchesMax);
    }
    this.#pool = new Average();
    this.#batches = gains ? settlingBatches : 0;
  }
}
