// What all targets on a stream have in common: their options, the end of a stream, and what is said when somebody else is
// there. Publishes nothing.

import { sleep, type Clock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { backOff } from "../back-off.ts";
import type { ConnectorLog } from "../connector-log.ts";
import type { ChainIdentity, Place, TargetEvents } from "./chain.ts";
import type { Flight } from "./flight.ts";
import { isSameRow, type Mark } from "./publication.ts";
import type { StoredMessage, StreamFacts, StreamPort } from "./stream-port.ts";

export interface StreamTargetOptions {
  /** Closed together with the target. */
  readonly port: StreamPort;
  readonly identity: ChainIdentity;
  readonly events: TargetEvents;
  readonly clock: Clock;
  readonly log: ConnectorLog;
  /** Where an earlier start had the chain; null, or absent, when nobody wrote it down. */
  readonly place?: Place | null;
}

/** What makes a target ask how far the other side is. */
export const wasCut = "the connection was cut";
export const isShorter = "the stream has fewer messages than it had";
const isAnother = "the stream is another one than it was";

/** The stream, made where it is missing, however long that takes. */
export async function factsOf(port: StreamPort, clock: Clock): Promise<StreamFacts> {
  for (let attempt = 0; ; attempt++) {
    const facts = await port.facts();
    if (facts !== null) return facts;
    await port.prepare?.();
    if (attempt > 0) await sleep(clock, backOff(attempt - 1, 1));
  }
}

/** Doubts what is under way where the stream was deleted, or made anew, since it was found to be that of a place. */
export async function checkStream(port: StreamPort, place: Place | null, flight: Flight): Promise<void> {
  if (place === null) return;
  const facts = await port.facts();
  if (facts === null || facts.created !== place.created) flight.doubt(isAnother);
}

/** A stream with its last message; null where that is not there any more, or none ever was. */
export interface StreamEnd {
  readonly facts: StreamFacts;
  readonly message: StoredMessage | null;
}

export async function endOf(port: StreamPort, clock: Clock): Promise<StreamEnd> {
  for (;;) {
    const facts = await factsOf(port, clock);
    if (facts.last === 0) return { facts, message: null };
    const message = await port.read(facts.last);
    if (message !== null) return { facts, message };
    // Removed, or the stream is another one by now.
    const again = await factsOf(port, clock);
    if (again.created === facts.created && again.last === facts.last) return { facts, message };
  }
}

/** Refuses a message that has the number of an entry of ours and is not that entry. */
export function checkSameRow(
  message: StoredMessage,
  { number }: Mark,
  unconfirmed: readonly Entry[],
  stream: string,
): void {
  const entry = numbered(unconfirmed, number);
  if (entry !== undefined && !isSameRow(message, entry)) throw otherRow(stream, number);
}

export function otherRow(stream: string, number: number): WeirError {
  return fenced(
    `stream ${stream}`,
    `it has an entry ${number} that is not the one made here, so a copy of the state runs elsewhere`,
  );
}

/** The entry `number` of those in the order of their numbers. */
function numbered(entries: readonly Entry[], number: number): Entry | undefined {
  let [from, end] = [0, entries.length];
  while (from < end) {
    const middle = (from + end) >>> 1;
    if (entries[middle]!.number < number) from = middle + 1;
    else end = middle;
  }
  return entries[from]?.number === number ? entries[from] : undefined;
}

/** Another sends for the same chain. */
export function fenced(where: string, reason: string): WeirError {
  return new WeirError("WEIR_FENCED", `${where}: ${reason}`, {
    remedy:
      "Only one instance may run on a state. Stop the other one; where this state was restored from a copy, remove its folder to begin a new chain: the source is read from its beginning then, and what was sent of it comes twice.",
  });
}

/** Refuses a stream from which readers take rows away: a chain whose end is one of a subject would not know how far it is. */
export function checkKeeps({ retention }: StreamFacts, stream: string): void {
  if (retention === "limits") return;
  throw new WeirError(
    "WEIR_CONFIG",
    `stream ${stream} removes rows once they are read, so the last row of a subject tells nothing`,
    { remedy: "Use a stream with retention by limits, or one of its own with `delivery: exclusive`." },
  );
}

/** Counts how often somebody else wrote between our rows; a few times is a passer-by, more is another writer. */
export class Foreigners {
  readonly #clock: Clock;
  #seen: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when it was once too often. */
  isTooMuch(): boolean {
    const now = this.#clock.elapsed();
    this.#seen = [...this.#seen.filter((time) => time > now - limits.chain_foreign_ms), now];
    return this.#seen.length >= limits.chain_foreign_times_max;
  }
}

export function foreignWriter(what: string, remedy: string): WeirError {
  return new WeirError(
    "WEIR_CONFIG",
    `${what} is written by somebody else as well, so nobody could tell which rows arrived`,
    { remedy },
  );
}
