// Where the records went that did not reach a sink: counts by step and reason. For every branch,
// in = out + held + ledger. Never decides anything.

import type { Reason } from "../../operators/sdk/index.ts";

export interface LedgerEntry {
  readonly step: string;
  readonly reason: Reason;
  /** Input records. */
  readonly records: number;
}

export class Ledger {
  readonly #counts = new Map<string, Map<Reason, number>>();
  #total = 0;

  add(step: string, reason: Reason, records: number): void {
    if (records === 0) return;
    let byReason = this.#counts.get(step);
    if (byReason === undefined) {
      byReason = new Map();
      this.#counts.set(step, byReason);
    }
    byReason.set(reason, (byReason.get(reason) ?? 0) + records);
    this.#total += records;
  }

  get total(): number {
    return this.#total;
  }

  /** The entries so far; the ledger is empty afterwards. */
  drain(): LedgerEntry[] {
    const entries = this.entries();
    this.#counts.clear();
    this.#total = 0;
    return entries;
  }

  entries(): LedgerEntry[] {
    return [...this.#counts].flatMap(([step, byReason]) =>
      [...byReason].map(([reason, records]) => ({ step, reason, records })),
    );
  }
}
