// Where the records went that did not reach a sink: counts by step and reason. For every branch,
// in = out + held + ledger. Never decides anything.

import { type Reason, reasons } from "../../operators/sdk/index.ts";
import { damaged, listOf, numberOf, type Plain, textOf, wholeOf } from "../state/plain.ts";

export interface LedgerEntry {
  readonly step: string;
  readonly reason: Reason;
  /** Input records. */
  readonly records: number;
}

/** Beside the reasons: a step has sent so many records more than came to it. They are no loss, and count as what came in. */
export const made = "made";
export type Booked = Reason | typeof made;
export interface BookedEntry extends Omit<LedgerEntry, "reason"> {
  readonly reason: Booked;
}

/** Where it is counted that records left the stream, or that a step made some. */
export interface Books {
  add(step: string, reason: Booked, records: number): void;
}

interface Count {
  records: number;
}

export class Ledger implements Books {
  readonly #counts = new Map<string, Map<Booked, Count>>();
  #total = 0;
  /** Where the last records were counted: a step leaves out one record after the other, for the same reason. */
  #step = "";
  #reason: Booked | null = null;
  #count: Count = { records: 0 };

  add(step: string, reason: Booked, records: number): void {
    if (records === 0) return;
    if (reason !== this.#reason || step !== this.#step) this.#find(step, reason);
    this.#count.records += records;
    this.#total += records;
  }

  get total(): number {
    return this.#total;
  }

  /** The entries so far; the ledger is empty afterwards. */
  drain(): BookedEntry[] {
    const entries = this.entries();
    this.#counts.clear();
    this.#reason = null;
    this.#total = 0;
    return entries;
  }

  /** `entries` in place of those so far. */
  replace(entries: readonly BookedEntry[]): void {
    this.drain();
    for (const { step, reason, records } of entries) this.add(step, reason, records);
  }

  entries(): BookedEntry[] {
    return [...this.#counts].flatMap(([step, byReason]) =>
      [...byReason].map(([reason, { records }]) => ({ step, reason, records })),
    );
  }

  #find(step: string, reason: Booked): void {
    let byReason = this.#counts.get(step);
    if (byReason === undefined) this.#counts.set(step, (byReason = new Map<Booked, Count>()));
    let count = byReason.get(reason);
    if (count === undefined) byReason.set(reason, (count = { records: 0 }));
    [this.#step, this.#reason, this.#count] = [step, reason, count];
  }
}

/** Books of several pipelines in which the same is counted. */
export function jointBooks(books: readonly Books[]): Books {
  if (books.length === 1) return books[0]!;
  return {
    add(step, reason, records) {
      if (records === 0) return;
      for (const each of books) each.add(step, reason, records);
    },
  };
}

/** The entries of some ledgers, in one list: thousands of pipelines have little more to be written down. */
export function plainLedgers(ledgers: readonly Ledger[]): Plain {
  return ledgers.flatMap((ledger, place) =>
    ledger.entries().flatMap(({ step, reason, records }): Plain[] => [place, step, reason, records]),
  );
}

/** By ledger, the entries that `plainLedgers` gave of `count` of them. */
export function entriesOf(data: Plain, count: number): readonly BookedEntry[][] {
  const ledgers: BookedEntry[][] = Array.from({ length: count }, () => []);
  const all = listOf(data);
  for (let at = 0; at < all.length; at += 4) {
    const [place, step, word, records] = listOf(all.slice(at, at + 4), 4) as [Plain, Plain, Plain, Plain];
    const reason = ([...reasons, made] as const).find((known) => known === word);
    if (reason === undefined) throw damaged("expected a reason of the ledger");
    ledgers[wholeOf(place, count)]!.push({ step: textOf(step), reason, records: numberOf(records) });
  }
  return ledgers;
}

/** Entries as what left the stream, and how many records were made beside. */
export function partedEntries(entries: readonly BookedEntry[]): {
  readonly ledger: readonly LedgerEntry[];
  readonly made: number;
} {
  const isLeft = (entry: BookedEntry): entry is LedgerEntry => entry.reason !== made;
  const ledger = entries.filter(isLeft);
  return { ledger, made: entries.reduce((sum, each) => (isLeft(each) ? sum : sum + each.records), 0) };
}
