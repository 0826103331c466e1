// A sink that is a place in an outbox: rows wait there for their commit, and whoever sends the chain takes them on. Never
// sends anything.

import type { OutputRow, Sink, SinkStats } from "../connect/connect.ts";
import { limits } from "../limits.ts";
import type { KeptRow } from "../state/outbox/entry.ts";

/** What is asked of an outbox. */
export interface RowTaker {
  /** Gives the row the next number of the chain. */
  add(chain: string, row: KeptRow): number;
  /** Resolves when there is room for more. */
  ready(): Promise<void>;
}

/** What is asked of whoever sends the chain: how far the other side has it, and what it will never have. */
export interface ChainProgress {
  readonly confirmed: number;
  /** Rows dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface OutboxSinkOptions {
  readonly outbox: RowTaker;
  readonly chain: string;
  /** What its rows are, for whoever condenses them; absent where nobody does. */
  readonly form?: string;
  readonly progress: () => ChainProgress;
}

export function outboxSink(options: OutboxSinkOptions): Sink {
  return new OutboxSink(options);
}

/** Rows that are confirmed together. */
interface Waiting {
  through: number;
  rows: number;
  bytes: number;
}

class OutboxSink implements Sink {
  readonly #options: OutboxSinkOptions;
  /** Oldest first. Branches may share a chain, so its numbers alone do not tell what was confirmed of this one. */
  #waiting: Waiting[] = [];
  #pending = 0;
  #rows = 0;
  #bytes = 0;

  constructor(options: OutboxSinkOptions) {
    this.#options = options;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  write({ subject, payload, caused, rows = 1, headers }: OutputRow): void {
    const { outbox, chain, form } = this.#options;
    const row = { subject, payload, caused, rows, headers: headers ?? null };
    const through = outbox.add(chain, form === undefined ? row : { ...row, form });
    this.#waiting.push({ through, rows, bytes: payload.length });
    this.#pending += rows;
    if (this.#waiting.length > limits.outbox_places_max) this.#settle(true);
  }

  ready(): Promise<void> {
    return this.#options.outbox.ready();
  }

  /** What is in the outbox arrives, whatever happens: a commit waits for nothing else. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SinkStats {
    this.#settle(false);
    const { dropped } = this.#options.progress();
    // What was dropped is settled as well, and never arrived.
    const lost = Object.values(dropped).reduce((sum, rows) => sum + rows, 0);
    return { rows: Math.max(0, this.#rows - lost), bytes: this.#bytes, pending: this.#pending, dropped };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Counts what was confirmed. `join`: of what was not, two neighbours each become one, so that a long outage takes no memory. */
  #settle(join: boolean): void {
    const { confirmed } = this.#options.progress();
    const left = this.#waiting.findIndex(({ through }) => through > confirmed);
    for (const { rows, bytes } of this.#waiting.splice(0, left < 0 ? this.#waiting.length : left)) {
      this.#rows += rows;
      this.#bytes += bytes;
      this.#pending -= rows;
    }
    if (!join || this.#waiting.length <= limits.outbox_places_max / 2) return;
    const joined: Waiting[] = [];
    for (const [place, each] of this.#waiting.entries()) {
      const before = joined.at(-1);
      if (place % 2 === 0 || before === undefined) joined.push(each);
      else {
        before.through = each.through;
        before.rows += each.rows;
        before.bytes += each.bytes;
      }
    }
    this.#waiting = joined;
  }
}
