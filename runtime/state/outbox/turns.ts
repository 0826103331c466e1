// Whose turn it is where chains share a connection: keeps what the decisions in lanes.ts and uplink.ts need, and calls
// those again that were told to wait.

import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Entry, KeptRow } from "./entry.ts";
import { type ChainLane, type Contender, type Lane, liveOf, yields } from "./lanes.ts";
import type { OutboxChain } from "./outbox-chain.ts";
import { wireBytes } from "./uplink.ts";
import type { Uplinks } from "./uplinks.ts";
import { WireAccount } from "./wire-account.ts";

interface Turn extends ChainLane {
  readonly entries: OutboxChain;
  /** Taken and not confirmed: the last number of each part, and its bytes. */
  flight: { readonly number: number; readonly bytes: number }[];
  /** Of its connection's budget, what a taking that is under way may use: rows are read meanwhile, and others take. */
  reserved: number;
  /** When somebody took from it last, or it had something to take again. */
  since: number;
  /** Told to wait. */
  isWaiting: boolean;
  /** Where bytes of its connection are counted. */
  readonly wire: WireAccount | null;
}

export class Turns {
  readonly #clock: Clock;
  readonly #laneOf: (chain: string) => ChainLane;
  readonly #uplinks: Uplinks;
  readonly #call: (chain: string) => void;
  readonly #turns: Map<string, Turn> = new Map();
  readonly #timers: Map<string, () => void> = new Map();

  constructor(
    clock: Clock,
    laneOf: (chain: string) => ChainLane,
    uplinks: Uplinks,
    call: (chain: string) => void,
  ) {
    this.#clock = clock;
    this.#laneOf = laneOf;
    this.#uplinks = uplinks;
    this.#call = call;
  }

  add(chain: string, entries: OutboxChain): void {
    const live = liveOf(chain);
    const own = this.#laneOf(live ?? chain);
    const { connection, rowBytes = limits.uplink_row_bytes } = own;
    const lane: ChainLane = live === null ? { ...own, rowBytes } : { connection, rowBytes, lane: "backlog" };
    this.#turns.set(chain, {
      ...lane,
      entries,
      flight: [],
      reserved: 0,
      since: this.#clock.now(),
      isWaiting: false,
      wire: this.#uplinks.counts(connection) ? new WireAccount() : null,
    });
  }

  laneOf(chain: string): Lane {
    return this.#turns.get(chain)?.lane ?? "live";
  }

  isOrdered(chain: string): boolean {
    return this.#turns.get(chain)?.ordered ?? false;
  }

  /** There is something to take where there was nothing. */
  filled(chain: string): void {
    const turn = this.#turns.get(chain);
    if (turn !== undefined) turn.since = this.#clock.now();
  }

  /**
   * How many bytes may be taken now, by one who wants so many rows and bytes of payload. Where there are none, the chain is
   * called when it may be otherwise.
   */
  room(chain: string, wanted: { readonly rows: number; readonly bytes: number }): number {
    const turn = this.#turns.get(chain);
    if (turn === undefined) return Number.POSITIVE_INFINITY;
    turn.isWaiting = false;
    turn.reserved = 0;
    const now = this.#clock.now();
    if (yields(turn.lane, this.#othersOf(turn), now))
      return this.#wait(chain, turn, now + limits.outbox_turn_ms);
    const uplink = this.#uplinks.room(turn.connection, turn.lane, now);
    if (uplink.bytes <= 0) return this.#wait(chain, turn, uplink.retry);
    let room = uplink.bytes;
    if (Number.isFinite(room)) {
      const left = room - this.#reservedBeside(turn);
      // Those that take at this moment may leave some of it.
      if (left <= 0) return this.#wait(chain, turn, now + limits.outbox_turn_ms);
      const alone = wanted.bytes + wanted.rows * (turn.rowBytes ?? limits.uplink_row_bytes);
      room = Math.min(left, turn.wire?.estimate(alone) ?? alone);
    }
    if (turn.lane === "backlog") {
      // What is in the socket's way cannot be overtaken, so there must not be much of it.
      const flying = turn.flight.reduce((sum, { bytes }) => sum + bytes, 0);
      room = Math.min(room, limits.backlog_in_flight_bytes - flying);
      turn.isWaiting = room <= 0;
    }
    if (Number.isFinite(uplink.bytes)) turn.reserved = Math.max(0, room);
    return room;
  }

  #reservedBeside(turn: Turn): number {
    let reserved = 0;
    for (const other of this.#turns.values())
      if (other !== turn && other.connection === turn.connection) reserved += other.reserved;
    return reserved;
  }

  /** About what a row of the chain takes on the wire. */
  wireBytes(chain: string, row: KeptRow): number {
    const turn = this.#turns.get(chain);
    const alone = wireBytes(row, turn?.rowBytes);
    return turn?.wire?.estimate(alone) ?? alone;
  }

  took(chain: string, taken: readonly Entry[]): void {
    const turn = this.#turns.get(chain);
    const last = taken.at(-1);
    if (turn !== undefined) turn.reserved = 0;
    if (turn === undefined || last === undefined) return;
    const bytes = taken.reduce((sum, { number, row }) => {
      const alone = wireBytes(row, turn.rowBytes);
      return sum + (turn.wire?.take(number, alone) ?? alone);
    }, 0);
    const now = this.#clock.now();
    turn.since = now;
    if (turn.lane === "backlog") turn.flight.push({ number: last.number, bytes });
    this.#uplinks.spend(turn.connection, bytes, now);
    if (!turn.entries.waits) this.#callOthers(turn);
  }

  /** A message with all of a chain up to `number` that were taken is written, and took so many bytes on the wire. */
  wrote(chain: string, number: number, bytes: number): void {
    const turn = this.#turns.get(chain);
    if (turn?.wire != null) this.#correct(turn, turn.wire.wrote(number, bytes));
  }

  /** `more`: than was spent for it; less than 0 where some is left again, for whoever waits for that. */
  #correct(turn: Turn, more: number): void {
    this.#uplinks.spend(turn.connection, more, this.#clock.now());
    if (more >= 0) return;
    for (const [chain, other] of this.#turns)
      if (other.isWaiting && other.connection === turn.connection) this.#call(chain);
  }

  confirmed(chain: string, number: number): void {
    const turn = this.#turns.get(chain);
    turn?.wire?.confirmed(number);
    if (turn === undefined || turn.flight.length === 0) return;
    turn.flight = turn.flight.filter((part) => part.number > number);
    if (turn.isWaiting) this.#call(chain);
  }

  rewound(chain: string): void {
    const turn = this.#turns.get(chain);
    if (turn === undefined) return;
    turn.flight = [];
    turn.reserved = 0;
    if (turn.wire !== null) this.#correct(turn, -turn.wire.rewound());
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #othersOf({ connection, entries }: Turn): readonly Contender[] {
    return [...this.#turns.values()]
      .filter((other) => other.connection === connection && other.entries !== entries)
      .map((other) => ({ lane: other.lane, waits: other.entries.waits, since: other.since }));
  }

  #callOthers({ connection, entries }: Turn): void {
    for (const [chain, other] of this.#turns)
      if (other.isWaiting && other.connection === connection && other.entries !== entries) this.#call(chain);
  }

  #wait(chain: string, turn: Turn, until: number): number {
    turn.isWaiting = true;
    this.#timers.get(chain)?.();
    const cancel = this.#clock.after(Math.max(1, until - this.#clock.now()), () => {
      this.#timers.delete(chain);
      if (turn.isWaiting) this.#call(chain);
    });
    this.#timers.set(chain, cancel);
    return 0;
  }
}
