// Rows on a stream that nobody else writes to: pipelined, each with the sequence that the stream must have reached before
// it. So a row is stored at its place in the order or not at all, whatever was repeated, delayed or sent by another start.

import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Place, Tail, Target } from "./chain.ts";
import { Claims, claimSubject, isClaim, outdated, standingAt } from "./claim.ts";
import { exclusiveRemedy, exclusiveTail } from "./exclusive-tail.ts";
import { failureOf, Flight, type Sent } from "./flight.ts";
import {
  expectedLast,
  expectedLastId,
  isNamesake,
  markOf,
  messageId,
  publicationOf,
  unfitReason,
} from "./publication.ts";
import {
  checkSameRow,
  checkStream,
  endOf,
  Foreigners,
  foreignWriter,
  type StreamEnd,
  type StreamTargetOptions,
  wasCut,
} from "./stream-target.ts";
import type { Answer, StoredMessage, StreamFacts } from "./stream-port.ts";

/** "resource limits exceeded for account": the server notices it when the row has its sequence, and removes it again. */
const noMoreRoom = 10_002;

export function exclusiveTarget(options: StreamTargetOptions): Target {
  return new ExclusiveTarget(options);
}

class ExclusiveTarget implements Target {
  readonly #options: StreamTargetOptions;
  readonly #flight: Flight;
  readonly #foreigners: Foreigners;
  /** Where the chain was when it was attached; later confirmations are counted from there. */
  #start: Place | null;
  /** The stream's last sequence once all that was sent is stored. */
  #last = 0;
  /** The number of the last entry that was sent since it was attached; null before the first. */
  #previous: number | null = null;
  /** Rows say which row is before them. */
  #namesPrevious = false;
  /** Sequences that were given to rows since, and the rows refused all the same. */
  #usedUp = 0;
  #attached = false;
  #wasAttached = false;
  /** It was told that another state folder wrote here. */
  #saidNamesake = false;

  constructor(options: StreamTargetOptions) {
    this.#options = options;
    this.#flight = new Flight(options.events);
    options.port.watch?.(() => this.#flight.doubt(wasCut));
    this.#foreigners = new Foreigners(options.clock);
    this.#start = options.place ?? null;
  }

  get room(): number {
    return this.#attached ? this.#flight.room(limits.sink_in_flight_max) : 0;
  }

  get place(): Place | null {
    const start = this.#start;
    if (start === null || this.#flight.settled + this.#usedUp === 0) return start;
    return {
      created: start.created,
      sequence: start.sequence + this.#flight.settled + this.#usedUp,
      number: this.#flight.confirmed,
    };
  }

  async attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail> {
    const known = this.place;
    this.#attached = false;
    for (;;) {
      this.#flight.clear();
      const { facts, tail } = await this.#find(known, unconfirmed, confirmed);
      this.#start = { created: facts.created, sequence: facts.last, number: tail.number };
      this.#usedUp = 0;
      this.#last = facts.last;
      this.#previous = null;
      this.#namesPrevious = facts.replicas === 1 || this.#options.identity.term !== undefined;
      if (!this.#flight.begin(tail.number)) continue;
      this.#attached = true;
      this.#wasAttached = true;
      return tail;
    }
  }

  unfit(entry: Entry): string | null {
    const { port, identity } = this.#options;
    return unfitReason(identity, entry, port.messageBytesMax);
  }

  send(entries: readonly Entry[]): void {
    const { port, identity } = this.#options;
    for (const entry of entries) {
      const sent = this.#flight.add(entry.number);
      const expected = this.#last++;
      this.#flight.ask(sent);
      const publication = publicationOf(identity, entry, [expectedLast, expected]);
      // Where the row before was lost, somebody else's message may have taken its place, and the sequence would fit. A replica
      // that was started anew does not know the last id, though, and would refuse what the others store: so where there are
      // several, only the claim of a next owner is worth it.
      const previous = this.#previous;
      if (this.#namesPrevious && previous !== null)
        publication.headers[expectedLastId] = messageId(identity.id, previous);
      this.#previous = entry.number;
      port.publish(publication, (answer) => this.#answered(sent, publication.subject, expected, answer));
    }
  }

  async check(): Promise<void> {
    await checkStream(this.#options.port, this.place, this.#flight);
  }

  close(): Promise<void> {
    this.#attached = false;
    return this.#options.port.close();
  }

  async #find(
    known: Place | null,
    unconfirmed: readonly Entry[],
    confirmed: number,
  ): Promise<{ readonly facts: StreamFacts; readonly tail: Tail }> {
    const { port, identity, clock, log } = this.#options;
    const end = await this.#owned(await endOf(port, clock), known, unconfirmed, confirmed);
    const { facts, message } = end;
    const { id } = identity;
    const { foreign, ...tail } = await exclusiveTail({ port, clock, end, id, known, unconfirmed, confirmed });
    if (foreign && this.#wasAttached) {
      log.warn(`sink stream ${port.name}: somebody else wrote message ${facts.last}`);
      if (this.#foreigners.isTooMuch()) throw foreignWriter(`stream ${port.name}`, exclusiveRemedy);
    }
    if (message !== null && tail.number === 0 && confirmed === 0) this.#tellOfNamesake(message);
    const mark = message === null ? null : markOf(message, id);
    if (message !== null && mark !== null) {
      if (!isClaim(message, port.name)) checkSameRow(message, mark, unconfirmed, port.name);
      await this.#checkBefore(message.sequence, mark.number, unconfirmed);
    }
    return { facts, tail };
  }

  /** A state folder that was deleted, or is another: nobody can know any more which of its rows are here. */
  #tellOfNamesake(message: StoredMessage): void {
    const { port, identity, log } = this.#options;
    // A pipeline that goes from host to host has such rows before its own.
    if (this.#saidNamesake || identity.term !== undefined || !isNamesake(message, identity.id)) return;
    this.#saidNamesake = true;
    log.warn(
      `sink stream ${port.name}: it has rows of this pipeline from another state folder; what is read again from the source comes twice`,
    );
  }

  /** The stream's end once it is this term's, where there are terms. Refuses where a later one has it. */
  async #owned(
    first: StreamEnd,
    known: Place | null,
    unconfirmed: readonly Entry[],
    confirmed: number,
  ): Promise<StreamEnd> {
    const { port, identity, clock } = this.#options;
    const { id, term } = identity;
    let end = first;
    if (term === undefined) return end;
    const claims = new Claims({ ...this.#options, subject: claimSubject(port.name) });
    for (let attempt = 0; ; attempt++) {
      const standing = standingAt(end.message, term);
      if (standing !== "claim") claims.settled();
      if (standing === "ours") return end;
      if (standing === "outdated") throw outdated(end.message, `stream ${port.name}`, term);
      // Where this term is not at the end it is nowhere. So nothing can be there of a chain that never had a row, and the rows of
      // those before are not searched for it, which took as long as the link is slow, while nobody reads the source.
      const isUnused = known === null && confirmed === 0 && unconfirmed.length === 0;
      const tail = isUnused
        ? { number: 0, epoch: 0 }
        : await exclusiveTail({ port, clock, end, id, known, unconfirmed, confirmed });
      // A later start of this very chain is there: the sender sees it by the tail.
      if (tail.epoch > identity.epoch) return end;
      const { last } = end.facts;
      await claims.claim([expectedLast, last], tail, last, attempt);
      end = await endOf(port, clock);
    }
  }

  /**
   * Rows before the tail that count as stored from now on have to be the ones made here as well: a copy of this state may have
   * made the same rows in another order.
   */
  async #checkBefore(sequence: number, number: number, unconfirmed: readonly Entry[]): Promise<void> {
    const { port, identity } = this.#options;
    const before = unconfirmed.filter((entry) => entry.number < number);
    const deepest = Math.max(1, sequence - Math.min(before.length, limits.chain_search_max));
    // On a narrow link the answers to many large ones would come too late.
    // They may be hundreds of thousands, more than arguments of one call can be.
    const largest = before.reduce((most, { row }) => Math.max(most, row.payload.length), 1);
    const fitting = Math.max(1, Math.floor(limits.chain_search_bytes / largest));
    const atOnce = Math.min(limits.chain_search_at_once, fitting);
    for (let at = sequence - 1; at >= deepest; at -= atOnce) {
      const count = Math.min(atOnce, at - deepest + 1);
      const sequences = Array.from({ length: count }, (_, back) => at - back);
      for (const message of await Promise.all(sequences.map((each) => port.read(each)))) {
        const mark = message === null ? null : markOf(message, identity.id);
        if (message !== null && mark !== null && !isClaim(message, port.name))
          checkSameRow(message, mark, unconfirmed, port.name);
      }
    }
  }

  #answered(sent: Sent, subject: string, expected: number, answer: Answer): void {
    if (!this.#attached) return;
    const failure = failureOf(answer, subject);
    if (answer.kind === "refused" && answer.code === noMoreRoom) this.#usedUp++;
    if (failure !== null) return this.#flight.failed(sent, failure);
    // Stored before it was sent from here: by a delayed copy, or by somebody who runs on a copy of this state. The tail tells.
    if (answer.kind !== "stored" || answer.duplicate || answer.sequence !== expected + 1) {
      const reason = `entry ${sent.number} was there already`;
      return this.#flight.failed(sent, { kind: "unsure", reason });
    }
    this.#flight.stored(sent);
  }
}
