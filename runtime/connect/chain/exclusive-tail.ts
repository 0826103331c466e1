// How far a stream of its own has a chain, judged by the stream's end.
//
// In the normal case the last message is ours and says all. Where it is not, this is what it can mean:
//
// - The stream never held a message: nothing of the chain is there (a new stream, one made anew, one whose store was lost).
// - The last message is gone while its number stays: it was purged, deleted, consumed (work queue), or dropped by a limit of
//   the stream. What a crash loses takes its number with it; so what is gone was there, and is not sent again, unless the server
//   refused it when it had its number: so it is asked which row it stored last (`last-id`). Where it has forgotten that: as nobody else
//   writes, sequences and numbers go up together: from any place where both were known, the number at the end follows. Where
//   no place is known (it was not written down, or the stream is another one), only what was confirmed is taken as stored:
//   the rest is sent again, which can double a row only if it was stored, its answer lost, and the message itself removed
//   before this start; the stream's duplicate window still catches that where it is longer.
// - The last message is somebody else's: a stream that held other rows before, or another writer. Ours is searched for behind
//   it, no further than a known place, where the number is known again. Where the whole stream is searched and nothing of it
//   was ever removed, nothing of ours is there. Where its beginning was removed, ours went with it, and the confirmed ones
//   count as stored. Where others have buried ours deeper than the search goes, they write now, and that is refused.

import { type Clock, sleep } from "../../clock.ts";
import type { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { backOff } from "../back-off.ts";
import type { Place, Tail } from "./chain.ts";
import { lastStored } from "./last-id.ts";
import { markOf } from "./publication.ts";
import { endOf, foreignWriter, type StreamEnd } from "./stream-target.ts";
import type { StreamPort } from "./stream-port.ts";

export const exclusiveRemedy =
  "Give these rows a stream of their own, or write `delivery: subject` at each sink of the stream.";

export interface ExclusiveSearch {
  readonly port: StreamPort;
  readonly clock: Clock;
  readonly end: StreamEnd;
  /** The chain's id. */
  readonly id: string;
  readonly known: Place | null;
  readonly unconfirmed: readonly Entry[];
  readonly confirmed: number;
}

export interface ExclusiveTail extends Tail {
  /** True where the last message is somebody else's. */
  readonly foreign: boolean;
}

export async function exclusiveTail(search: ExclusiveSearch): Promise<ExclusiveTail> {
  const { facts, message } = search.end;
  if (facts.last === 0) return { number: 0, epoch: 0, foreign: false };
  if (message === null) return { number: await numberOfGone(search), epoch: 0, foreign: false };
  const mark = markOf(message, search.id);
  if (mark !== null) return { ...mark, foreign: false };
  return { ...(await behindOthers(search)), foreign: true };
}

/** The number at the end of a stream whose last message is gone. */
async function numberOfGone(search: ExclusiveSearch): Promise<number> {
  const { port, clock, end, id, known, unconfirmed } = search;
  const { facts } = end;
  const [first] = unconfirmed;
  if (first === undefined || (known !== null && known.created !== facts.created)) return numberAtEnd(search);
  for (let attempt = 0; ; attempt++) {
    const stored = await lastStored(port, facts.last, first.row.subject, id);
    if (typeof stored === "number") return stored;
    if (stored === "unknown") return numberAtEnd(search);
    if (attempt > 0) await sleep(clock, backOff(attempt - 1, 1));
    // Somebody may have written meanwhile; and a port that was closed says so here.
    const again = await endOf(port, clock);
    if (again.facts.created !== facts.created || again.facts.last !== facts.last)
      return (await exclusiveTail({ ...search, end: again })).number;
    if (stored === "moved") return numberAtEnd(search);
  }
}

function numberAtEnd({ end, known, unconfirmed, confirmed }: ExclusiveSearch): number {
  const { facts } = end;
  if (known === null) return confirmed;
  // Another stream of this name: what was stored there since is not ours.
  if (known.created !== facts.created) return 0;
  const ahead = facts.last - known.sequence;
  // Numbers that were skipped make this too large, never too small.
  if (ahead <= 0) return Math.max(0, known.number + ahead);
  const sent = unconfirmed.filter(({ number }) => number > known.number);
  return (sent[ahead - 1] ?? sent.at(-1))?.number ?? Math.max(known.number, confirmed);
}

async function behindOthers(search: ExclusiveSearch): Promise<Tail> {
  const { port, end, id, known, confirmed } = search;
  const { facts } = end;
  const place = known !== null && known.created === facts.created ? known : null;
  const deepest = Math.max(facts.first, facts.last - limits.chain_search_max, place?.sequence ?? 0);
  for (let at = facts.last - 1; at > 0 && at >= deepest; at -= limits.chain_search_at_once) {
    const sequences = Array.from({ length: limits.chain_search_at_once }, (_, back) => at - back);
    const messages = await Promise.all(
      sequences.filter((sequence) => sequence >= deepest).map((sequence) => port.read(sequence)),
    );
    for (const message of messages) {
      const mark = message === null ? null : markOf(message, id);
      if (mark !== null) return mark;
    }
  }
  // What is there was written since the stream was made anew, by others alone.
  if (known !== null && place === null) return { number: 0, epoch: 0 };
  if (place !== null && deepest === place.sequence) return { number: place.number, epoch: 0 };
  if (deepest === facts.first) return { number: facts.first <= 1 ? 0 : confirmed, epoch: 0 };
  if (confirmed === 0) return { number: 0, epoch: 0 };
  throw buried(port.name);
}

function buried(stream: string): WeirError {
  return foreignWriter(`stream ${stream}`, exclusiveRemedy);
}
