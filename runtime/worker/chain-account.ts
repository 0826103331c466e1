// What became of the rows of a chain and of its backlog: arrived, waiting or dropped. The outbox and the senders know it of
// the chain as a whole, whatever became of its numbers; sinks that share one are told apart by the order in which they made
// their rows, as that is the order in which rows go. Sends nothing.

import type { SinkStats } from "../connect/connect.ts";
import { limits } from "../limits.ts";

/** A sink's part of a chain. */
export interface AccountShare {
  made(rows: number): void;
  stats(): SinkStats;
}

/** Rows that one sink made and that wait. */
interface Waiting {
  readonly share: Share;
  rows: number;
}

interface Share {
  rows: number;
  bytes: number;
  waiting: number;
  readonly dropped: Record<string, number>;
}

export class ChainAccount {
  readonly #known: () => SinkStats;
  readonly #shares: Share[] = [];
  /** Oldest first; those in front of `#head` are settled. */
  #waiting: Waiting[] = [];
  #head = 0;
  /** What of all that is known has been shared out. */
  #shared: SinkStats = { rows: 0, bytes: 0, pending: 0, dropped: {} };

  /** `known`: what arrived and was dropped since the start, and all that waits, that of earlier starts too. */
  constructor(known: () => SinkStats) {
    this.#known = known;
  }

  /** The first takes what an earlier start has left. */
  share(): AccountShare {
    const share: Share = { rows: 0, bytes: 0, waiting: 0, dropped: {} };
    this.#shares.push(share);
    if (this.#shares.length === 1) this.#add(share, this.#known().pending);
    return {
      made: (rows) => this.#add(share, rows),
      stats: () => this.#statsOf(share),
    };
  }

  #statsOf(share: Share): SinkStats {
    const { pending } = this.#settle();
    const { rows, bytes, waiting, dropped } = share;
    // What sinks have to share is whole, so one of them takes what rounding leaves.
    const others = this.#shares.reduce((sum, other) => sum + (other === share ? 0 : other.waiting), 0);
    const own = share === this.#shares[0] ? Math.max(0, pending - others) : Math.min(waiting, pending);
    return { rows, bytes, pending: own, dropped: { ...dropped } };
  }

  #add(share: Share, rows: number): void {
    if (rows === 0) return;
    share.waiting += rows;
    const last = this.#waiting.at(-1);
    if (last?.share === share && this.#head < this.#waiting.length) last.rows += rows;
    else this.#waiting.push({ share, rows });
    if (this.#waiting.length - this.#head > limits.outbox_places_max) this.#join();
  }

  /** Shares out what is known since the last time. */
  #settle(): SinkStats {
    const known = this.#known();
    const before = this.#shared;
    this.#shared = known;
    const arrived = known.rows - before.rows;
    if (arrived < 0) this.#takeBack(-arrived);
    for (const [reason, rows] of Object.entries(known.dropped))
      this.#take(rows - (before.dropped[reason] ?? 0), ({ dropped }, some) => {
        dropped[reason] = (dropped[reason] ?? 0) + some;
      });
    const bytes = known.bytes - before.bytes;
    let [seen, given] = [0, 0];
    this.#take(arrived, (share, some) => {
      seen += some;
      const until = Math.round((bytes * seen) / arrived);
      share.rows += some;
      share.bytes += until - given;
      given = until;
    });
    return known;
  }

  /** Settles the oldest rows that wait. */
  #take(rows: number, give: (share: Share, rows: number) => void): void {
    for (let left = rows; left > 0; ) {
      const oldest = this.#waiting[this.#head];
      // What an earlier start had sent, and the other side lost, is sent again and was not counted as waiting.
      if (oldest === undefined) return give(this.#shares[0]!, left);
      const some = Math.min(left, oldest.rows);
      oldest.rows -= some;
      oldest.share.waiting -= some;
      left -= some;
      give(oldest.share, some);
      if (oldest.rows === 0) this.#head++;
    }
    if (this.#head > limits.outbox_places_max / 2) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** What counted as arrived, and the other side has lost. */
  #takeBack(rows: number): void {
    let left = rows;
    const again: Waiting[] = [];
    for (const share of this.#shares) {
      const some = Math.min(left, share.rows);
      share.rows -= some;
      share.waiting += some;
      left -= some;
      if (some > 0) again.push({ share, rows: some });
    }
    this.#waiting = [...again, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
  }

  /** Puts rows of one sink that are near each other together, so that a long outage takes no memory. */
  #join(): void {
    const size = this.#shares.length * 4;
    const joined: Waiting[] = [];
    for (let place = this.#head; place < this.#waiting.length; place += size) {
      const sums = new Map<Share, number>();
      for (const { share, rows } of this.#waiting.slice(place, place + size))
        sums.set(share, (sums.get(share) ?? 0) + rows);
      for (const [share, rows] of sums) joined.push({ share, rows });
    }
    this.#waiting = joined;
    this.#head = 0;
  }
}

/** What was dropped by reason since `before`, of a chain that may be older than that. */
export function droppedSince(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  const since = Object.entries(now).map(([reason, rows]) => [reason, rows - (before[reason] ?? 0)] as const);
  return Object.fromEntries(since.filter(([, rows]) => rows > 0));
}

/** Of all of them together. */
export function sumOf(all: readonly SinkStats[]): SinkStats {
  let [rows, bytes, pending] = [0, 0, 0];
  const dropped: Record<string, number> = {};
  for (const each of all) {
    rows += each.rows;
    bytes += each.bytes;
    pending += each.pending;
    for (const [reason, lost] of Object.entries(each.dropped))
      dropped[reason] = (dropped[reason] ?? 0) + lost;
  }
  return { rows, bytes, pending, dropped };
}
