// The outbox in a snapshot: for each chain its heads and which piece is where on the disk. Data and its written form only.

import { WeirError } from "../../errors.ts";
import { isMap, listOf, member, numberOf, type Plain, textOf, wholeOf } from "../plain.ts";
import type { KeptChain } from "./outbox-chain.ts";
import { packedPieces, piecesOf } from "./packed-pieces.ts";
import type { Piece } from "./piece.ts";

const version = 1;

export interface Manifest {
  /** Their pieces are all on the disk. */
  readonly chains: readonly KeptChain[];
  readonly uplinks: Plain;
}

export function packedManifest({ chains, uplinks }: Manifest): Plain {
  return {
    version,
    chains: chains.map(({ name, heads, pieces }) => [
      name,
      heads.released,
      heads.confirmed,
      heads.allowed,
      heads.tailGap,
      heads.dropped,
      // As they are: edits of later commits are about whole pieces.
      packedPieces(pieces),
    ]),
    uplinks,
  };
}

export function manifestOf(data: Plain): Manifest {
  const found = numberOf(member(data, "version"));
  if (found !== version)
    throw new WeirError("WEIR_STATE", `the outbox is of format ${found}, expected ${version}`, {
      remedy: "start the weir that wrote it, and let it send what waits",
    });
  return { chains: listOf(member(data, "chains")).map(chainOf), uplinks: member(data, "uplinks") };
}

function chainOf(data: Plain): KeptChain {
  const [name, released, confirmed, allowed, tailGap, dropped, pieces] = listOf(data, 7) as [
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
  ];
  const heads = {
    released: wholeOf(released),
    confirmed: wholeOf(confirmed),
    allowed: wholeOf(allowed),
    tailGap: wholeOf(tailGap),
    dropped: countsOf(dropped),
  };
  return { name: textOf(name), heads, pieces: piecesOf(pieces) };
}

function countsOf(data: Plain): Readonly<Record<string, number>> {
  return isMap(data)
    ? Object.fromEntries(Object.entries(data).map(([reason, count]) => [reason, wholeOf(count)]))
    : {};
}

/** By file, up to which byte it is needed. */
export function neededFiles(pieces: Iterable<Piece>): ReadonlyMap<number, number> {
  const needed = new Map<number, number>();
  for (const { place } of pieces)
    if (place !== null)
      needed.set(place.file, Math.max(needed.get(place.file) ?? 0, place.offset + place.length));
  return needed;
}
