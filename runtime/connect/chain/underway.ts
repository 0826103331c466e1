// The account of a chain: rows and bytes of each entry that was taken from the outbox and is not settled, so that each is
// counted once, however often it is sent.

import type { Entry } from "../../state/outbox/entry.ts";
import type { SinkCounts } from "../sink-counts.ts";

interface Item {
  readonly rows: number;
  readonly bytes: number;
}

export class Underway {
  readonly #counts: SinkCounts;
  /** By number, ascending. */
  readonly #items = new Map<number, Item>();
  /** The last number that was added. */
  #last = 0;
  #bytes = 0;

  constructor(counts: SinkCounts) {
    this.#counts = counts;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Bytes of what is not settled. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An entry that may be sent. One that was added before counts no more. */
  add({ number, row }: Entry): void {
    if (number <= this.#last) return;
    this.#last = number;
    const item = { rows: row.rows, bytes: row.payload.length };
    this.#items.set(number, item);
    this.#counts.taken += item.rows;
    this.#bytes += item.bytes;
  }

  /** All up to `number` arrived. */
  confirm(number: number): void {
    for (const [each, { rows, bytes }] of this.#items) {
      if (each > number) break;
      this.#items.delete(each);
      this.#bytes -= bytes;
      this.#counts.confirm(rows, bytes);
    }
  }

  drop(number: number, reason: string): void {
    const item = this.#items.get(number);
    if (item === undefined) return;
    this.#items.delete(number);
    this.#bytes -= item.bytes;
    this.#counts.drop(reason, item.rows);
  }

  /** Of those up to `number`, nobody knows of the last `count` whether they arrived. */
  doubtful(number: number, count: number): void {
    if (count === 0) return;
    const numbers = [...this.#items.keys()].filter((each) => each <= number).slice(-count);
    for (const each of numbers) this.drop(each, "unconfirmed");
  }
}
