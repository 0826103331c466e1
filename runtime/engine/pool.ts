// The thread pool of a worker: hands batches of its sources to piscina. A batch is in memory that threads share, so that it
// is copied once, and one whose thread died can be run again at home.

import type { Piscina } from "piscina";
import { bufferOf } from "../batch/compact.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import { partUrl } from "../layout.ts";
import type { EntryClock } from "./intake.ts";
import type { PoolGroup, PoolResult, PoolTask } from "./pool-protocol.ts";

/**
 * A thread has the batches that come next before it is done with one: asking home for each left it without work for a third of the
 * time. It still takes one after the other; when it dies, all of them are run again at home.
 */
export const tasksAtOnce = 3;

/** The way into the pool for one group. */
export interface PoolEntrance {
  /** Runs one batch, which is in shared memory. Rejects when its thread died, or could not make the pipelines. */
  run(payloads: PayloadBatch, clock: EntryClock): Promise<PoolResult>;
  /** What a run gave is not read any more: its memory goes back to a thread with the next batch. */
  giveBack(result: PoolResult): void;
  /** The group comes no more. */
  leave(): void;
}

export class DecodePool {
  readonly threads: number;
  #piscina: Promise<Piscina<PoolTask, PoolResult>> | null = null;
  #isBroken = false;
  /** Of batches that are in it, who is told when it breaks: Piscina leaves tasks waiting for threads that never come up. */
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #groups = new Set<number>();
  #entered = 0;
  /** Of batches that were taken in. */
  readonly #buffers: ArrayBuffer[] = [];

  /** Starts no thread before the first batch. */
  constructor(threads: number) {
    this.threads = threads;
  }

  /** True when it takes no more batches. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  enter(group: PoolGroup): PoolEntrance {
    const id = this.#entered++;
    this.#groups.add(id);
    // Threads read it when they meet the group for the first time; until then it costs a batch nothing.
    const definition = sharedText(JSON.stringify(group));
    return {
      run: (payloads, clock) =>
        this.#run({ group: id, definition, groups: [...this.#groups], payloads, clock }),
      giveBack: ({ parts }) => {
        for (const { batches } of parts) this.#buffers.push(...batches.map(bufferOf));
      },
      leave: () => void this.#groups.delete(id),
    };
  }

  async close(): Promise<void> {
    await (await this.#piscina)?.destroy();
  }

  #run(asked: Omit<PoolTask, "buffers">): Promise<PoolResult> {
    const buffers = this.#buffers.splice(0);
    const task = { ...asked, buffers };
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = (): void => void this.#waiting.delete(reject);
      this.#threads()
        .then((threads) => threads.run(task, { transferList: buffers }))
        .then(resolve, reject)
        .finally(done);
    });
  }

  #threads(): Promise<Piscina<PoolTask, PoolResult>> {
    this.#piscina ??= this.#open();
    return this.#piscina;
  }

  /** Few workers ever have a pool, so its code is loaded with the first batch. */
  async #open(): Promise<Piscina<PoolTask, PoolResult>> {
    const { Piscina } = await import("piscina");
    const piscina = new Piscina<PoolTask, PoolResult>({
      filename: partUrl("pool-thread.js").href,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: tasksAtOnce,
      atomics: "async",
    });
    // Threads that die with a batch reject that batch. Here is only who dies without one, as when it is started.
    piscina.on("error", (error: Error) => {
      this.#isBroken = true;
      for (const reject of this.#waiting) reject(error);
    });
    return piscina;
  }
}

function sharedText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
