// The parts of a key in a queue, whose merged whole is always one or two merges away: "two stacks"
// (Hirzel, Schneider, Tangwongsan, "Sliding-window aggregation algorithms", DEBS 2017). Parts that came lie in the back
// with their running total; when the front is empty the back moves there, each part merged with all
// behind it. So a part costs a few merges, however many there are.

import type { PartTable } from "weir/sdk";
import type { Parts } from "./parts.ts";

/** The lists of a key: the front with the oldest part last; the back with its total first, then its parts. */
const front = 0;
const back = 1;
/** How many lists that takes. */
export const queueLists = 2;

export class PartQueue {
  readonly #parts: Parts;
  readonly #table: PartTable;
  /** The number of a part by which it expires. */
  readonly #cell: number;

  constructor(parts: Parts, cell: number) {
    this.#parts = parts;
    this.#table = parts.table;
    this.#cell = cell;
  }

  isEmpty(key: number): boolean {
    return this.#table.list(key, front).length === 0 && this.#table.list(key, back).length === 0;
  }

  /** The number of the newest part by which it expires. The queue is not empty. */
  newest(key: number): number {
    const slot = this.#table.list(key, back).at(-1) ?? this.#table.list(key, front)[0]!;
    return this.#table.cells[this.#cell]![slot]!;
  }

  push(key: number, slot: number): void {
    this.#push(this.#table.list(key, back), slot);
  }

  /** Frees the parts whose number is `upTo` or less, oldest first; returns how many records they held. */
  expire(key: number, upTo: number): number {
    return this.#expire(this.#table.list(key, front), this.#table.list(key, back), upTo);
  }

  /** A new slot with all parts merged. */
  whole(key: number): number {
    return this.#whole(this.#table.list(key, front), this.#table.list(key, back));
  }

  /** Frees the parts whose number is `upTo` or less, adds one, and returns a new slot with all of them merged. */
  slide(key: number, upTo: number, slot: number): number {
    const oldest = this.#table.list(key, front);
    const newer = this.#table.list(key, back);
    this.#expire(oldest, newer, upTo);
    this.#push(newer, slot);
    return this.#whole(oldest, newer);
  }

  #push(newer: number[], slot: number): void {
    if (newer.length === 0) newer.push(this.#table.open());
    this.#parts.merge(newer[0]!, slot);
    newer.push(slot);
  }

  #expire(oldest: number[], newer: number[], upTo: number): number {
    let records = this.#pop(oldest, upTo);
    if (oldest.length > 0 || newer.length === 0 || !this.#isExpired(newer[1]!, upTo)) return records;
    this.#table.free(newer[0]!);
    for (let place = newer.length - 1; place > 0; place--) oldest.push(newer[place]!);
    newer.length = 0;
    records += this.#pop(oldest, upTo);
    for (let place = 1; place < oldest.length; place++) this.#parts.merge(oldest[place]!, oldest[place - 1]!);
    return records;
  }

  #whole(oldest: number[], newer: number[]): number {
    const slot = this.#table.open();
    if (oldest.length > 0) this.#parts.merge(slot, oldest.at(-1)!);
    if (newer.length > 0) this.#parts.merge(slot, newer[0]!);
    return slot;
  }

  #pop(list: number[], upTo: number): number {
    let records = 0;
    while (list.length > 0 && this.#isExpired(list.at(-1)!, upTo)) {
      const slot = list.pop()!;
      records += this.#table.release(slot);
      this.#table.free(slot);
    }
    return records;
  }

  #isExpired(slot: number, upTo: number): boolean {
    return this.#table.cells[this.#cell]![slot]! <= upTo;
  }
}
