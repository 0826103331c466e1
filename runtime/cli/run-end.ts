// What ends `weir run` before its sources do: a signal, or that nobody reads its rows any more. Ends nothing but once, and in
// order; how that is done is the worker's.

import type { Log } from "../log.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { exitReaderGone } from "./options.ts";

export interface RunEndOptions {
  /** Drains; rejects when that takes too long. */
  readonly stop: () => Promise<never>;
  readonly plans: readonly PipelinePlan[];
  readonly log: Log;
}

const noReader = "nobody reads standard output any more";

/** True where rows go to standard output, and nowhere else. */
function writesToOutputAlone(plans: readonly PipelinePlan[]): boolean {
  const sinks = plans.flatMap(({ branches }) => branches.map(({ sink }) => sink.kind));
  return sinks.every((kind) => kind === "stdout" || kind === "nothing");
}

export class RunEnd {
  /** The process's, where nothing else went wrong. */
  exitCode = 0;
  readonly #options: RunEndOptions;
  readonly #drained = Promise.withResolvers<never>();
  #isEnding = false;
  #isGone = false;

  constructor(options: RunEndOptions) {
    this.#options = options;
    this.#drained.promise.catch(() => undefined);
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#end(signal));
  }

  /** Rejects when draining takes too long. */
  get drained(): Promise<never> {
    return this.#drained.promise;
  }

  /** Nobody reads standard output any more. Where other sinks go on, its rows are dropped and counted. */
  readerGone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const { plans, log } = this.#options;
    if (!writesToOutputAlone(plans)) return log.warn(`${noReader}: its rows are dropped and counted`);
    this.exitCode = exitReaderGone;
    this.#end(noReader);
  }

  #end(why: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { log, stop } = this.#options;
    log.info(`${why}: draining`);
    stop().catch(this.#drained.reject);
  }
}
