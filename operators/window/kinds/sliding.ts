// Sliding windows: for every record the last while of its key, up to that record. Records are taken in
// event time, so that the window of each is what it would be had all come in order.

import type { PartTable } from "weir/sdk";
import { EventOrder, keyCell, orderedParts, type OrderRules, ownCell } from "../event-order.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { firstCell, lastCell, Parts, ReadyWindows } from "../parts.ts";
import { PartQueue, queueLists } from "../two-stacks.ts";

class Sliding implements OrderRules {
  readonly #length: number;
  readonly #table: PartTable;
  readonly #ready: ReadyWindows;
  readonly #queue: PartQueue;

  constructor(length: number, parts: Parts, ready: ReadyWindows) {
    this.#length = length;
    this.#table = parts.table;
    this.#ready = ready;
    this.#queue = new PartQueue(parts, ownCell);
  }

  /** Event time itself, by which a part leaves the window. */
  number(
    numbers: Float64Array,
    slots: Uint32Array,
    rows: Uint32Array,
    count: number,
    { time }: { readonly time: Float64Array },
  ): void {
    for (let i = 0; i < count; i++) numbers[slots[i]!] = time[rows[i]!]!;
  }

  take(slots: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#take(slots[i]!, this.#table.cells[keyCell]![slots[i]!]!);
  }

  #take(slot: number, key: number): void {
    const table = this.#table;
    const time = table.cells[ownCell]![slot]!;
    const weight = table.release(slot);
    const whole = this.#queue.slide(key, time - this.#length, slot);
    const start = table.cells[firstCell]![whole]!;
    const end = table.cells[lastCell]![whole]!;
    this.#ready.add({ key, slot: whole, start, end, time, weight });
    if (table.timers.at(key) > time + this.#length) table.timers.set(key, time + this.#length);
  }

  forget(key: number): void {
    this.#queue.expire(key, Number.POSITIVE_INFINITY);
    this.#table.timers.clear(key);
  }

  /** Frees what no later record can reach any more, of keys that have become silent. */
  reached(watermark: number): void {
    this.#table.timers.due(watermark, (key, time) => {
      const newest = this.#queue.newest(key);
      if (newest + this.#length <= time) this.#queue.expire(key, newest);
      else this.#table.timers.set(key, newest + this.#length);
    });
  }
}

/** The window of a record at `t` is `(t - length, t]`. */
export function slidingWindows(grouping: Grouping, length: number): WindowKind {
  // A key that has become silent keeps its last window until the newest record leaves it.
  const after = 2 * length;
  return kindOn({ parts: orderedParts(grouping, queueLists, after, 1), course }, (tables) => {
    const parts = new Parts(tables.parts, grouping);
    const ready = new ReadyWindows(tables.parts, grouping);
    return new EventOrder(parts, tables.course, ready, new Sliding(length, parts, ready));
  });
}
