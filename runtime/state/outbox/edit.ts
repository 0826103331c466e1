// What becomes of entries that were never sent: they are dropped, or go to another chain, or a few take the place of many.
// Decided at a cut, part of its frame, and done once that frame is durable; the same when the frame is read again. Data and
// its written form only.

import { damaged, listOf, type Plain, textOf, wholeOf } from "../plain.ts";
import { packedPieces, piecesOf } from "./packed-pieces.ts";
import type { Piece } from "./piece.ts";

/** The numbers that it is about: of whole pieces. */
export interface Part {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
}

export interface Drop extends Part {
  readonly kind: "drop";
  readonly reason: string;
}

export interface Move extends Part {
  readonly kind: "move";
  /** They go behind what this chain has. */
  readonly to: string;
}

export interface Condense extends Part {
  readonly kind: "condense";
  /** On the disk, durable before the edit is. */
  readonly pieces: readonly Piece[];
}

export type Edit = Drop | Move | Condense;

export function packedEdit(edit: Edit): Plain {
  const { kind, chain, first, last } = edit;
  const rest = kind === "drop" ? edit.reason : kind === "move" ? edit.to : packedPieces(edit.pieces);
  return [kind, chain, first, last, rest];
}

export function editOf(data: Plain): Edit {
  const [kind, chain, first, last, rest] = listOf(data, 5) as [Plain, Plain, Plain, Plain, Plain];
  const part = { chain: textOf(chain), first: wholeOf(first), last: wholeOf(last) };
  if (kind === "drop") return { kind, ...part, reason: textOf(rest) };
  if (kind === "move") return { kind, ...part, to: textOf(rest) };
  if (kind === "condense") return { kind, ...part, pieces: piecesOf(rest) };
  throw damaged("expected what becomes of entries");
}
