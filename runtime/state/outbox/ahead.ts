// How far rows of a chain may be handed out before the next commit, so that a restart knows what was certainly never sent: about as
// far as somebody takes them. Where nobody does, as in an outage, a restart finds all but a few of those that wait untouched, so that
// they still become backlog, are condensed, or are dropped when they are too old. Never knows a row.

import { limits } from "../../limits.ts";

/** What is handed out at most before the next commit. */
export interface Ahead {
  readonly rows: number;
  readonly bytes: number;
}

export class AheadWindow {
  readonly #most: Ahead;
  /** The part of the most that is allowed now: nobody is known to take rows before somebody does. */
  #part: number = limits.outbox_ahead_part_min;
  /** The last number that may have been sent, as it was at the commit before. */
  #sent = 0;

  constructor(most: Ahead) {
    this.#most = most;
  }

  get rows(): number {
    return this.#most.rows * this.#part;
  }

  get bytes(): number {
    return this.#most.bytes * this.#part;
  }

  /** All up to `sent` may have been sent before. */
  restarted(sent: number): void {
    this.#sent = sent;
  }

  /** A commit is made that says anew how far it is. */
  renew(sent: number, allowed: number, released: number): void {
    const isTaken = sent > this.#sent;
    this.#sent = sent;
    const { outbox_ahead_step: step, outbox_ahead_part_min: least } = limits;
    // Somebody would have taken more …
    if (isTaken && sent >= allowed) this.#part = Math.min(1, this.#part * step);
    // … or nobody took what was there.
    else if (!isTaken && released > sent) this.#part = Math.max(least, this.#part / step);
  }
}
