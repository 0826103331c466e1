// The only place that reads the clock or sets a timer. Everything else is given a `Clock`, so that a
// whole pipeline runs under a virtual one.

export interface Clock {
  /** Wall clock, ms since the epoch. Somebody may set it. */
  now(): number;
  /** How time passes, ms, from what the wall clock was at the start: nobody sets it, so it tells how long something lasts. */
  elapsed(): number;
  /** Calls `task` once after `ms`; the returned function cancels it. */
  after(ms: number, task: () => void): () => void;
  /** Calls `task` every `ms`; the returned function ends it. */
  every(ms: number, task: () => void): () => void;
}

/** The most that a timer of the system's takes; beyond it, one is over at once. */
const timer_ms_max = 2 ** 31 - 1;

/** Calls `task` once after `ms`, however long. */
function afterWall(ms: number, task: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    timer =
      left > timer_ms_max ? setTimeout(() => arm(left - timer_ms_max), timer_ms_max) : setTimeout(task, left);
  };
  arm(ms);
  return () => clearTimeout(timer);
}

export const wallClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.timeOrigin + performance.now(),
  after: afterWall,
  every(ms, task) {
    if (ms <= timer_ms_max) {
      const timer = setInterval(task, ms);
      return () => clearInterval(timer);
    }
    const again = (): void => {
      cancel = afterWall(ms, again);
      task();
    };
    let cancel = afterWall(ms, again);
    return () => cancel();
  },
};

/** Resolves after `ms` of the clock's time. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** Monotonic time in ms, for measuring how long something took. */
export function stopwatch(): number {
  return performance.now();
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly period: number | null;
  readonly task: () => void;
}

/** A clock that stands still until it is told to move. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    return this.#add(ms, null, task);
  }

  every(ms: number, task: () => void): () => void {
    return this.#add(ms, ms, task);
  }

  /** Moves to `time`, running what falls due on the way in order. */
  advanceTo(time: number): void {
    for (;;) {
      const next = this.#timers[0];
      if (next === undefined || next.due > time) break;
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.due);
      if (next.period !== null) this.#insert({ ...next, due: next.due + next.period });
      next.task();
    }
    this.#now = Math.max(this.#now, time);
  }

  #add(ms: number, period: number | null, task: () => void): () => void {
    const order = this.#order++;
    this.#insert({ due: this.#now + ms, order, period, task });
    return () => {
      this.#timers = this.#timers.filter((timer) => timer.order !== order);
    };
  }

  #insert(timer: Timer): void {
    const place = this.#timers.findIndex((other) => other.due > timer.due);
    this.#timers.splice(place < 0 ? this.#timers.length : place, 0, timer);
  }
}
