// An outbox in memory for tests of the chains: what is added is released at once, and all of it is kept. Its entries survive
// a sender that is closed, as they do on a disk.

import type { Entry, KeptRow } from "../../state/outbox/entry.ts";
import type { ChainOutbox } from "./chain-sender.ts";

export class MemoryOutbox implements ChainOutbox {
  readonly entries: Entry[] = [];
  confirmed = 0;
  /** What is confirmed behind it was left out. */
  reached: number = Number.POSITIVE_INFINITY;
  /** The oldest that is kept. */
  oldest = 1;
  /** How often `take` gave something out, with the number it began with. */
  readonly taken: number[] = [];
  #next = 1;
  /** The last that may have been sent. */
  #sent = 0;
  #task: () => void = () => {};

  add(row: KeptRow): number {
    const number = this.entries.length + 1;
    this.entries.push({ number, row });
    this.#task();
    return number;
  }

  take(_: string, rows: number, bytes: number): Promise<readonly Entry[]> {
    const taken: Entry[] = [];
    let size = 0;
    while (taken.length < rows && this.#next <= this.entries.length) {
      const entry = this.entries[this.#next - 1]!;
      if (taken.length > 0 && size + entry.row.payload.length > bytes) break;
      size += entry.row.payload.length;
      taken.push(entry);
      this.#next++;
    }
    if (taken.length > 0) this.taken.push(taken[0]!.number);
    this.#sent = Math.max(this.#sent, this.#next - 1);
    return Promise.resolve(taken);
  }

  rewind(_: string, number: number): void {
    if (number < this.oldest) throw new Error(`entry ${number} is not kept any more`);
    this.#next = number;
  }

  confirm(_: string, number: number): void {
    if (number > this.confirmed) this.confirmed = number;
  }

  unconfirmed(): Promise<readonly Entry[]> {
    return Promise.resolve(this.entries.slice(this.confirmed, this.#sent));
  }

  chain(): { last: number; released: number; confirmed: number; reached: number; oldest: number } {
    return {
      last: this.entries.length,
      released: this.entries.length,
      confirmed: this.confirmed,
      reached: Math.min(this.confirmed, this.reached),
      oldest: this.oldest,
    };
  }

  waiting(_: string, task: () => void): void {
    this.#task = task;
  }

  /** The same outbox after a crash: what was confirmed lately may be forgotten. */
  reopened(confirmed: number): MemoryOutbox {
    const outbox = new MemoryOutbox();
    outbox.entries.push(...this.entries);
    outbox.confirmed = confirmed;
    outbox.oldest = this.oldest;
    outbox.#next = confirmed + 1;
    outbox.#sent = this.#sent;
    return outbox;
  }
}

export function testRow(subject: string, number: number): KeptRow {
  return { subject, payload: Buffer.from(String(number)), caused: number, rows: 1, headers: null };
}
