// A target that is there once its connection is: until then rows wait in the outbox, and nobody else waits for it. Says of the
// other side only what the last commit says; decides nothing itself.

import type { Place, Tail, Target } from "../connect/chain/chain.ts";
import { WeirError } from "../errors.ts";
import type { Entry } from "../state/outbox/entry.ts";

export interface AwaitedTargetOptions {
  /** Opens the target as soon as its connection is there; called once. */
  readonly open: () => Promise<Target>;
  /** What an earlier start wrote down: it stays written down for as long as nobody knows more. */
  readonly place: Place | null;
}

export function awaitedTarget(options: AwaitedTargetOptions): Target {
  return new AwaitedTarget(options);
}

class AwaitedTarget implements Target {
  readonly #options: AwaitedTargetOptions;
  #target: Target | null = null;
  /** Rejects at the end, for whoever waits. */
  readonly #closed = Promise.withResolvers<never>();
  #isClosed = false;

  constructor(options: AwaitedTargetOptions) {
    this.#options = options;
    this.#closed.promise.catch(() => undefined);
  }

  get room(): number {
    return this.#target?.room ?? 0;
  }

  get place(): Place | null {
    return this.#target === null ? this.#options.place : (this.#target.place ?? null);
  }

  get lost(): Readonly<Record<string, number>> {
    return this.#target?.lost ?? {};
  }

  async attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail> {
    const target = this.#target ?? (await Promise.race([this.#open(), this.#closed.promise]));
    return target.attach(unconfirmed, confirmed);
  }

  unfit(entry: Entry): string | null {
    return this.#target?.unfit?.(entry) ?? null;
  }

  send(entries: readonly Entry[]): void {
    if (this.#target === null) throw new Error("nothing is sent before the target was attached");
    this.#target.send(entries);
  }

  async check(): Promise<void> {
    await this.#target?.check?.();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.reject(closedBefore());
    await this.#target?.close();
  }

  async #open(): Promise<Target> {
    const target = await this.#opened();
    if (this.#isClosed) {
      await target.close();
      throw closedBefore();
    }
    this.#target = target;
    return target;
  }

  async #opened(): Promise<Target> {
    try {
      return await this.#options.open();
    } catch (fault) {
      // Nobody waits for the server any more, because the worker stops: that is no fault of the chain's.
      if (fault instanceof WeirError && fault.code === "WEIR_NATS_UNAVAILABLE") return this.#closed.promise;
      throw fault;
    }
  }
}

function closedBefore(): WeirError {
  return new WeirError("WEIR_NATS_UNAVAILABLE", "closed before the server of its connection answered");
}
