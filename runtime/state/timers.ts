// One timer a key, in event time: a binary heap of (time, key), in which timers that were set again or
// cleared are left behind and passed over. Knows nothing of what a timer is for.

import type { KeyTimers } from "../../operators/sdk/index.ts";
import { damaged, type LastingByKey, numbersOf, packed, type Plain } from "./plain.ts";

const never = Number.POSITIVE_INFINITY;

export class TimerHeap implements KeyTimers, LastingByKey {
  /** By key, the time that counts. */
  #when = new Float64Array(64).fill(never);
  /** One more than the highest key that had one. */
  #end = 0;
  readonly #times: number[] = [];
  readonly #keys: number[] = [];

  /** Timers in the heap, those left behind among them. */
  get size(): number {
    return this.#times.length;
  }

  set(key: number, time: number): void {
    if (key >= this.#when.length) {
      const wider = new Float64Array(Math.max(key + 1, this.#when.length * 2)).fill(never);
      wider.set(this.#when);
      this.#when = wider;
    }
    if (this.#when[key] === time) return;
    if (key >= this.#end) this.#end = key + 1;
    const replaces = time !== never && this.#isLeft();
    this.#when[key] = time;
    if (replaces) this.#sink(time, key);
    else if (time !== never) this.#push(time, key);
  }

  clear(key: number): void {
    if (key < this.#when.length) this.#when[key] = never;
  }

  at(key: number): number {
    return key < this.#when.length ? this.#when[key]! : never;
  }

  get next(): number {
    // Those left behind go on the way.
    while (this.#isLeft()) this.#pop();
    return this.#times[0] ?? never;
  }

  /** Clears the first timer, which there has to be; returns its key. */
  take(): number {
    const key = this.#keys[0]!;
    // It is left behind where it is: a timer that is set next takes its place.
    this.#when[key] = never;
    return key;
  }

  due(until: number, visit: (key: number, time: number) => void): void {
    for (let time = this.next; time <= until && time !== never; time = this.next) visit(this.take(), time);
  }

  /** Those that count, by key. What is left behind stays behind. */
  snapshot(): Plain {
    return packed(this.#when.subarray(0, this.#end));
  }

  restore(data: Plain, keysEnd: number): void {
    const times = numbersOf(data);
    if (times.length > keysEnd) throw damaged("expected timers of keys");
    for (const [key, time] of times.entries()) if (time !== never) this.set(key, time);
    this.#end = times.length;
  }

  /** What is left behind never outnumbers the keys by much, however often timers are set again. */
  #sweep(): void {
    this.#times.length = 0;
    this.#keys.length = 0;
    for (let key = 0; key < this.#when.length; key++) {
      if (this.#when[key] !== never) this.#insert(this.#when[key]!, key);
    }
  }

  #push(time: number, key: number): void {
    // The key's new time is among those that the sweep finds.
    if (this.#times.length >= 4 * this.#when.length) this.#sweep();
    else this.#insert(time, key);
  }

  /** Those above that come later move down, until the new one's place is found. */
  #insert(time: number, key: number): void {
    const [times, keys] = [this.#times, this.#keys];
    let place = times.push(time) - 1;
    keys.push(key);
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (isBefore(times[parent]!, keys[parent]!, time, key)) break;
      times[place] = times[parent]!;
      keys[place] = keys[parent]!;
      place = parent;
    }
    times[place] = time;
    keys[place] = key;
  }

  /** True when the first was left behind. */
  #isLeft(): boolean {
    return this.#times.length > 0 && this.#when[this.#keys[0]!] !== this.#times[0]!;
  }

  /** Takes the first out. */
  #pop(): void {
    const [time, key] = [this.#times.pop()!, this.#keys.pop()!];
    if (this.#times.length > 0) this.#sink(time, key);
  }

  /** Puts one in place of the first: the earlier child moves up, until its place is found. */
  #sink(time: number, key: number): void {
    const [times, keys] = [this.#times, this.#keys];
    const size = times.length;
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && isBefore(times[child + 1]!, keys[child + 1]!, times[child]!, keys[child]!))
        child++;
      if (!isBefore(times[child]!, keys[child]!, time, key)) break;
      times[place] = times[child]!;
      keys[place] = keys[child]!;
      place = child;
    }
    times[place] = time;
    keys[place] = key;
  }
}

function isBefore(time: number, key: number, otherTime: number, otherKey: number): boolean {
  return time < otherTime || (time === otherTime && key < otherKey);
}
