// Slots that wait for event time, by time and, for equal times, by the order in which they were added. Most
// come in order, or nearly so: they stand in a ring, to whose end they are added. Those that would have to
// move far up in it are in a binary heap beside it. Knows nothing of what a slot holds.

import type { TimedSlots } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import {
  damaged,
  type Lasting,
  member,
  membersOf,
  numbersOf,
  packed,
  packedNumbers,
  packedWholes,
  type Plain,
  wholeOf,
  wholesOf,
} from "./plain.ts";

/** Slots that one that is added may overtake in the ring. */
const movesMax = 32;
/** A page of the ring is what of it is written down together; the smallest ring is one. */
const pagePlaces = 64;
const placesFirst = pagePlaces;
/** Places are counted up to here, and then from the beginning: larger numbers are slower. */
const placesEnd = 2 ** 30;

export class SlotQueue implements TimedSlots, Lasting {
  /** The ring, by place modulo its length, a power of two. */
  #times = new Float64Array(placesFirst);
  #slots = new Uint32Array(placesFirst);
  #orders = new Float64Array(placesFirst);
  #first = 0;
  #end = 0;
  readonly #others = new SlotHeap();
  #added = 0;

  get size(): number {
    return this.#end - this.#first + this.#others.size;
  }

  get next(): number {
    const first = this.#first < this.#end ? this.#times[this.#first & (this.#times.length - 1)]! : never;
    return Math.min(first, this.#others.next);
  }

  add(slot: number, time: number): void {
    if (this.#end - this.#first === this.#times.length) this.#grow();
    if (this.#end === placesEnd) this.#begin(this.#first & (this.#times.length - 1));
    const [times, slots, orders] = [this.#times, this.#slots, this.#orders];
    const mask = times.length - 1;
    const least = Math.max(this.#first, this.#end - movesMax);
    let place = this.#end;
    while (place > least && times[(place - 1) & mask]! > time) place--;
    const order = this.#added++;
    if (place === least && place > this.#first && times[(place - 1) & mask]! > time) {
      this.#others.add(slot, time, order);
      return;
    }
    for (let at = this.#end++; at > place; at--) {
      times[at & mask] = times[(at - 1) & mask]!;
      slots[at & mask] = slots[(at - 1) & mask]!;
      orders[at & mask] = orders[(at - 1) & mask]!;
    }
    times[place & mask] = time;
    slots[place & mask] = slot;
    orders[place & mask] = order;
  }

  due(until: number, slots: Uint32Array): number {
    const [times, own, others, end] = [this.#times, this.#slots, this.#others, this.#end];
    const mask = times.length - 1;
    let first = this.#first;
    let count = 0;
    while (count < slots.length) {
      const place = first & mask;
      const time = first < end ? times[place]! : never;
      const other = others.next;
      if (other < time || (other === time && others.order < this.#orders[place]!)) {
        if (!(other <= until)) break;
        slots[count++] = others.take();
      } else {
        if (first === end || !(time <= until)) break;
        first++;
        slots[count++] = own[place]!;
      }
    }
    this.#first = first;
    return count;
  }

  take(isWanted: (slot: number) => boolean, visit: (slot: number) => void): void {
    if (!this.slots().some(isWanted)) return;
    const wanted: number[] = [];
    const others: (readonly [slot: number, time: number])[] = [];
    for (const [slot, time] of this.#takeAll()) {
      if (isWanted(slot)) wanted.push(slot);
      else others.push([slot, time]);
    }
    for (const [slot, time] of others) this.add(slot, time);
    for (const slot of wanted) visit(slot);
  }

  /** The slots that wait. */
  slots(): readonly number[] {
    const places = Array.from({ length: this.#end - this.#first }, (_, i) => this.#first + i);
    return [...places.map((place) => this.#slots[place & (this.#times.length - 1)]!), ...this.#others.slots];
  }

  /** The ring page by page, each by its number, so that what waits is where it was in the last snapshot. */
  snapshot(): Plain {
    const pages: Record<string, Plain> = {};
    for (let page = Math.floor(this.#first / pagePlaces); page * pagePlaces < this.#end; page++) {
      const from = (page * pagePlaces) & (this.#times.length - 1);
      const to = from + pagePlaces;
      pages[page] = {
        times: packed(this.#times.subarray(from, to)),
        slots: packed(this.#slots.subarray(from, to)),
        orders: packed(this.#orders.subarray(from, to)),
      };
    }
    const others = this.#others.snapshot();
    return { first: this.#first, end: this.#end, added: this.#added, pages, others };
  }

  restore(data: Plain): void {
    this.#end = wholeOf(member(data, "end"), placesEnd + 1);
    this.#first = wholeOf(member(data, "first"), this.#end + 1);
    this.#added = wholeOf(member(data, "added"));
    const pages = membersOf(member(data, "pages"));
    const firstPage = Math.floor(this.#first / pagePlaces);
    const count = Math.ceil(this.#end / pagePlaces) - firstPage;
    if (this.#first < this.#end && pages.length !== count) throw damaged("expected each page of a queue");
    while (this.#times.length < count * pagePlaces) this.#enlarge();
    for (const [name, page] of pages) this.#restorePage(wholeOf(Number(name)), page, firstPage, count);
    this.#others.restore(member(data, "others"));
  }

  #restorePage(page: number, data: Plain, firstPage: number, count: number): void {
    if (page < firstPage || page >= firstPage + count) throw damaged("expected no other page of a queue");
    const at = (page * pagePlaces) & (this.#times.length - 1);
    const times = numbersOf(member(data, "times"), pagePlaces);
    if (times.some(Number.isNaN)) throw damaged("expected times of a queue");
    this.#times.set(times, at);
    this.#slots.set(wholesOf(member(data, "slots"), limits.slots_max, pagePlaces), at);
    this.#orders.set(numbersOf(member(data, "orders"), pagePlaces), at);
  }

  /** All, in order, with their times; then there are none. */
  #takeAll(): (readonly [slot: number, time: number])[] {
    const all: (readonly [slot: number, time: number])[] = [];
    const one = new Uint32Array(1);
    for (let time = this.next; this.due(time, one) > 0; time = this.next) all.push([one[0]!, time]);
    return all;
  }

  /** Counts the first place as `first`, which is the same in the ring. */
  #begin(first: number): void {
    this.#end += first - this.#first;
    this.#first = first;
  }

  #grow(): void {
    const size = this.#times.length;
    const [times, slots, orders] = [this.#times, this.#slots, this.#orders];
    this.#enlarge();
    for (let place = this.#first; place < this.#end; place++) {
      const [from, to] = [place & (size - 1), place & (2 * size - 1)];
      this.#times[to] = times[from]!;
      this.#slots[to] = slots[from]!;
      this.#orders[to] = orders[from]!;
    }
  }

  /** A ring of twice the size, with nothing in it. */
  #enlarge(): void {
    const size = this.#times.length * 2;
    this.#times = new Float64Array(size);
    this.#slots = new Uint32Array(size);
    this.#orders = new Float64Array(size);
  }
}

const never = Number.POSITIVE_INFINITY;

/** A binary heap by time, and then by the order that each slot is given. */
class SlotHeap {
  readonly slots: number[] = [];
  readonly #times: number[] = [];
  readonly #orders: number[] = [];

  get size(): number {
    return this.slots.length;
  }

  /** Time and order of the first; Infinity when there is none. */
  get next(): number {
    return this.#times.length > 0 ? this.#times[0]! : never;
  }

  get order(): number {
    return this.#orders.length > 0 ? this.#orders[0]! : never;
  }

  add(slot: number, time: number, order: number): void {
    let place = this.slots.push(slot) - 1;
    this.#times.push(time);
    this.#orders.push(order);
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#before(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  snapshot(): Plain {
    return {
      slots: packedWholes(this.slots),
      times: packedNumbers(this.#times),
      orders: packedNumbers(this.#orders),
    };
  }

  restore(data: Plain): void {
    const slots = wholesOf(member(data, "slots"), limits.slots_max);
    const times = numbersOf(member(data, "times"), slots.length);
    const orders = numbersOf(member(data, "orders"), slots.length);
    if (times.some(Number.isNaN)) throw damaged("expected times of a queue");
    for (const [place, slot] of slots.entries()) this.add(slot, times[place]!, orders[place]!);
  }

  /** Takes the first out, which there has to be; returns it. */
  take(): number {
    const slot = this.slots[0]!;
    const last = this.slots.length - 1;
    this.#swap(0, last);
    this.#times.pop();
    this.#orders.pop();
    this.slots.pop();
    let place = 0;
    for (;;) {
      let least = place;
      const left = 2 * place + 1;
      if (left < last && this.#before(left, least)) least = left;
      if (left + 1 < last && this.#before(left + 1, least)) least = left + 1;
      if (least === place) return slot;
      this.#swap(place, least);
      place = least;
    }
  }

  #before(a: number, b: number): boolean {
    const times = this.#times;
    if (times[a] !== times[b]) return times[a]! < times[b]!;
    return this.#orders[a]! < this.#orders[b]!;
  }

  #swap(a: number, b: number): void {
    swap(this.#times, a, b);
    swap(this.#orders, a, b);
    swap(this.slots, a, b);
  }
}

function swap(list: number[], a: number, b: number): void {
  const kept = list[a]!;
  list[a] = list[b]!;
  list[b] = kept;
}
