// An entry out of its piece, with the headers that say what became of its neighbours: always the same ones. Pure.

import { WeirError } from "../../errors.ts";
import type { Entry, KeptRow } from "./entry.ts";
import type { Lane } from "./lanes.ts";
import type { Piece } from "./piece.ts";

/** How many numbers right before its own were dropped and never come. */
const skippedHeader = "Weir-Skipped";
/** `backlog`, where the row waited so long that others were sent before it. */
const laneHeader = "Weir-Lane";

/** `rows`: all of the piece. */
export function entryIn(piece: Piece, number: number, rows: readonly KeptRow[], lane: Lane): Entry {
  const row = rows[number - piece.first];
  if (row === undefined) throw new WeirError("WEIR_INTERNAL", `entry ${number} is not in its piece`);
  const skipped = number === piece.first ? piece.gap : 0;
  if (skipped === 0 && lane !== "backlog") return { number, row };
  const headers = {
    ...row.headers,
    ...(lane === "backlog" ? { [laneHeader]: lane } : {}),
    ...(skipped > 0 ? { [skippedHeader]: String(skipped) } : {}),
  };
  const marked = { ...row, headers };
  return skipped > 0 ? { number, row: marked, skipped } : { number, row: marked };
}
