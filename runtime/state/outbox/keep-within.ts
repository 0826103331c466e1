// What is dropped so that the outbox stays within its limits: only what was certainly never sent, oldest first. Pure.

import type { Drop, Part } from "./edit.ts";
import { endOf, type Piece, sizeOf } from "./piece.ts";

/** What waits may take, for how long, and what becomes of more. */
export interface OutboxLimits {
  readonly bytes: number;
  /** Older rows are dropped; null when none are too old. */
  readonly age: number | null;
  readonly whenFull: "wait" | "drop_oldest" | "condense";
}

/** What of a chain may be dropped. */
export interface Droppable {
  readonly chain: string;
  /** Chains of a higher rank are dropped from last. */
  readonly rank: number;
  readonly pieces: readonly Piece[];
}

/** `total`: bytes of all that waits. `isPast`: pieces that are too old whatever the limits say. */
export function dropsFor(
  limits: OutboxLimits,
  chains: readonly Droppable[],
  total: number,
  now: number,
  isPast: (piece: Piece) => boolean = () => false,
): readonly Drop[] {
  const { age } = limits;
  const isOld = (piece: Piece): boolean => (age !== null && now - piece.until >= age) || isPast(piece);
  const expired = chains.flatMap(({ chain, pieces }) => drops(chain, pieces.filter(isOld), "expired"));
  const surplus = total - limits.bytes;
  if (limits.whenFull !== "drop_oldest" || surplus <= 0) return expired;
  const rest = chains.map((each) => ({ ...each, pieces: each.pieces.filter((piece) => !isOld(piece)) }));
  return [...expired, ...overflowing(rest, surplus)];
}

function overflowing(chains: readonly Droppable[], surplus: number): readonly Drop[] {
  const candidates = chains
    .flatMap(({ chain, rank, pieces }) => pieces.map((piece) => ({ chain, rank, piece })))
    .sort((one, other) => one.rank - other.rank || one.piece.at - other.piece.at);
  const chosen = new Map<string, Piece[]>();
  let freed = 0;
  for (const { chain, piece } of candidates) {
    if (freed >= surplus) break;
    freed += sizeOf(piece);
    const pieces = chosen.get(chain);
    if (pieces === undefined) chosen.set(chain, [piece]);
    else pieces.push(piece);
  }
  return [...chosen].flatMap(([chain, pieces]) => drops(chain, pieces, "overflow"));
}

/** The numbers of pieces, those of neighbours together. */
export function partsOf(chain: string, pieces: readonly Piece[]): Part[] {
  const parts: Part[] = [];
  for (const piece of [...pieces].sort((one, other) => one.first - other.first)) {
    const before = parts.at(-1);
    if (before !== undefined && before.last + piece.gap + 1 === piece.first)
      parts[parts.length - 1] = { ...before, last: endOf(piece) };
    else parts.push({ chain, first: piece.first, last: endOf(piece) });
  }
  return parts;
}

function drops(chain: string, pieces: readonly Piece[], reason: string): readonly Drop[] {
  return partsOf(chain, pieces).map((part) => ({ kind: "drop", ...part, reason }));
}

/** Pieces of a chain that none of `parts` is about. */
export function withoutParts(
  chain: string,
  pieces: readonly Piece[],
  parts: readonly Part[],
): readonly Piece[] {
  const own = parts.filter((part) => part.chain === chain);
  return pieces.filter(
    (piece) => !own.some(({ first, last }) => piece.first >= first && piece.first <= last),
  );
}
