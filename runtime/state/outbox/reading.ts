// Entries as they are kept, read without taking them: for whoever attaches, and for people who look.

import { messageOf } from "../../errors.ts";
import type { Entry } from "./entry.ts";
import { entryIn } from "./entry-in.ts";
import type { Lane } from "./lanes.ts";
import type { OutboxChain } from "./outbox-chain.ts";
import type { OutboxFiles } from "./outbox-files.ts";
import { endOf, placeOf } from "./piece.ts";
import { PieceReader } from "./piece-reader.ts";

/** Entries that cannot be read, and why. */
export interface OutboxFault {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
  readonly reason: string;
}

export type Lost = (fault: OutboxFault) => void;

/** Released entries of a chain from `number` on, as they are handed out. Those that cannot be read `lost` is told of, where it is given. */
export async function* entriesFrom(
  { name, pieces, released }: OutboxChain,
  number: number,
  files: OutboxFiles,
  lane: Lane,
  lost?: Lost,
): AsyncGenerator<Entry, void, undefined> {
  const reader = new PieceReader(files);
  for (const piece of pieces.slice(placeOf(pieces, number))) {
    if (piece.first > released) return;
    const rows = await reader.read(piece).catch((error: unknown) => {
      if (lost === undefined) throw error;
      lost({ chain: name, first: piece.first, last: endOf(piece), reason: messageOf(error) });
      return null;
    });
    if (rows === null) continue;
    for (let each = Math.max(number, piece.first); each <= endOf(piece); each++)
      yield entryIn(piece, each, rows, lane);
  }
}

export async function faultsOf(
  chains: readonly OutboxChain[],
  files: OutboxFiles,
): Promise<readonly OutboxFault[]> {
  const found: OutboxFault[] = [];
  for (const { name, pieces } of chains) {
    const reader = new PieceReader(files);
    for (const piece of pieces)
      await reader.read(piece).catch((error: unknown) => {
        found.push({ chain: name, first: piece.first, last: endOf(piece), reason: messageOf(error) });
      });
  }
  return found;
}
