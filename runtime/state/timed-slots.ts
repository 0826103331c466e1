// Slots that wait for event time: a binary heap by time and, for equal times, by the order in which they
// were added. Knows nothing of what a slot holds.

import type { TimedSlots } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import {
  type Lasting,
  member,
  numbersOf,
  packedNumbers,
  packedWholes,
  type Plain,
  wholesOf,
} from "./plain.ts";

export class SlotHeap implements TimedSlots, Lasting {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #slots: number[] = [];
  #added = 0;

  get size(): number {
    return this.#slots.length;
  }

  /** The earliest time that a slot waits for, ms; Infinity when none does. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  add(slot: number, time: number): void {
    let place = this.#slots.push(slot) - 1;
    this.#times.push(time);
    this.#orders.push(this.#added++);
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#before(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  due(until: number, visit: (slot: number) => void): void {
    while (this.#slots.length > 0 && this.#times[0]! <= until) {
      const slot = this.#slots[0]!;
      this.#pop();
      visit(slot);
    }
  }

  take(isWanted: (slot: number) => boolean, visit: (slot: number) => void): void {
    if (!this.#slots.some(isWanted)) return;
    const others: (readonly [slot: number, time: number])[] = [];
    const wanted: number[] = [];
    while (this.#slots.length > 0) {
      const slot = this.#slots[0]!;
      if (isWanted(slot)) wanted.push(slot);
      else others.push([slot, this.#times[0]!]);
      this.#pop();
    }
    for (const [slot, time] of others) this.add(slot, time);
    for (const slot of wanted) visit(slot);
  }

  /** The slots that wait. */
  slots(): readonly number[] {
    return this.#slots;
  }

  /** In the order in which they will be due, which takes the place of that in which they were added. */
  snapshot(): Plain {
    const order = Array.from(this.#slots.keys()).sort((a, b) => (this.#before(a, b) ? -1 : 1));
    return {
      times: packedNumbers(order.map((place) => this.#times[place]!)),
      slots: packedWholes(order.map((place) => this.#slots[place]!)),
    };
  }

  restore(data: Plain): void {
    const times = numbersOf(member(data, "times"));
    const slots = wholesOf(member(data, "slots"), limits.slots_max, times.length);
    for (const [place, slot] of slots.entries()) this.add(slot, times[place]!);
  }

  #before(a: number, b: number): boolean {
    const times = this.#times;
    if (times[a] !== times[b]) return times[a]! < times[b]!;
    return this.#orders[a]! < this.#orders[b]!;
  }

  #swap(a: number, b: number): void {
    swap(this.#times, a, b);
    swap(this.#orders, a, b);
    swap(this.#slots, a, b);
  }

  #pop(): void {
    const last = this.#slots.length - 1;
    this.#swap(0, last);
    this.#times.pop();
    this.#orders.pop();
    this.#slots.pop();
    let place = 0;
    for (;;) {
      let least = place;
      const left = 2 * place + 1;
      if (left < last && this.#before(left, least)) least = left;
      if (left + 1 < last && this.#before(left + 1, least)) least = left + 1;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }
}

function swap(list: number[], a: number, b: number): void {
  const kept = list[a]!;
  list[a] = list[b]!;
  list[b] = kept;
}
