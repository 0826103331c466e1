// How far rows of a chain may be handed out before the next commit, so that a restart knows what was certainly never sent: about as
// far as somebody takes them. Where nobody does, as in an outage, a restart finds all but a few of those that wait untouched, so that
// they still become backlog, are condensed, or are dropped when they are too old. Never knows a row.

import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Disk } from "../log/disk.ts";
import { endOf, type Piece } from "./piece.ts";

/**
 * What is handed out at most before the next commit. On a disk that is nearly full it is allowed whether anybody takes it or not: once
 * there is no room for a commit, nothing else that waits would be sent, and make room.
 */
export class Ahead {
  readonly rows: number = limits.outbox_ahead_rows_max;
  readonly bytes: number;
  readonly #disk: Disk;
  readonly #clock: Clock;
  #isScarce = false;
  #looked = Number.NEGATIVE_INFINITY;

  /** `bytes`: of all that may wait. What may be sent cannot be dropped, so it is a small part of that. */
  constructor(bytes: number, disk: Disk, clock: Clock) {
    this.bytes = Math.min(limits.outbox_ahead_bytes_max, bytes / 4);
    this.#disk = disk;
    this.#clock = clock;
  }

  get isScarce(): boolean {
    return this.#isScarce;
  }

  /** Looks at the disk, where that was a while ago; returns at once. */
  look(): void {
    const now = this.#clock.elapsed();
    if (now - this.#looked < limits.outbox_scarce_look_ms) return;
    this.#looked = now;
    this.#disk.free().then(
      (free) => {
        this.#isScarce = free !== null && free < limits.outbox_scarce_bytes;
      },
      () => undefined,
    );
  }
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

  get isScarce(): boolean {
    return this.#most.isScarce;
  }

  get rows(): number {
    return this.#most.rows * (this.isScarce ? 1 : this.#part);
  }

  get bytes(): number {
    return this.#most.bytes * (this.isScarce ? 1 : this.#part);
  }

  /** All up to `sent` may have been sent before. */
  restarted(sent: number): void {
    this.#sent = sent;
  }

  /** Up to where pieces may be handed out, of those at `from` and behind, all beyond `sent`; null for all there are. */
  reach(
    sent: number,
    pieces: readonly Piece[],
    from: number,
    isFrozen: (piece: Piece) => boolean,
  ): number | null {
    let [rows, bytes, end] = [0, 0, sent];
    for (let place = from; place < pieces.length; place++) {
      const piece = pieces[place]!;
      if (isFrozen(piece)) continue;
      rows += piece.count;
      bytes += piece.bytes;
      // One at least: otherwise nothing would ever go.
      if (end > sent && (rows > this.rows || bytes > this.bytes)) return end;
      end = endOf(piece);
    }
    return null;
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
