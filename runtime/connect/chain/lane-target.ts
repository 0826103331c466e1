// Rows of one host on one subject of a stream that many hosts share: many rows in one message, one message on its way, each
// with the sequence that the subject must have reached before it. The last message of the subject says how far the chain is.

import type { ConnectorLog } from "../connector-log.ts";
import { laneBody, laneMessage } from "../../codec/lane-message.ts";
import { packLaneRow } from "../../codec/lane-rows.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { causedAtHeader } from "../row-headers.ts";
import type { Place, Tail, Target } from "./chain.ts";
import { Claims, outdated, standingAt } from "./claim.ts";
import { type Failure, failureOf, Flight, type Sent } from "./flight.ts";
import { lastOfSubject } from "./last-standing.ts";
import { chainHeaders, expectedLastOfSubject, markOf, unfitReason, wireLength } from "./publication.ts";
import {
  checkKeeps,
  checkStream,
  factsOf,
  Foreigners,
  foreignWriter,
  otherRow,
  type StreamTargetOptions,
  wasCut,
} from "./stream-target.ts";
import type { Answer, StoredMessage, StreamFacts } from "./stream-port.ts";

export interface LaneTargetOptions extends StreamTargetOptions {
  /** The lane's subject, which nobody else writes. */
  readonly subject: string;
  /** Messages are packed where that gains. */
  readonly packed?: boolean;
  /** Told of each message that was written: the number of its last row, and about what it took on the wire. */
  readonly wrote?: (number: number, bytes: number) => void;
}

/** `up.<host>.<pipeline>.<lane>`: names as tokens of a subject. */
export function laneSubject(prefix: string, ...names: readonly string[]): string {
  return [prefix, ...names.map((name) => name.replaceAll(/[^\w-]/g, "_"))].join(".");
}

export function laneTarget(options: LaneTargetOptions): Target {
  return new LaneTarget(options);
}

/** The first number of a message; that of the last is the chain's own header. */
const firstHeader = "Weir-Out-First";
/** What a message leaves for its headers. */
const headersMax = limits.sink_batch_header_bytes;

interface Item {
  readonly entry: Entry;
  readonly sent: Sent;
  readonly bytes: Uint8Array;
}

class LaneTarget implements Target {
  readonly #options: LaneTargetOptions;
  readonly #log: ConnectorLog;
  readonly #flight: Flight;
  readonly #foreigners: Foreigners;
  readonly #claims: Claims;
  #waiting: Item[] = [];
  /** Bytes of rows in one message; less once the stream refused more. */
  #bytesMax: number;
  #isBusy = false;
  /** Where the chain's own last message is known to have been, under which subject, and up to which number; null for nowhere. */
  #place: Place | null;
  /** When the stream was made to which the chain is attached. */
  #created = "";
  /** Of the subject's last message, whoever wrote it; 0 where there is none. */
  #sequence = 0;
  /** The message that the stream says to have by its id, and up to which entry it goes; null for none. */
  #repeated: Place | null = null;
  #attached = false;
  #wasAttached = false;

  constructor(options: LaneTargetOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#flight = new Flight(options.events);
    options.port.watch?.(() => this.#flight.doubt(wasCut));
    this.#foreigners = new Foreigners(options.clock);
    this.#claims = new Claims(options);
    this.#place = options.place ?? null;
    const { messageBytesMax = limits.payload_bytes_max } = options.port;
    this.#bytesMax = Math.min(limits.lane_bytes_max, messageBytesMax - headersMax);
  }

  get room(): number {
    // One message is on its way while the next one gathers.
    return this.#attached ? this.#flight.room(2 * limits.lane_rows_max) : 0;
  }

  get place(): Place | null {
    return this.#place;
  }

  async attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail> {
    const { port, clock, subject, identity } = this.#options;
    this.#attached = false;
    this.#waiting = [];
    this.#isBusy = false;
    for (let attempt = 0; ; attempt++) {
      this.#flight.clear();
      const facts = await factsOf(port, clock);
      checkKeeps(facts, port.name);
      const { message, expected } = await lastOfSubject(port, facts, subject);
      const standing = this.#standingAt(message);
      const last = message ?? (await this.#underOldName());
      const mark = last === null ? null : markOf(last, identity.id);
      const seen = mark ?? (await this.#tailUnseen(facts, last, confirmed));
      if (last !== null && mark !== null) checkSameEnd(last, seen, unconfirmed, port.name);
      const tail = { ...seen, number: Math.max(seen.number, await this.#removedUpTo(facts)) };
      // Where a later start of this very chain is there, the sender sees it by the tail.
      if (standing === "claim" && tail.epoch <= identity.epoch) {
        await this.#claims.claim([expectedLastOfSubject, expected], tail, facts.last, attempt);
        continue;
      }
      if (!this.#flight.begin(tail.number)) continue;
      this.#created = facts.created;
      this.#sequence = expected;
      this.#place = this.#placeOf(facts, mark === null ? null : last, tail);
      this.#attached = true;
      this.#wasAttached = true;
      return tail;
    }
  }

  unfit(entry: Entry): string | null {
    const { port, identity } = this.#options;
    return unfitReason(identity, entry, (port.messageBytesMax ?? limits.payload_bytes_max) - headersMax);
  }

  send(entries: readonly Entry[]): void {
    for (const entry of entries)
      this.#waiting.push({
        entry,
        sent: this.#flight.add(entry.number),
        bytes: packLaneRow(entry.number, entry.row),
      });
    this.#next();
  }

  async check(): Promise<void> {
    await checkStream(this.#options.port, this.#place, this.#flight);
  }

  close(): Promise<void> {
    this.#attached = false;
    return this.#options.port.close();
  }

  /** Whose the lane is by its last message, where the pipeline goes from host to host. Refuses one that a later owner has. */
  #standingAt(last: StoredMessage | null): "ours" | "claim" {
    const { port, identity, subject } = this.#options;
    if (identity.term === undefined) return "ours";
    const standing = standingAt(last, identity.term);
    if (standing !== "claim") this.#claims.settled();
    if (standing === "outdated")
      throw outdated(last, `lane ${subject} of stream ${port.name}`, identity.term);
    return standing;
  }

  /** The lane's last message where the host, and so its subject, was called otherwise before. */
  async #underOldName(): Promise<StoredMessage | null> {
    const { port, subject } = this.#options;
    const before = this.#place?.subject ?? subject;
    return before === subject ? null : port.readLast(before);
  }

  /** How far the chain is where the subject's last message is none of its own. */
  async #tailUnseen(facts: StreamFacts, last: StoredMessage | null, confirmed: number): Promise<Tail> {
    const { port, subject } = this.#options;
    const isLost = await this.#isLost(facts);
    if (last !== null && this.#wasAttached && !isLost) {
      this.#log.warn(`sink stream ${port.name}: somebody else wrote ${subject}`);
      if (this.#foreigners.isTooMuch())
        throw foreignWriter(
          `subject ${subject} of stream ${port.name}`,
          "Give each host a name of its own in the lane's subject.",
        );
    }
    // What is not lost was removed by the stream's limits, or another chain wrote the subject behind it: it was there.
    return { number: isLost ? 0 : (this.#place?.number ?? confirmed), epoch: 0 };
  }

  /**
   * Whether the stream lost the chain's last message. One that is another stream, or shorter than it was, did; and so did one in
   * which another message has that number by now, because other lanes wrote what made it as long again before this one looked. What
   * is removed leaves its number unused. One case is taken for removed: that later message was removed by then as well.
   */
  async #isLost({ created, first, last }: StreamFacts): Promise<boolean> {
    const { port, identity } = this.#options;
    const place = this.#place;
    if (place === null || place.number === 0) return false;
    if (place.created !== created || last < place.sequence) return true;
    const there = place.sequence < first ? null : await port.read(place.sequence);
    return there !== null && markOf(there, identity.id) === null;
  }

  /** Up to which entry a message went that the stream had and has removed since; 0 for none. */
  async #removedUpTo({ created, last }: StreamFacts): Promise<number> {
    const repeated = this.#repeated;
    this.#repeated = null;
    if (repeated === null || repeated.created !== created || repeated.sequence > last) return 0;
    return (await this.#options.port.read(repeated.sequence)) === null ? repeated.number : 0;
  }

  /** `own`: the chain's last message; without it, what is known of where that was stays, until it is known to be lost. */
  #placeOf({ created, last }: StreamFacts, own: StoredMessage | null, { number }: Tail): Place | null {
    if (own !== null) return { created, sequence: own.sequence, number, subject: own.subject };
    if (this.#place === null || number > 0) return this.#place;
    return { created, sequence: last, number, subject: this.#options.subject };
  }

  /** Publishes the next message, when none is on its way. */
  #next(): void {
    if (this.#isBusy || this.#waiting.length === 0 || !this.#attached || this.#flight.isBroken) return;
    let [count, size] = [0, 0];
    for (const { bytes } of this.#waiting) {
      if (count >= limits.lane_rows_max || (count > 0 && size + bytes.length > this.#bytesMax)) break;
      size += bytes.length;
      count++;
    }
    const items = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    for (const { sent } of items) this.#flight.ask(sent);
    this.#publish(items);
  }

  #publish(items: readonly Item[]): void {
    const { port, identity, subject } = this.#options;
    const [first, last] = [items[0]!.entry, items.at(-1)!.entry];
    this.#isBusy = true;
    const headers = chainHeaders(identity, `${first.number}-${last.number}`, last.number);
    headers[firstHeader] = String(first.number);
    headers[causedAtHeader] = String(last.row.caused);
    headers[expectedLastOfSubject] = String(this.#sequence);
    const payload = laneMessage(
      items.map(({ bytes }) => bytes),
      this.#options.packed ?? false,
    );
    const publication = { subject, payload, headers };
    port.publish(publication, (answer) => this.#answered(items, answer));
    this.#options.wrote?.(last.number, wireLength(publication));
  }

  #answered(items: readonly Item[], answer: Answer): void {
    if (!this.#attached) return;
    const failure = this.#failureOf(items, answer);
    if (failure !== null || answer.kind !== "stored" || answer.duplicate) {
      const { number } = items.at(-1)!.entry;
      if (answer.kind === "stored")
        this.#repeated = { created: this.#created, sequence: answer.sequence, number };
      const reason = `entries up to ${number} were there already`;
      for (const { sent } of items) this.#flight.failed(sent, failure ?? { kind: "unsure", reason });
      return;
    }
    this.#isBusy = false;
    this.#sequence = answer.sequence;
    this.#flight.stored(...items.map(({ sent }) => sent));
    const { subject } = this.#options;
    const number = this.#flight.confirmed;
    this.#place = { created: this.#created, sequence: answer.sequence, number, subject };
    this.#next();
  }

  /** A message that is too large as a whole says nothing of its rows: they are sent again in smaller ones. */
  #failureOf(items: readonly Item[], answer: Answer): Failure | null {
    const failure = failureOf(answer, this.#options.subject);
    if (failure?.kind !== "never" || items.length === 1) return failure;
    const size = items.reduce((total, { bytes }) => total + bytes.length, 0);
    this.#bytesMax = Math.max(1, Math.floor(size / 2));
    return { kind: "unsure", reason: `a message of ${size} bytes is too large for the stream` };
  }
}

/** Refuses a message whose last row has the number of an entry of ours and is not that entry. */
function checkSameEnd(
  { payload }: StoredMessage,
  { number }: Tail,
  unconfirmed: readonly Entry[],
  stream: string,
): void {
  const entry = unconfirmed.find((each) => each.number === number);
  // A claim has no rows.
  if (entry === undefined || payload.length === 0) return;
  const bytes = packLaneRow(number, entry.row);
  const end = laneBody(payload).subarray(-bytes.length);
  if (Buffer.compare(end, bytes) !== 0) throw otherRow(stream, number);
}
