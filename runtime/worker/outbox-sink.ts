// A sink that is a place in an outbox: rows wait there for their commit, and whoever sends the chain takes them on. Never
// sends anything.

import type { OutputRow, Sink, SinkStats } from "../connect/connect.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import type { AccountShare } from "./chain-account.ts";

/** What is asked of an outbox. */
export interface RowTaker {
  /** Gives the row the next number of the chain. */
  add(chain: string, row: KeptRow): number;
  /** Resolves when there is room for more. */
  ready(): Promise<void>;
}

export interface OutboxSinkOptions {
  readonly outbox: RowTaker;
  readonly chain: string;
  /** What its rows are, for whoever condenses them; absent where nobody does. */
  readonly form?: string;
  /** What becomes of its rows. */
  readonly account: AccountShare;
  /** What is in their way, in words; null for nothing that is known. */
  readonly hindrance?: () => string | null;
}

export function outboxSink(options: OutboxSinkOptions): Sink {
  return new OutboxSink(options);
}

class OutboxSink implements Sink {
  readonly #options: OutboxSinkOptions;

  constructor(options: OutboxSinkOptions) {
    this.#options = options;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  write({ subject, payload, caused, rows = 1, headers }: OutputRow): void {
    const { outbox, chain, form, account } = this.#options;
    const row = { subject, payload, caused, rows, headers: headers ?? null };
    outbox.add(chain, form === undefined ? row : { ...row, form });
    account.made(rows);
  }

  ready(): Promise<void> {
    return this.#options.outbox.ready();
  }

  /** What is in the outbox arrives, whatever happens: a commit waits for nothing else. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SinkStats {
    const { account, hindrance } = this.#options;
    const stats = account.stats();
    const text = stats.pending > 0 ? (hindrance?.() ?? null) : null;
    return text === null ? stats : { ...stats, hindrance: text };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
