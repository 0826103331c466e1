// How late something comes that is to come in regular intervals: what that says of a machine that has too much to do.

/** Intervals that count: a short rest makes no busy machine idle. */
const remembered = 15;

export class Lateness {
  readonly #period: number;
  readonly #late: number[] = [];
  #last: number | null = null;

  /** `period`: ms between two times. */
  constructor(period: number) {
    this.#period = period;
  }

  /** It came, at that time of a clock that may be put back. */
  note(now: number): void {
    if (this.#last !== null) this.#late.push(Math.max(0, now - this.#last - this.#period));
    if (this.#late.length > remembered) this.#late.shift();
    this.#last = now;
  }

  /** The most that it was late, ms, of the last times. */
  largest(): number {
    return Math.max(0, ...this.#late);
  }
}
