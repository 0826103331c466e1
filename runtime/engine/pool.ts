// The thread pool of one source: hands batches to piscina and gives their results back in source order.
// Only buffers cross; a thread that dies loses nothing, because its batch is run again at home.

import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { type PayloadBatch, payloadBuffers } from "../batch/payloads.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import type { EntryClock } from "./intake.ts";
import type { PipelineInput } from "./loader.ts";
import type { PoolResult, PoolTask, PoolThreadData } from "./pool-thread.ts";

/**
 * One core is home's, and one is for what feeds it: the nats-server, the kernel's network, the collector. On two cores a pool
 * that takes the second makes UC2 a third as fast, from a file as over NATS.
 */
export function poolThreads(): number {
  return Math.max(0, availableParallelism() - 2);
}

export class DecodePool {
  readonly #piscina: Piscina<PoolTask, PoolResult>;
  /** Rejects when the pool is broken: Piscina leaves tasks waiting for threads that never come up. */
  readonly #broken: Promise<never>;
  #failure: Error | null = null;
  #inFlight = 0;

  constructor(inputs: readonly PipelineInput[], header: readonly string[], threads: number) {
    const workerData: PoolThreadData = { inputs, header };
    this.#piscina = new Piscina({
      filename: partUrl("pool-thread.js").href,
      workerData,
      minThreads: threads,
      maxThreads: threads,
      maxQueue: limits.pool_batches_in_flight_max,
      concurrentTasksPerWorker: 1,
      atomics: "async",
    });
    this.#broken = new Promise((_resolve, reject) => {
      // Threads that die with a batch reject that batch. Here is only who dies without one, as when it is started.
      this.#piscina.on("error", (error: Error) => {
        this.#failure ??= error;
        reject(error);
      });
    });
    this.#broken.catch(() => undefined);
  }

  /** Why the pool takes no more batches; null while it does. */
  get failure(): Error | null {
    return this.#failure;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Runs one batch; the payloads come back with the result. */
  async run(payloads: PayloadBatch, clock: EntryClock): Promise<PoolResult> {
    this.#inFlight++;
    try {
      const transferList = payloadBuffers(payloads);
      return await Promise.race([this.#piscina.run({ payloads, clock }, { transferList }), this.#broken]);
    } finally {
      this.#inFlight--;
    }
  }

  close(): Promise<void> {
    return this.#piscina.destroy();
  }
}
