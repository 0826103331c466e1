// Rows on subjects that nobody else writes, of a stream that others may write as well: each with the sequence that its
// subject must have reached before it. So a subject has one row in flight, and many subjects go side by side.
//
// The last message of a subject tells how far the chain has that subject, so a row is in the stream exactly when its number is
// not above that of its subject's last message. The tail is the number before the first unconfirmed row that is not; those
// behind it that are, are confirmed without being sent again. A row that was dropped by a limit of the stream before it was
// confirmed leaves nothing to tell by; it is sent again, and the duplicate window has to catch it.

import { messageOf } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Place, Tail, Target } from "./chain.ts";
import { failureOf, Flight, type Sent } from "./flight.ts";
import { lastOfSubject } from "./last-standing.ts";
import { expectedLastOfSubject, type Mark, markOf, publicationOf, unfitReason } from "./publication.ts";
import { StoredPlace } from "./stored-place.ts";
import {
  checkKeeps,
  checkSameRow,
  checkStream,
  factsOf,
  Foreigners,
  foreignWriter,
  isShorter,
  type StreamTargetOptions,
  wasCut,
} from "./stream-target.ts";
import type { Answer, StoredMessage, StreamFacts } from "./stream-port.ts";

export interface SubjectTargetOptions extends StreamTargetOptions {
  /** What a row's subject is under, of which subjects are told to the server; default: nothing. */
  readonly prefix?: string;
  /** Whether others may write a row's subject between two of ours; default: a few times, then they are refused. */
  readonly sharesSubjects?: boolean;
  /** Why a row can never be sent; default: what no subject may be. */
  readonly unfit?: (entry: Entry) => string | null;
}

export function subjectTarget(options: SubjectTargetOptions): Target {
  return new SubjectTarget(options);
}

/** How far the stream has a subject. */
interface Line {
  /** Of the subject's last message; 0 where the server finds none. */
  readonly sequence: number;
  /** Of our last row in it; 0 where its last message is none of ours. */
  readonly number: number;
  readonly epoch: number;
}

/** An entry that waits for its subject, or is on its way. */
interface Item {
  readonly entry: Entry;
  readonly sent: Sent;
}

const nothing: Line = { sequence: 0, number: 0, epoch: 0 };

class SubjectTarget implements Target {
  readonly #options: SubjectTargetOptions;
  readonly #prefix: string;
  readonly #flight: Flight;
  readonly #foreigners: Foreigners;
  readonly #lines = new Map<string, Line>();
  /** By subject, what is on its way and what waits behind it. */
  readonly #items = new Map<string, Item[]>();
  /** By sequence, entries that the stream says to have by their ids. */
  readonly #repeated = new Map<number, number>();
  /** Those of them that it had and has removed since. */
  readonly #removed = new Set<number>();
  /** When the stream was made to which that is about. */
  #created = "";
  /** Subjects on which something else was expected than was there. */
  readonly #contested = new Set<string>();
  readonly #place: StoredPlace;
  /** The last number that was ever given to send. */
  #given = 0;
  #attached = false;

  constructor(options: SubjectTargetOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? "";
    this.#flight = new Flight(options.events);
    options.port.watch?.(() => this.#flight.doubt(wasCut));
    this.#foreigners = new Foreigners(options.clock);
    this.#place = new StoredPlace(options.place ?? null);
  }

  get room(): number {
    return this.#attached ? this.#flight.room(limits.sink_in_flight_max) : 0;
  }

  get place(): Place | null {
    return this.#place.place;
  }

  async attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail> {
    const { port, clock, identity } = this.#options;
    this.#attached = false;
    const subjects = [...new Set(unconfirmed.map(({ row }) => row.subject))];
    for (;;) {
      this.#flight.clear();
      this.#lines.clear();
      this.#items.clear();
      const facts = await factsOf(port, clock);
      checkKeeps(facts, port.name);
      this.#forget(facts, confirmed);
      for (let at = 0; at < subjects.length; at += limits.chain_search_at_once) {
        const some = subjects.slice(at, at + limits.chain_search_at_once);
        await Promise.all(some.map((subject) => this.#askAll(subject, unconfirmed, facts)));
      }
      await this.#checkRepeated(unconfirmed, facts);
      const tail = this.#tail(unconfirmed, confirmed);
      const isReplaced = await this.#place.isReplaced(port, identity);
      const isRegressed = this.#place.begin(facts, confirmed, isReplaced) !== "whole";
      if (isRegressed) this.#removed.clear();
      if (!this.#flight.begin(isRegressed ? 0 : tail.number)) continue;
      this.#given = Math.max(this.#given, confirmed, unconfirmed.at(-1)?.number ?? 0);
      this.#contested.clear();
      this.#attached = true;
      return isRegressed ? { ...tail, regressed: true } : tail;
    }
  }

  unfit(entry: Entry): string | null {
    const { port, identity, unfit } = this.#options;
    return unfit?.(entry) ?? unfitReason(identity, entry, port.messageBytesMax);
  }

  send(entries: readonly Entry[]): void {
    this.#given = Math.max(this.#given, entries.at(-1)?.number ?? 0);
    for (const entry of entries) {
      const item = { entry, sent: this.#flight.add(entry.number) };
      const items = this.#items.get(entry.row.subject);
      if (items !== undefined) items.push(item);
      else {
        this.#items.set(entry.row.subject, [item]);
        this.#next(entry.row.subject);
      }
    }
  }

  async check(): Promise<void> {
    await checkStream(this.#options.port, this.place, this.#flight);
  }

  close(): Promise<void> {
    this.#attached = false;
    return this.#options.port.close();
  }

  #tail(unconfirmed: readonly Entry[], confirmed: number): Tail {
    let [number, epoch, ahead] = [confirmed, 0, 0];
    for (const line of this.#lines.values()) {
      epoch = Math.max(epoch, line.epoch);
      ahead = Math.max(ahead, line.number);
    }
    for (const entry of unconfirmed) {
      const isThere = entry.number <= (this.#lines.get(entry.row.subject)?.number ?? 0);
      if (!isThere && !this.#removed.has(entry.number)) break;
      number = entry.number;
    }
    // Beyond all that may have been sent: the sender is to know that somebody did.
    const last = Math.max(unconfirmed.at(-1)?.number ?? 0, confirmed, this.#given);
    return { number: ahead > last ? ahead : number, epoch };
  }

  /** What was learned of another stream of the name, or of what is settled, means nothing any more. */
  #forget({ created }: StreamFacts, confirmed: number): void {
    if (created !== this.#created) {
      this.#repeated.clear();
      this.#removed.clear();
      this.#created = created;
    }
    for (const number of this.#removed) if (number <= confirmed) this.#removed.delete(number);
  }

  /**
   * An id that is there with another row was given by somebody who runs on a copy of this state. One whose message is gone is that of
   * a row which was stored, and removed on purpose: it is not sent again.
   */
  async #checkRepeated(unconfirmed: readonly Entry[], { last }: StreamFacts): Promise<void> {
    const { port, identity } = this.#options;
    for (const [sequence, number] of this.#repeated) {
      const message = await port.read(sequence);
      if (message === null && sequence <= last) this.#removed.add(number);
      const mark = message === null ? null : markOf(message, identity.id);
      if (message === null || mark === null) continue;
      const own = { ...message, subject: message.subject.slice(this.#prefix.length) };
      checkSameRow(own, mark, unconfirmed, port.name);
    }
    this.#repeated.clear();
  }

  /** Reads how far the stream has a subject of which there may be rows that are stored and not confirmed. */
  async #askAll(subject: string, unconfirmed: readonly Entry[], facts: StreamFacts): Promise<void> {
    const { message, expected } = await lastOfSubject(this.#options.port, facts, this.#prefix + subject);
    this.#learn(subject, unconfirmed, message, expected);
  }

  /** The same of one of which there are none. */
  async #ask(subject: string, unconfirmed: readonly Entry[]): Promise<Line> {
    const message = await this.#options.port.readLast(this.#prefix + subject);
    return this.#learn(subject, unconfirmed, message, message?.sequence ?? 0);
  }

  #learn(
    subject: string,
    unconfirmed: readonly Entry[],
    message: StoredMessage | null,
    sequence: number,
  ): Line {
    const { port, identity, sharesSubjects } = this.#options;
    if (message === null) return this.#remember(subject, nothing);
    const mark: Mark | null = markOf(message, identity.id);
    if (mark !== null) {
      const own = { ...message, subject };
      checkSameRow(own, mark, unconfirmed, port.name);
    } else if (this.#contested.delete(subject) && sharesSubjects !== true && this.#foreigners.isTooMuch())
      throw foreignWriter(
        `subject ${subject} of stream ${port.name}`,
        "Let each pipeline write subjects of its own, or write `delivery: message_id`.",
      );
    return this.#remember(subject, { sequence, number: mark?.number ?? 0, epoch: mark?.epoch ?? 0 });
  }

  #remember(subject: string, line: Line): Line {
    if (this.#lines.size >= limits.chain_subjects_max) this.#lines.clear();
    this.#lines.set(subject, line);
    return line;
  }

  /** Publishes what is first on the subject, unless it is there already. */
  #next(subject: string): void {
    const items = this.#items.get(subject);
    const item = items?.[0];
    if (item === undefined) this.#items.delete(subject);
    // What waits stays where it is: the sender will send it again.
    if (item === undefined || this.#flight.isBroken || !this.#attached) return;
    const line = this.#lines.get(subject);
    if (line === undefined) void this.#askFirst(subject, item);
    else if (item.entry.number <= line.number) this.#done(subject, item, line);
    else if (this.#removed.has(item.entry.number)) this.#settled(subject, item);
    else this.#publish(subject, item, line);
  }

  async #askFirst(subject: string, item: Item): Promise<void> {
    this.#flight.ask(item.sent);
    let reason = "";
    try {
      const line = await this.#ask(subject, this.#underway());
      const isOthers = line.epoch > this.#options.identity.epoch || line.number > this.#given;
      if (isOthers) reason = `another instance has written ${subject}`;
    } catch (fault) {
      reason = messageOf(fault);
    }
    if (!this.#attached) return;
    if (reason !== "") return this.#flight.failed(item.sent, { kind: "unsure", reason });
    this.#flight.take(item.sent);
    this.#next(subject);
  }

  /** Of all subjects: a copy of this state may have given a number to a row of another one. */
  #underway(): Entry[] {
    const all = [...this.#items.values()].flatMap((items) => items.map(({ entry }) => entry));
    return all.sort((one, other) => one.number - other.number);
  }

  #publish(subject: string, { entry, sent }: Item, { sequence }: Line): void {
    const { port, identity } = this.#options;
    const publication = publicationOf(identity, entry, [expectedLastOfSubject, sequence]);
    const before = this.#place.highest;
    this.#flight.ask(sent);
    port.publish({ ...publication, subject: this.#prefix + subject }, (answer) =>
      this.#answered(subject, { entry, sent }, before, answer),
    );
  }

  #answered(subject: string, item: Item, before: number, answer: Answer): void {
    if (!this.#attached) return;
    const failure = failureOf(answer, this.#prefix + subject);
    if (failure !== null || answer.kind !== "stored" || answer.duplicate) {
      // Somebody else wrote the subject, or it was there before it was sent from here.
      this.#contested.add(subject);
      if (answer.kind === "stored") this.#repeated.set(answer.sequence, item.entry.number);
      const reason = `entry ${item.entry.number} was there already`;
      return this.#flight.failed(item.sent, failure ?? { kind: "unsure", reason });
    }
    if (this.#place.isShorter(answer.sequence, before)) this.#flight.doubt(isShorter);
    const { epoch } = this.#options.identity;
    const line = this.#remember(subject, { sequence: answer.sequence, number: item.entry.number, epoch });
    this.#done(subject, item, line);
  }

  #done(subject: string, { sent }: Item, { sequence, number }: Line): void {
    this.#items.get(subject)?.shift();
    this.#flight.stored(sent);
    this.#place.note(sequence, number, this.#flight.confirmed);
    this.#next(subject);
  }

  /** It was there once, and tells nothing of how far the stream is. */
  #settled(subject: string, { sent }: Item): void {
    this.#items.get(subject)?.shift();
    this.#flight.stored(sent);
    this.#next(subject);
  }
}
