// Virtual time: events in a queue, one at a time, whatever they wait for in between done before the next one. The same
// seed gives the same events in the same order, which the hash of the trace shows. Knows nothing of what the events do.

import type { Random } from "./random.ts";

interface Event {
  readonly due: number;
  /** Decides among events of one time: by chance, so that no code can count on an order. */
  readonly tie: number;
  readonly order: number;
  readonly label: string;
  readonly task: () => void;
  cancelled: boolean;
}

/** Events that are run before the process looks at anything else. */
const eventsAtOnce = 64;

function precedes(a: Event, b: Event): boolean {
  if (a.due !== b.due) return a.due < b.due;
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie;
}

export class Scheduler {
  readonly random: Random;
  /** How far the clock on the wall was set. */
  clockSet_ms = 0;
  readonly #ties: Random;
  readonly #heap: Event[] = [];
  readonly #labels = new Map<string, number>();
  readonly #trace: ((line: string) => void) | null;
  #now: number;
  #order = 0;
  #steps = 0;
  #hash = 0x811c9dc5;

  constructor(random: Random, start: number, trace: ((line: string) => void) | null = null) {
    this.random = random;
    this.#ties = random.fork();
    this.#now = start;
    this.#trace = trace;
  }

  get now(): number {
    return this.#now;
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Of everything noted so far, in order. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Runs `task` after `ms`; the returned function takes it back. */
  after(ms: number, label: string, task: () => void): () => void {
    const event: Event = {
      due: this.#now + Math.max(0, ms),
      tie: this.#ties.next(),
      order: this.#order++,
      label,
      task,
      cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Makes something that happened part of the trace. */
  note(label: string, detail: number | string = 0): void {
    this.#mix(this.#codeOf(label));
    this.#mix(typeof detail === "number" ? detail | 0 : this.#hashOf(detail));
    if (this.#trace !== null) this.#trace(`${this.#now.toFixed(3)} ${label} ${detail}`);
  }

  /** Runs events until `done` says so or nothing is left to run; false when nothing was left. */
  run(done: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let ended = false;
      let inBlock = 0;
      const step = (): void => {
        inBlock--;
        if (ended) return;
        try {
          if (done()) {
            ended = true;
            resolve(true);
          } else if (!this.#step()) {
            ended = true;
            resolve(false);
          }
        } catch (error) {
          ended = true;
          reject(error);
        }
        if (!ended && inBlock === 0) block();
      };
      // Between two immediates of one block Node empties the queue of microtasks, so that every event sees all that the one
      // before it caused; a turn of the loop for each would cost far more.
      const block = (): void => {
        inBlock = eventsAtOnce;
        for (let count = 0; count < eventsAtOnce; count++) setImmediate(step);
      };
      block();
    });
  }

  #step(): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === null) return false;
      if (event.cancelled) continue;
      this.#now = event.due;
      this.#steps++;
      this.#mix(this.#codeOf(event.label));
      this.#mix((event.due * 1_000) | 0);
      if (this.#trace !== null) this.#trace(`${this.#now.toFixed(3)} · ${event.label}`);
      event.task();
      return true;
    }
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193) ^ (this.#hash >>> 15);
  }

  #codeOf(label: string): number {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    const code = this.#hashOf(label);
    this.#labels.set(label, code);
    return code;
  }

  #hashOf(text: string): number {
    let hash = 0x811c9dc5;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    return hash;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !precedes(event, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  #pop(): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  /** Finds the place of an event that belongs below the top. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const left = place * 2 + 1;
      const leftEvent = heap[left];
      if (leftEvent === undefined) break;
      const rightEvent = heap[left + 1];
      const takesRight = rightEvent !== undefined && precedes(rightEvent, leftEvent);
      const next = takesRight ? rightEvent : leftEvent;
      if (!precedes(next, event)) break;
      heap[place] = next;
      place = takesRight ? left + 1 : left;
    }
    heap[place] = event;
  }
}
