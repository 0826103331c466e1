// What an outbox holds, in numbers: pure.

import type { OutboxChain } from "./outbox-chain.ts";
import { endOf, type Piece, placeOf, rowsIn, sizeOf } from "./piece.ts";
import type { UplinkStats } from "./uplinks.ts";

export interface ChainStats {
  readonly chain: string;
  /** What waits to be confirmed: bytes, entries and the rows in them. Durable ones only. */
  readonly bytes: number;
  readonly entries: number;
  readonly rows: number;
  /** For how long the oldest of them has waited, ms; null when nothing does. */
  readonly age: number | null;
  /** Bytes of confirmed entries that are kept for healing. */
  readonly retained: number;
  readonly last: number;
  readonly confirmed: number;
  /** Rows that will never be sent, by reason, since the chain began. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** What became of a chain's rows, but for those that arrived. */
export interface ChainRows {
  /** Not confirmed; those too that no commit has yet. */
  readonly waiting: number;
  readonly dropped: Readonly<Record<string, number>>;
}

export interface OutboxStats {
  /** Of all entries, waiting and retained. */
  readonly bytes: number;
  readonly rows: number;
  readonly age: number | null;
  readonly memoryBytes: number;
  /** Of the outbox files, those parts included that nobody needs any more. */
  readonly fileBytes: number;
  /** Why nothing could be written to the disk lately; null when all is well. */
  readonly fault: string | null;
  readonly chains: readonly ChainStats[];
  /** Budgets of connections and what is left of them. */
  readonly uplinks: readonly UplinkStats[];
}

/** Bytes of a chain's entries that are not confirmed. */
export function unconfirmedBytes(chain: OutboxChain): number {
  let bytes = chain.uncutBytes;
  for (let place = placeOf(chain.pieces, chain.confirmed + 1); place < chain.pieces.length; place++)
    bytes += sizeOf(chain.pieces[place]!);
  return bytes;
}

/** Of all chains together. */
export function waitingBytes(chains: Iterable<OutboxChain>): number {
  let bytes = 0;
  for (const chain of chains) bytes += unconfirmedBytes(chain);
  return bytes;
}

export function chainRows(chain: OutboxChain): ChainRows {
  const { pieces, confirmed, uncutRows, heads } = chain;
  const waits = pieces.slice(placeOf(pieces, confirmed + 1));
  return { waiting: uncutRows + rowsBehind(waits, confirmed), dropped: heads.dropped };
}

export function outboxStats(
  chains: readonly OutboxChain[],
  fileBytes: number,
  now: number,
  fault: string | null,
  uplinks: readonly UplinkStats[],
): OutboxStats {
  const each = chains.map((chain) => chainStats(chain, now));
  const ages = each.flatMap(({ age }) => age ?? []);
  return {
    bytes: sum(each.map(({ bytes, retained }) => bytes + retained)),
    rows: sum(each.map(({ rows }) => rows)),
    age: ages.length === 0 ? null : Math.max(...ages),
    memoryBytes: sum(chains.flatMap(({ pieces }) => pieces.map(({ block }) => block?.length ?? 0))),
    fileBytes,
    fault,
    chains: each,
    uplinks,
  };
}

function chainStats(chain: OutboxChain, now: number): ChainStats {
  const { name, pieces, confirmed, last, released } = chain;
  const first = placeOf(pieces, confirmed + 1);
  const waits = pieces.slice(first).filter((piece) => endOf(piece) <= released);
  const oldest = waits[0];
  const left = oldest === undefined ? 0 : Math.max(0, confirmed + 1 - oldest.first);
  return {
    chain: name,
    bytes: sum(waits.map(sizeOf)),
    entries: sum(waits.map(({ count }) => count)) - left,
    rows: rowsBehind(waits, confirmed),
    age: oldest === undefined ? null : Math.max(0, now - oldest.at),
    retained: sum(pieces.slice(0, first).map(sizeOf)),
    last,
    confirmed,
    dropped: chain.heads.dropped,
  };
}

/** Rows of pieces behind a number, of which the first may hold it; where payloads hold several, by their mean. */
function rowsBehind(pieces: readonly Piece[], number: number): number {
  const [oldest] = pieces;
  if (oldest === undefined) return 0;
  const before = Math.max(0, number + 1 - oldest.first);
  return rowsIn(pieces) - Math.round((oldest.rows * before) / oldest.count);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
