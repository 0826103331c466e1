// Where the records went that did not reach a sink: counts by step and reason. For every branch,
// in = out + held + ledger. Never decides anything.

import type { Reason } from "../../operators/sdk/index.ts";

export interface LedgerEntry {
  readonly step: string;
  readonly reason: Reason;
  /** Input records. */
  readonly records: number;
}

interface Count {
  records: number;
}

export class Ledger {
  readonly #counts = new Map<string, Map<Reason, Count>>();
  #total = 0;
  /** Where the last records were counted: a step leaves out one record after the other, for the same reason. */
  #step = "";
  #reason: Reason | null = null;
  #count: Count = { records: 0 };

  add(step: string, reason: Reason, records: number): void {
    if (records === 0) return;
    if (reason !== this.#reason || step !== this.#step) this.#find(step, reason);
    this.#count.records += records;
    this.#total += records;
  }

  get total(): number {
    return this.#total;
  }

  /** The entries so far; the ledger is empty afterwards. */
  drain(): LedgerEntry[] {
    const entries = this.entries();
    this.#counts.clear();
    this.#reason = null;
    this.#total = 0;
    return entries;
  }

  entries(): LedgerEntry[] {
    return [...this.#counts].flatMap(([step, byReason]) =>
      [...byReason].map(([reason, { records }]) => ({ step, reason, records })),
    );
  }

  #find(step: string, reason: Reason): void {
    let byReason = this.#counts.get(step);
    if (byReason === undefined) this.#counts.set(step, (byReason = new Map<Reason, Count>()));
    let count = byReason.get(reason);
    if (count === undefined) byReason.set(reason, (count = { records: 0 }));
    [this.#step, this.#reason, this.#count] = [step, reason, count];
  }
}
