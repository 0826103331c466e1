// The account of a chain: rows and bytes of each entry that was taken from the outbox and is not settled, so that each is
// counted once, however often it is sent.

import type { Entry } from "../../state/outbox/entry.ts";
import type { SinkCounts } from "../sink-counts.ts";

interface Item {
  readonly number: number;
  readonly rows: number;
  readonly bytes: number;
  isDropped: boolean;
}

export class Underway {
  readonly #counts: SinkCounts;
  /** By number, ascending; those in front of `#head` are settled. */
  #items: Item[] = [];
  #head = 0;
  /** The last number that was added. */
  #last = 0;
  #size = 0;

  constructor(counts: SinkCounts) {
    this.#counts = counts;
  }

  get size(): number {
    return this.#size;
  }

  /** An entry that may be sent. One that was added before counts no more. */
  add({ number, row }: Entry): void {
    if (number <= this.#last) return;
    this.#last = number;
    const item = { number, rows: row.rows, bytes: row.payload.length, isDropped: false };
    this.#items.push(item);
    this.#counts.taken += item.rows;
    this.#size++;
  }

  /** All up to `number` arrived. */
  confirm(number: number): void {
    for (let item = this.#items[this.#head]; item !== undefined && item.number <= number; ) {
      if (!item.isDropped) {
        this.#size--;
        this.#counts.confirm(item.rows, item.bytes);
      }
      item = this.#items[++this.#head];
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  drop(number: number, reason: string): void {
    const item = this.#items.slice(this.#head).find((each) => each.number === number);
    if (item === undefined || item.isDropped) return;
    item.isDropped = true;
    this.#size--;
    this.#counts.drop(reason, item.rows);
  }

  /** Of those up to `number`, nobody knows of the last `count` whether they arrived. */
  doubtful(number: number, count: number): void {
    if (count === 0) return;
    const all = this.#items.slice(this.#head).filter((each) => !each.isDropped && each.number <= number);
    for (const each of all.slice(-count)) {
      each.isDropped = true;
      this.#size--;
      this.#counts.drop("unconfirmed", each.rows);
    }
  }
}
