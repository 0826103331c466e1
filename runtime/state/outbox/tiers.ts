// Which rows that wait are condensed next: those that are older than their tier keeps, or the finest ones where there is no
// room. Pure; what a condensed row is, others know.

import { limits } from "../../limits.ts";
import { partsOf } from "./keep-within.ts";
import { endOf, type Piece } from "./piece.ts";

/** A resolution: how much time a row stands for (0: as it was made), and how long rows stay in it; both in ms. */
export interface Tier {
  readonly every: number;
  readonly keep: number;
}

/** Neighbours that become the next tier together. */
export interface Due {
  readonly chain: string;
  readonly pieces: readonly Piece[];
  /** Their tier after that, and how much time a row then stands for. */
  readonly tier: number;
  readonly every: number;
}

/** What of a chain may be condensed: released, and certainly never sent. */
export interface CondensablePieces {
  readonly chain: string;
  readonly pieces: readonly Piece[];
}

/** What is condensed next; null when nothing is due. `isFull`: rows are due before their time. */
export function dueTier(
  tiers: readonly Tier[],
  chains: readonly CondensablePieces[],
  now: number,
  isFull: boolean,
): Due | null {
  for (let tier = 0; tier + 1 < tiers.length; tier++) {
    const { every } = tiers[tier + 1]!;
    for (const { chain, pieces } of chains) {
      const old = pieces.filter(
        (piece) => piece.tier === tier && (isFull || now - piece.until >= tiers[tier]!.keep),
      );
      for (const part of partsOf(chain, old)) {
        const run = atOnce(old.filter(({ first }) => first >= part.first && first <= part.last));
        if (isWorth(run, every, now - tiers[tier]!.keep, isFull))
          return { chain, pieces: run, tier: tier + 1, every };
      }
    }
  }
  return null;
}

/** As many of the oldest as are held in memory together. */
function atOnce(pieces: readonly Piece[]): readonly Piece[] {
  let bytes = 0;
  const end = pieces.findIndex(
    (piece, place) => (bytes += piece.bytes) > limits.outbox_condense_bytes_max && place > 0,
  );
  return end < 0 ? pieces : pieces.slice(0, end);
}

/** Rows of one time that are condensed apart from each other stay apart, so many times go together where they can. */
function isWorth(run: readonly Piece[], every: number, oldSince: number, isFull: boolean): boolean {
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined) return false;
  const bytes = run.reduce((sum, piece) => sum + piece.bytes, 0);
  if (bytes * 2 >= limits.outbox_condense_bytes_max) return true;
  if (isFull) return bytes >= limits.outbox_condense_bytes_min;
  const times = limits.outbox_condense_times;
  return last.until - first.at >= every * times || oldSince - first.at >= every * times * 2;
}

/** Which pieces are at the end of the last tier. Where there were more tiers before, some are beyond it. */
export function isPastTiers(tiers: readonly Tier[], piece: Piece, now: number): boolean {
  const last = tiers.at(-1);
  return last !== undefined && piece.tier >= tiers.length - 1 && now - piece.until >= last.keep;
}

/** The numbers that a run covers. */
export function rangeOf(pieces: readonly Piece[]): { readonly first: number; readonly last: number } {
  return { first: pieces[0]!.first, last: endOf(pieces.at(-1)!) };
}
