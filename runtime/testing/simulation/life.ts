// One incarnation of the code under test. When it ends nothing that it waits for ever comes: its timers do not ring, its
// disk and its connections do not answer. So a crash can come wherever the code waits and wherever it calls out.

import type { Clock } from "../../clock.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the wall clock shows when virtual time is 0. */
export const epoch_ms = 1_700_000_000_000;

export class Life implements Clock {
  readonly scheduler: Scheduler;
  readonly number: number;
  /** Asked at every call out of the life; true ends it there. */
  readonly #crashes: (label: string) => boolean;
  readonly #ended: (() => void)[] = [];
  #alive = true;
  #calls = 0;

  constructor(scheduler: Scheduler, number: number, crashes: (label: string) => boolean) {
    this.scheduler = scheduler;
    this.number = number;
    this.#crashes = crashes;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** How often it has called out. */
  get calls(): number {
    return this.#calls;
  }

  /** Runs `task` when the life ends, at once where it has. */
  onEnd(task: () => void): void {
    if (this.#alive) this.#ended.push(task);
    else task();
  }

  /** A crash, or the end of a process that ended by itself. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.scheduler.note("life ends", this.number);
    for (const task of this.#ended) task();
  }

  /** To be asked at every call out: false where the caller is dead, or dies by this very call. */
  callsOut(label: string): boolean {
    if (!this.#alive) return false;
    this.#calls++;
    if (this.#crashes(label)) this.end();
    return this.#alive;
  }

  /** Of the clock on the wall, which somebody may set; timers do not go by it. */
  now(): number {
    return this.elapsed() + this.scheduler.clockSet_ms;
  }

  elapsed(): number {
    return epoch_ms + this.scheduler.now;
  }

  after(ms: number, task: () => void): () => void {
    return this.scheduler.after(ms, "timer", () => {
      if (this.#alive) task();
    });
  }

  every(ms: number, task: () => void): () => void {
    let stopped = false;
    let cancel = (): void => undefined;
    const wait = (): void => {
      cancel = this.scheduler.after(ms, "interval", () => {
        if (stopped || !this.#alive) return;
        wait();
        task();
      });
    };
    wait();
    return () => {
      stopped = true;
      cancel();
    };
  }
}

/** How much longer than it is asked to somebody may wait who only looks whether there is something new. */
const patience = 200;

/** A clock for whoever looks every few milliseconds: timers are late, so that idle time costs few events. */
export function patient(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after: (ms, task) => clock.after(ms * patience, task),
    every: (ms, task) => clock.every(ms * patience, task),
  };
}
