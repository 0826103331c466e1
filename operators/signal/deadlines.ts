// A deadline for each key, reached in order of time and then of key. Only those of the next moments are timers;
// the others wait in slots of time without any order, where one that records move on and on costs next to
// nothing. Decides nothing, and keeps nothing that the table's cell does not say.

import type { KeyedTable } from "weir/sdk";

const never = Number.POSITIVE_INFINITY;
/** Slots of time to come. A deadline behind them is looked at when the last of them begins, and put off again. */
const slotsMax = 64;
/** Of these, about as many as a key usually has time. */
const slotsOfPeriod = 16;

export class Deadlines {
  readonly #table: KeyedTable;
  /** A power of two, so that dividing by it is exact; and of whole ms, so that all times have whole numbers. */
  readonly #slot_ms: number;
  readonly #slots: readonly number[][] = Array.from({ length: slotsMax }, () => []);
  #waiting = 0;
  /** By key, the number of the slot that it waits in. */
  #numbers = new Float64Array(0);
  /** The first slot whose keys have no timers yet; before event time is known all keys have them. */
  #first = never;
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
    const { timers } = this.#table;
    this.#prepare(Math.floor(now / this.#slot_ms) + 1);
    timers.due(now, this.#come);
    this.#look();
  }

  /** Has every key looked at that a snapshot knows of. */
  #begin(now: number): void {
    this.#isOpen = true;
    if (now > Number.NEGATIVE_INFINITY) this.#first = Math.floor(now / this.#slot_ms) + 1;
    for (let key = 0; key < this.#table.keys.size; key++)
      if (this.#times[key] !== never) this.#await(key, this.#times[key]!);
  }

  #look(): void {
    this.next = Math.min(this.#table.due, this.#waiting > 0 ? this.#first * this.#slot_ms : never);
  }

  /** Keys of slots before `end` have timers from now on. */
  #prepare(end: number): void {
    if (!Number.isFinite(end)) return;
    if (this.#first !== never && end - this.#first <= slotsMax) {
      while (this.#first < end) {
        const number = this.#first++;
        this.#lookAt(this.#slots[placeOf(number)]!, number);
      }
      return;
    }
    const all = this.#slots.flatMap((keys) => keys.splice(0));
    this.#first = end;
    this.#lookAt(all, null);
  }

  /** Looks at the keys of a slot, or of any, which are put where they belong now. */
  #lookAt(keys: number[], number: number | null): void {
    if (keys.length === 0) return;
    const before = keys.splice(0);
    this.#waiting -= before.length;
    for (const key of before) {
      // Of a key that waits in two slots, only the earlier counts.
      if (number !== null && this.#numbers[key] !== number) continue;
      this.#numbers[key] = never;
      if (this.#times[key] !== never) this.#await(key, this.#times[key]!);
    }
  }

  #await(key: number, time: number): void {
    const own = Math.floor(time / this.#slot_ms);
    if (own < this.#first) {
      const { timers } = this.#table;
      if (timers.at(key) > time) timers.set(key, time);
      if (time < this.next) this.next = time;
      return;
    }
    const number = Math.min(own, this.#first + slotsMax - 1);
    if (this.#numbers[key]! <= number) return;
    this.#numbers[key] = number;
    this.#slots[placeOf(number)]!.push(key);
    this.#waiting++;
    this.next = Math.min(this.next, this.#first * this.#slot_ms);
  }
}

function placeOf(number: number): number {
  return number - slotsMax * Math.floor(number / slotsMax);
}
