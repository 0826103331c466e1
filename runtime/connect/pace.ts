// When the next record of a replay is due: at once, at a rate, or in the recording's own time. Pure; the
// waiting is the caller's.

/** How fast records are given out. `timeOf` reads a record's own time, ms; null when it has none. */
export interface Pace {
  /** Records a second. */
  readonly rate?: number;
  /** How many times faster than the recording; needs `timeOf`. */
  readonly speed?: number;
  readonly timeOf?: (line: Uint8Array) => number | null;
}

export class Schedule {
  readonly #pace: Pace;
  readonly #start: number;
  #count = 0;
  #firstTime: number | null = null;
  #lastDue: number;

  constructor(pace: Pace, now: number) {
    this.#pace = pace;
    this.#start = now;
    this.#lastDue = now;
  }

  /** When the next record is due, ms of how time passes. Call once a record. A record without a time is due with the one before it. */
  due(line: Uint8Array): number {
    const { rate, speed, timeOf } = this.#pace;
    const number = this.#count++;
    if (rate !== undefined) return this.#start + (number * 1000) / rate;
    if (speed === undefined || timeOf === undefined) return this.#start;
    const time = timeOf(line);
    if (time === null || Number.isNaN(time)) return this.#lastDue;
    this.#firstTime ??= time;
    this.#lastDue = Math.max(this.#lastDue, this.#start + (time - this.#firstTime) / speed);
    return this.#lastDue;
  }
}
