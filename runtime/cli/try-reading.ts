// The records of all sources to all trials: the same batches for each, at the same time of one clock. Knows when to stop, and
// nothing of what is shown.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { Clock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { Trial } from "../testing/trial.ts";
import type { TrySource } from "./try-sources.ts";

/** How often processing time and idle sources move on while nothing arrives. */
const tick_ms = 50;

export interface TryReadingOptions {
  readonly sources: readonly TrySource[];
  readonly trials: readonly Trial[];
  readonly clock: Clock;
  /** The most records that are read; null: no bound. */
  readonly records: number | null;
  /** The most records that are read at once. */
  readonly atOnce: number;
  /** How long is read, ms; null: no bound. */
  readonly for_ms: number | null;
  /** Told after everything that may have made rows; resolves once there is room for more. */
  readonly made: () => Promise<void>;
}

export class TryReading {
  readonly #options: TryReadingOptions;
  #left: number;
  #stopping = false;
  /** What is fed is fed one after the other, so that all trials see one order. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: TryReadingOptions) {
    this.#options = options;
    this.#left = options.records ?? Number.POSITIVE_INFINITY;
  }

  /** Takes nothing new from here on. */
  stop(): void {
    this.#stopping = true;
  }

  /** Reads until it is stopped, or all sources are at their ends; true where these were those of the records. */
  async run(): Promise<boolean> {
    const { sources, for_ms, clock, trials, made } = this.#options;
    const cancel = for_ms === null ? () => undefined : clock.after(for_ms, () => this.stop());
    const read = await Promise.allSettled(sources.map((source, input) => this.#read(source, input)));
    cancel();
    const failure = read.find((each) => each.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    const isOver =
      sources.every(({ ends }) => ends) && read.every((each) => each.status === "fulfilled" && each.value);
    const now = clock.now();
    if (isOver) for (const trial of trials) await trial.finish(now);
    await made();
    return isOver;
  }

  /** Reads one source; true at its end. When it fails, none is read any longer. */
  async #read({ source, ends }: TrySource, input: number): Promise<boolean> {
    const { clock, sources, atOnce } = this.#options;
    try {
      while (!this.#stopping) {
        const delivery = await source.read({
          rows: atOnce,
          bytes: limits.batch_bytes_max,
          wait_ms: tick_ms,
          age_ms: limits.batch_age_ms_max,
        });
        if (this.#stopping) break;
        if (delivery !== "end") await this.#inTurn(() => this.#take(delivery?.payloads ?? null, input));
        else if (!ends || sources.length === 1) return true;
        else {
          const [now, elapsed] = [clock.now(), clock.elapsed()];
          await this.#inTurn(() => this.#each((trial) => trial.end(now, input, elapsed)));
          return true;
        }
      }
      return false;
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async #take(payloads: PayloadBatch | null, input: number): Promise<void> {
    if (this.#stopping) return;
    const { clock } = this.#options;
    const [now, elapsed] = [clock.now(), clock.elapsed()];
    if (payloads === null) return this.#each((trial) => trial.tick(now, input, elapsed));
    const taken = firstOf(payloads, this.#left);
    this.#left -= taken.count;
    if (this.#left === 0) this.stop();
    await this.#each((trial) => trial.feed(taken, now, input, elapsed));
  }

  async #each(task: (trial: Trial) => Promise<void>): Promise<void> {
    for (const trial of this.#options.trials) await task(trial);
    await this.#options.made();
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(task);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** The first of some payloads. */
function firstOf(payloads: PayloadBatch, most: number): PayloadBatch {
  if (payloads.count <= most) return payloads;
  const { bytes, offsets, subject, arrived } = payloads;
  return {
    ...payloads,
    bytes: bytes.subarray(0, offsets[most]),
    offsets: offsets.subarray(0, most + 1),
    subject: subject.subarray(0, most),
    arrived: arrived.subarray(0, most),
    count: most,
  };
}
