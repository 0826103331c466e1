// Which pieces go to the disk together: pure. Few large frames are packed better, and a manifest of few is short, so small
// frames that lie right before are taken along as long as that does not write the same rows again and again.

import { limits } from "../../limits.ts";
import type { Piece } from "./piece.ts";

/** Pieces that become one frame. */
export type Group = readonly Piece[];

/** Those of `pieces` that are still in memory, in groups for frames of `frameBytes`. */
export function groupsToSpill(
  pieces: readonly Piece[],
  frameBytes: number = limits.outbox_frame_bytes_max,
): readonly Group[] {
  const groups: Piece[][] = [];
  const places: number[] = [];
  let bytes = 0;
  pieces.forEach((piece, place) => {
    if (piece.block === null) return;
    const group = groups.at(-1);
    const before = group?.at(-1);
    bytes += piece.bytes;
    if (group !== undefined && before !== undefined && follows(before, piece) && bytes <= frameBytes) {
      group.push(piece);
      return;
    }
    groups.push([piece]);
    places.push(place);
    bytes = piece.bytes;
  });
  return groups.map((group, each) => [...alongWith(group, pieces, places[each]!, frameBytes), ...group]);
}

/** Stored pieces right before `place` that are no larger than what would be written without them. */
function alongWith(
  group: Group,
  pieces: readonly Piece[],
  place: number,
  frameBytes: number,
): readonly Piece[] {
  const along: Piece[] = [];
  let bytes = group.reduce((sum, piece) => sum + piece.bytes, 0);
  let next = group[0]!;
  for (let before = place - 1; before >= 0; before--) {
    const piece = pieces[before]!;
    const isWhole = piece.place?.skip === 0 && piece.place.rows === piece.count;
    const isSmall = piece.bytes <= bytes && piece.bytes + bytes <= frameBytes;
    if (!isWhole || !isSmall || !follows(piece, next)) break;
    along.unshift(piece);
    bytes += piece.bytes;
    next = piece;
  }
  return along;
}

function follows(piece: Piece, next: Piece): boolean {
  return next.gap === 0 && next.tier === piece.tier && next.first === piece.first + piece.count;
}
