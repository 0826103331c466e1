// Which chain is sent first where several share a connection: alarms, then live rows, then backlog; and which rows become
// backlog. Pure.
//
// Backlog is a chain of its own, as numbers of a chain go up. What waits too long in a live chain moves there all at once,
// and only what was certainly never sent: so no row is in both, and the live chain goes on with what is new.

import { limits } from "../../limits.ts";
import type { Move } from "./edit.ts";
import { partsOf } from "./keep-within.ts";
import type { Piece } from "./piece.ts";

export type Lane = "alarm" | "live" | "backlog";

/** What a chain is sent over, and how urgent it is. */
export interface ChainLane {
  readonly connection: string;
  readonly lane: Lane;
  /** Rows keep their order, so that none of them becomes backlog. */
  readonly ordered?: boolean;
  /** About what a row takes on the wire beside its own bytes. */
  readonly rowBytes?: number;
}

const ranks: Readonly<Record<Lane, number>> = { alarm: 0, live: 1, backlog: 2 };
const backlogEnd = ".backlog";

/** The chain that takes what waits too long in `chain`. */
export function backlogOf(chain: string): string {
  return `${chain}${backlogEnd}`;
}

/** The chain that `chain` is the backlog of; null where it is none. */
export function liveOf(chain: string): string | null {
  return chain.endsWith(backlogEnd) ? chain.slice(0, -backlogEnd.length) : null;
}

/** Those that are dropped later have a higher rank. */
export function dropRank(lane: Lane): number {
  return -ranks[lane];
}

/** A chain of a connection that may want to be sent. */
export interface Contender {
  readonly lane: Lane;
  /** Whether it has entries that may be handed out now. */
  readonly waits: boolean;
  /** Since when nobody took them. */
  readonly since: number;
}

/** Whether a chain has to let others of its connection go first. One that nobody takes from for a while is not waited for. */
export function yields(lane: Lane, others: readonly Contender[], now: number): boolean {
  return others.some((other) => {
    const waited = now - other.since;
    // Less than nothing where the clock was set back: nobody knows then.
    const isLively = waited >= 0 && waited < limits.outbox_turn_ms;
    return ranks[other.lane] < ranks[lane] && other.waits && isLively;
  });
}

/** What may become backlog. */
export interface Movable {
  readonly chain: string;
  readonly lane: Lane;
  readonly ordered: boolean;
  /** Released, and certainly never sent. */
  readonly pieces: readonly Piece[];
}

/** What becomes backlog now: all that waits in a live chain, once the oldest of it has waited `after` ms. */
export function movesFor(chains: readonly Movable[], after: number | null, now: number): readonly Move[] {
  if (after === null) return [];
  return chains.flatMap(({ chain, lane, ordered, pieces }) => {
    const [oldest] = pieces;
    if (lane !== "live" || ordered || oldest === undefined || now - oldest.at < after) return [];
    return partsOf(chain, pieces).map((part): Move => ({ kind: "move", ...part, to: backlogOf(chain) }));
  });
}
