// The outbox's part of a commit: what was added to each chain, how far it may be handed out, and what becomes of entries
// that wait. Data and its written form only.

import { bytesOf, listOf, member, numberOf, type Plain, textOf, wholeOf } from "../plain.ts";
import { type Edit, editOf, packedEdit } from "./edit.ts";

/** What a commit says about one chain. */
export interface ChainCut {
  readonly chain: string;
  /** The first number of `block`; where there is none, the one that would be next. */
  readonly first: number;
  readonly count: number;
  readonly rows: number;
  readonly block: Uint8Array | null;
  readonly allowed: number;
  readonly confirmed: number;
}

/** What changes when a commit is durable. */
export interface Released {
  readonly chains: readonly ChainCut[];
  readonly edits: readonly Edit[];
}

export interface CutFrame extends Released {
  readonly at: number;
  /** What others keep with the outbox, by name. */
  readonly uplinks: Plain;
}

export function packedFrame({ at, chains, edits, uplinks }: CutFrame): Plain {
  return {
    at,
    chains: chains.map(({ chain, first, count, rows, block, allowed, confirmed }) => [
      chain,
      first,
      count,
      rows,
      block,
      allowed,
      confirmed,
    ]),
    edits: edits.map(packedEdit),
    uplinks,
  };
}

export function frameIn(data: Plain): CutFrame {
  return {
    at: numberOf(member(data, "at")),
    chains: listOf(member(data, "chains")).map(chainCutOf),
    edits: listOf(member(data, "edits")).map(editOf),
    uplinks: member(data, "uplinks"),
  };
}

function chainCutOf(data: Plain): ChainCut {
  const [chain, first, count, rows, block, allowed, confirmed] = listOf(data, 7) as [
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
  ];
  return {
    chain: textOf(chain),
    first: wholeOf(first),
    count: wholeOf(count),
    rows: wholeOf(rows),
    // In memory of its own, so that it does not hold the whole frame.
    block: block === null ? null : bytesOf(block),
    allowed: wholeOf(allowed),
    confirmed: wholeOf(confirmed),
  };
}

/** The chains of which something can be taken that could not before. */
export function changedBy({ chains, edits }: Released): ReadonlySet<string> {
  const moved = edits.flatMap((edit) => (edit.kind === "move" ? [edit.to] : []));
  return new Set([...chains, ...edits].map(({ chain }) => chain).concat(moved));
}
