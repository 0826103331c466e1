// Rows to a place that cannot say what it has: core NATS, standard output. Each is handed over once, after its commit, and
// confirmed once the place has taken it. What may have been handed over before a crash is never sent again: it is counted as
// unconfirmed, because twice is worse there than the count.

import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Sink } from "../connect.ts";
import type { Tail, Target, TargetEvents } from "./chain.ts";

export interface PlainTargetOptions {
  /** Opened and closed together with the target. */
  readonly sink: Sink;
  readonly events: TargetEvents;
}

export function plainTarget(options: PlainTargetOptions): Target {
  return new PlainTarget(options);
}

class PlainTarget implements Target {
  readonly #sink: Sink;
  readonly #events: TargetEvents;
  /** The last number that was handed over, and the last that was taken. */
  #sent = 0;
  #confirmed = 0;
  #handed: number[] = [];
  #opened = false;
  #flushing = false;
  #closed = false;

  constructor({ sink, events }: PlainTargetOptions) {
    this.#sink = sink;
    this.#events = events;
  }

  get room(): number {
    // Few, so that a crash leaves few in doubt.
    return this.#opened && !this.#closed ? Math.max(0, limits.sink_in_flight_max - this.#handed.length) : 0;
  }

  /** Rows that were handed over and, as the place says by now, never arrived. */
  get lost(): Readonly<Record<string, number>> {
    return this.#sink.stats().dropped;
  }

  async attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail> {
    if (this.#opened) return { number: this.#sent, epoch: 0 };
    await this.#sink.open();
    this.#opened = true;
    this.#sent = unconfirmed.at(-1)?.number ?? confirmed;
    return { number: this.#sent, epoch: 0, doubtful: unconfirmed.length };
  }

  send(entries: readonly Entry[]): void {
    for (const { number, row } of entries) {
      const { subject, payload, caused, rows, headers } = row;
      this.#handed.push(number);
      this.#sent = number;
      this.#sink.write({
        subject,
        payload,
        id: null,
        caused,
        rows,
        ...(headers === null ? {} : { headers }),
      });
    }
    if (!this.#flushing) void this.#flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sink.close();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    while (this.#confirmed < this.#sent && !this.#closed) {
      const number = this.#sent;
      // Where it takes no more, it counts what is lost.
      await this.#sink.flush().catch(() => undefined);
      // At the end a sink drops what it still holds, which must not look like arrived.
      if (this.#closed) break;
      this.#confirmed = number;
      this.#handed = this.#handed.filter((each) => each > number);
      this.#events.confirmed(number);
    }
    this.#flushing = false;
  }
}
