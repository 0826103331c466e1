// A deadline for each key, reached in order of time and then of key. Only those of the next moments are timers;
// the others wait in slots of time without any order, where one that records move on and on costs next to
// nothing. Decides nothing, and keeps nothing that the table's cell does not say.

import type { KeyedTable } from "weir/sdk";
import { longer } from "../longer.ts";

const never = Number.POSITIVE_INFINITY;
/** Slots of time to come, a power of two. A deadline behind them is looked at when the last of them begins, and put off again. */
const slotsMax = 256;
/** Of these, about as many as a key usually has time: so few keys have timers at a time that setting one costs little. */
const slotsOfPeriod = 64;
/** Keys that there is room for in a slot at first. */
const keysFirst = 16;

/** Keys that wait in a slot of time, in no order. */
class WaitingKeys {
  keys: Uint32Array = new Uint32Array(keysFirst);
  count = 0;

  add(key: number): void {
    if (this.count === this.keys.length) this.keys = longer(this.keys);
    this.keys[this.count++] = key;
  }
}

export class Deadlines {
  readonly #table: KeyedTable;
  /** A power of two, so that dividing by it is exact; and of whole ms, so that all times have whole numbers. */
  readonly #slot_ms: number;
  readonly #slotsPerMs: number;
  /** By the last bits of their numbers. */
  readonly #slots: WaitingKeys[] = Array.from({ length: slotsMax }, () => new WaitingKeys());
  /** Takes the place of those that are looked at. */
  #empty = new WaitingKeys();
  #waiting = 0;
  /** By key, the number of the slot that it waits in. */
  #numbers = new Float64Array(0);
  /** The first slot whose keys have no timers yet; before event time is known all keys have them. */
  #first = never;
  /** Where it is among the slots. */
  #firstPlace = 0;
  #times!: Float64Array;
  #isOpen = false;
  /** None is due before this. */
  next: number = never;
  readonly #visit: (key: number, time: number) => void;
  readonly #come = (key: number, time: number): void => {
    const deadline = this.#times[key]!;
    if (deadline === never) return;
    if (deadline > time) this.#await(key, deadline);
    else {
      this.#times[key] = never;
      this.#visit(key, time);
    }
  };

  /**
   * `period`: how far ahead deadlines are, for the most part. The table's first cell is when they are. `visit` is
   * called for each that is reached.
   */
  constructor(table: KeyedTable, period: number, visit: (key: number, time: number) => void) {
    this.#table = table;
    this.#visit = visit;
    this.#slot_ms = 2 ** Math.max(0, Math.floor(Math.log2(period / slotsOfPeriod)));
    this.#slotsPerMs = 1 / this.#slot_ms;
  }

  /** To be called before anything else of a call; `now` is how far event time had come. */
  open(now: number): void {
    this.#times = this.#table.cells[0] as Float64Array<ArrayBuffer>;
    if (this.#numbers.length < this.#times.length) {
      const numbers = new Float64Array(this.#times.length).fill(never);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    if (!this.#isOpen) this.#begin(now);
    this.#look();
  }

  /** The earliest deadline. */
  get earliest(): number {
    let least = never;
    for (const time of this.#table.cells[0]!) if (time < least) least = time;
    return least;
  }

  of(key: number): number {
    return this.#times[key]!;
  }

  set(key: number, time: number): void {
    const before = this.#times[key]!;
    this.#times[key] = time;
    // No key is looked at later than its deadline; sooner is put off then.
    if (time < before) this.#await(key, time);
  }

  clear(key: number): void {
    this.#times[key] = never;
  }

  /** Clears and visits those that are `now` or before. */
  reach(now: number): void {
    this.#prepare(this.#numberOf(now) + 1);
    this.#table.timers.due(now, this.#come);
    this.#look();
  }

  #numberOf(time: number): number {
    return Math.floor(time * this.#slotsPerMs);
  }

  /** Has every key looked at that a snapshot knows of. */
  #begin(now: number): void {
    this.#isOpen = true;
    if (now > Number.NEGATIVE_INFINITY) this.#startAt(this.#numberOf(now) + 1);
    for (let key = 0; key < this.#table.keys.size; key++)
      if (this.#times[key] !== never) this.#await(key, this.#times[key]!);
  }

  #startAt(first: number): void {
    this.#first = first;
    this.#firstPlace = first - slotsMax * Math.floor(first / slotsMax);
  }

  #look(): void {
    this.next = Math.min(this.#table.due, this.#waiting > 0 ? this.#first * this.#slot_ms : never);
  }

  /** Keys of slots before `end` have timers from now on. */
  #prepare(end: number): void {
    if (!Number.isFinite(end)) return;
    if (this.#first !== never && end - this.#first <= slotsMax) {
      while (this.#first < end) {
        const [number, place] = [this.#first, this.#firstPlace];
        this.#first = number + 1;
        this.#firstPlace = (place + 1) & (slotsMax - 1);
        const waiting = this.#slots[place]!;
        if (waiting.count === 0) continue;
        this.#slots[place] = this.#empty;
        this.#lookAt(waiting, number);
        this.#empty = waiting;
      }
      return;
    }
    const all = new WaitingKeys();
    for (const each of this.#slots) {
      for (let place = 0; place < each.count; place++) all.add(each.keys[place]!);
      each.count = 0;
    }
    this.#startAt(end);
    this.#lookAt(all, null);
  }

  /** Looks at the keys of a slot, or of any, which are put where they belong now. */
  #lookAt(waiting: WaitingKeys, number: number | null): void {
    const { keys, count } = waiting;
    const [times, numbers, slots] = [this.#times, this.#numbers, this.#slots];
    const [first, firstPlace, slotsPerMs] = [this.#first, this.#firstPlace, this.#slotsPerMs];
    let put = 0;
    waiting.count = 0;
    this.#waiting -= count;
    for (let place = 0; place < count; place++) {
      const key = keys[place]!;
      // Of a key that waits in two slots, only the earlier counts.
      if (number !== null && numbers[key] !== number) continue;
      numbers[key] = never;
      const time = times[key]!;
      if (time === never) continue;
      const ahead = Math.min(Math.floor(time * slotsPerMs) - first, slotsMax - 1);
      if (ahead < 0) {
        this.#setTimer(key, time);
        continue;
      }
      numbers[key] = first + ahead;
      slots[(firstPlace + ahead) & (slotsMax - 1)]!.add(key);
      put++;
    }
    this.#waiting += put;
  }

  #await(key: number, time: number): void {
    // Infinity before event time is known: then all have timers.
    const ahead = this.#numberOf(time) - this.#first;
    if (ahead < 0) {
      this.#setTimer(key, time);
      return;
    }
    const slots = Math.min(ahead, slotsMax - 1);
    if (this.#numbers[key]! <= this.#first + slots) return;
    this.#numbers[key] = this.#first + slots;
    this.#slots[(this.#firstPlace + slots) & (slotsMax - 1)]!.add(key);
    this.#waiting++;
    this.next = Math.min(this.next, this.#first * this.#slot_ms);
  }

  #setTimer(key: number, time: number): void {
    const { timers } = this.#table;
    if (timers.at(key) > time) timers.set(key, time);
    if (time < this.next) this.next = time;
  }
}
