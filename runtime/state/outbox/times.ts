// When rows were committed: in memory by how time passes, so that a clock which is set makes none of them old; on the disk by the
// clock on the wall, which is all that a later start can read. What was read is told anew, never changed.

import type { Clock } from "../../clock.ts";
import type { CutFrame } from "./cut-frame.ts";
import type { KeptChain } from "./outbox-chain.ts";
import type { Piece } from "./piece.ts";

function shifted(pieces: readonly Piece[], by_ms: number): readonly Piece[] {
  return pieces.map((piece) => ({ ...piece, at: piece.at + by_ms, until: piece.until + by_ms }));
}

function ofFrame({ at, chains, edits, uplinks }: CutFrame, by_ms: number): CutFrame {
  const told = edits.map((edit) =>
    edit.kind === "condense" ? { ...edit, pieces: shifted(edit.pieces, by_ms) } : edit,
  );
  return { at: at + by_ms, chains, edits: told, uplinks };
}

const ofChains = (chains: readonly KeptChain[], by_ms: number): readonly KeptChain[] =>
  chains.map((chain) => ({ ...chain, pieces: shifted(chain.pieces, by_ms) }));

/** How far the wall is ahead. */
const ahead = (clock: Clock): number => clock.now() - clock.elapsed();

/** To be written. */
export const frameByWall = (frame: CutFrame, clock: Clock): CutFrame => ofFrame(frame, ahead(clock));
export const chainsByWall = (chains: readonly KeptChain[], clock: Clock): readonly KeptChain[] =>
  ofChains(chains, ahead(clock));

/** As it was written. */
export const frameByPassing = (frame: CutFrame, clock: Clock): CutFrame => ofFrame(frame, -ahead(clock));
export const chainsByPassing = (chains: readonly KeptChain[], clock: Clock): readonly KeptChain[] =>
  ofChains(chains, -ahead(clock));
