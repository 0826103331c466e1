// How far a stream was read: what has come, what was handed out, and what is committed, as numbers. Says of each message
// whether it is new, and what a commit acknowledges; knows no connection and publishes nothing.

import { member, numberOf, type Plain, textOf, wholeOf } from "../state/plain.ts";
import type { Acks } from "./jetstream-consumer.ts";
import type { Delivered } from "./jetstream-delivered.ts";
import { SequenceRanges } from "./sequence-ranges.ts";
import { Settlement } from "./settlement.ts";
import { compareTimes, type StoredTime, unknownTime } from "./stream-facts.ts";
import type { Resumption, StreamPlace } from "./stream-resume.ts";
import type { DoneMessage } from "./waiting-messages.ts";

/** What `commit` takes, as data that may be written down: all up to here is done. */
export type JetStreamPosition = {
  readonly stream: string;
  /** When the stream was made, as its server writes it. */
  readonly created: string;
  /** How often the stream's numbers began to mean something else. */
  readonly incarnation: number;
  /** The stream's own number of the furthest message that is done, and when it was stored: the same number may come again. */
  readonly sequence: number;
  readonly stored: number;
  readonly stored_ns: number;
  /** By what this run settles: the sequence, or a running number where messages may come out of order. */
  readonly ordinal: number;
  /** Of a work queue: all up to it was acknowledged, … */
  readonly floor: number;
  /** … and these behind it are done as well, whether or not the broker knows. */
  readonly done: Plain;
  /** The message of which only some records are done, and how many; null where there is none. */
  readonly part: PartlyDone | null;
};

/** The time is the message's, whose number may come again. */
export type PartlyDone = {
  readonly sequence: number;
  readonly stored: number;
  readonly stored_ns: number;
  readonly records: number;
};

/** Reads a position that was written down; null where it is of another stream. */
export function positionOf(data: Plain, stream: string): JetStreamPosition | null {
  if (textOf(member(data, "stream")) !== stream) return null;
  const number = (name: string): number => wholeOf(member(data, name));
  const part = member(data, "part");
  return {
    stream,
    created: textOf(member(data, "created")),
    incarnation: number("incarnation"),
    sequence: number("sequence"),
    stored: numberOf(member(data, "stored")),
    stored_ns: number("stored_ns"),
    ordinal: 0,
    floor: number("floor"),
    done: member(data, "done"),
    part: part === null ? null : partOf(part),
  };
}

function partOf(data: Plain): PartlyDone {
  return {
    sequence: wholeOf(member(data, "sequence")),
    stored: numberOf(member(data, "stored")),
    stored_ns: wholeOf(member(data, "stored_ns")),
    records: wholeOf(member(data, "records")),
  };
}

/** `new`: to be handed out. `here`: it waits or was handed out, and is not committed. `done`: it is committed. */
export type Standing = "new" | "here" | "done";

interface Times extends StoredTime {
  readonly sequence: number;
}

/** What one meaning of the stream's numbers began with. */
interface Incarnation {
  readonly number: number;
  readonly created: string;
  /** The first number that means something else than before. */
  readonly start: number;
}

export class StreamProgress {
  readonly #stream: string;
  /** Messages may come in any order, and are acknowledged one by one. */
  readonly isQueue: boolean;
  /** Where messages of a work queue are remembered beyond their commit, because the broker may forget acknowledgements. */
  readonly #remembers: boolean;
  /** The present one last. */
  readonly #incarnations: Incarnation[];
  #settlement: Settlement;
  /** The furthest that has come; of a work queue, with the latest time of all that has. */
  #received: Times;
  /** The furthest is known, so that a number that is left out was a message. */
  #isPlaced: boolean;
  #ordinal = 0;
  /** Of a work queue: by sequence, the ordinals of messages that are not committed, in order. */
  readonly #uncommitted = new Map<number, number>();
  #floor = 0;
  /** Of a work queue: handed out, behind the floor. */
  readonly #done = new SequenceRanges();
  /** What the position tells of the messages that are done. */
  #furthest: Times;
  #furthestIncarnation: Incarnation;
  #lastOrdinal = 0;
  #part: PartlyDone | null = null;
  /** That of the position which the run began with. */
  readonly #partBefore: PartlyDone | null;

  /**
   * `from`: the position to go on from, or null. `floor`: the sequence behind which the consumer begins; `isPlaced` is false
   * where that is not known before the first message.
   */
  constructor(options: {
    readonly stream: string;
    readonly acks: Acks;
    readonly remembers: boolean;
    readonly created: string;
    readonly floor: number;
    readonly isPlaced: boolean;
    readonly from: JetStreamPosition | null;
  }) {
    const { stream, acks, created, floor, from } = options;
    this.#stream = stream;
    this.isQueue = acks === "explicit";
    this.#isPlaced = options.isPlaced;
    this.#remembers = options.remembers && this.isQueue;
    this.#settlement = new Settlement(this.isQueue ? 0 : floor);
    const incarnation = { number: from?.incarnation ?? 1, created, start: 0 };
    this.#incarnations = [incarnation];
    const { sequence = this.isQueue ? 0 : floor, stored = 0, stored_ns = 0 } = from ?? {};
    this.#received = { sequence, stored, stored_ns };
    this.#furthest = this.#received;
    this.#furthestIncarnation = incarnation;
    this.#partBefore = from?.part ?? null;
    this.#part = this.#partBefore;
    if (from === null || !this.#remembers) return;
    this.#floor = from.floor;
    if (from.done !== null) this.#done.restore(from.done);
  }

  get incarnation(): number {
    return this.#present.number;
  }

  /** The furthest that has come, for deciding where to go on. */
  get place(): StreamPlace & StoredTime {
    const { number, created } = this.#present;
    return { created, incarnation: number, ...this.#received };
  }

  /** The furthest that has come, as a number. */
  get received(): number {
    return this.#received.sequence;
  }

  /** It is known, so that a number that is left out was a message. */
  get isPlaced(): boolean {
    return this.#isPlaced;
  }

  /** The stream sequence up to which all is committed, where messages come in order. */
  get committed(): number {
    return this.#settlement.committed;
  }

  /** Up to the last message that was done with. */
  get position(): JetStreamPosition {
    // A queue's numbers are told apart as they come; elsewhere those of an earlier incarnation stay its own.
    const { number, created } = this.isQueue ? this.#present : this.#furthestIncarnation;
    return {
      stream: this.#stream,
      created,
      incarnation: number,
      ...this.#furthest,
      ordinal: this.#lastOrdinal,
      floor: this.#floor,
      done: this.#remembers ? this.#done.snapshot() : null,
      part: this.#part,
    };
  }

  /** Ranges of messages that are remembered behind what the broker is known to have acknowledged. */
  get remembered(): number {
    return this.#done.count;
  }

  standing({ streamSequence: sequence }: Delivered): Standing {
    if (!this.isQueue) return sequence <= this.#received.sequence ? "here" : "new";
    if (this.#uncommitted.has(sequence)) return "here";
    return this.#remembers && (sequence <= this.#floor || this.#done.has(sequence)) ? "done" : "new";
  }

  /** True when the number of this message was another's before: its stream lost its end and went on. */
  isReused(message: Delivered): boolean {
    const { sequence, stored } = this.#received;
    return (
      this.#remembers &&
      stored > 0 &&
      message.streamSequence <= sequence &&
      compareTimes(message, this.#received) > 0
    );
  }

  /** Numbers that were left out before this message. */
  missingBefore({ streamSequence: sequence }: Delivered): number {
    return this.isQueue || !this.#isPlaced ? 0 : Math.max(0, sequence - this.#received.sequence - 1);
  }

  /** Messages up to `sequence` will never come. */
  skipTo(sequence: number): void {
    if (this.isQueue || sequence <= this.#received.sequence) return;
    this.#received = { sequence, ...unknownTime };
  }

  /** The first time that it is seen. Returns by what it is settled. */
  receive(message: Delivered): number {
    this.#received = this.#further(this.#received, message);
    this.#isPlaced = true;
    return this.isQueue ? ++this.#ordinal : message.streamSequence;
  }

  /** It waits to be handed out. */
  keep({ streamSequence: sequence }: Delivered, ordinal: number): void {
    if (this.isQueue) this.#uncommitted.set(sequence, ordinal);
  }

  /** It is here already, and came with a newer reply. */
  again({ streamSequence: sequence }: Delivered, reply: string): void {
    if (!this.isQueue) this.#settlement.handOut(sequence, reply);
  }

  /** It will never be handed out, and is done. */
  skip({ streamSequence: sequence }: Delivered): void {
    if (this.#remembers) this.#done.add(sequence);
  }

  /** Its records were all read. `reply` acknowledges it; null where that is of no use any more. */
  handOut(message: DoneMessage, reply: string | null): void {
    const { streamSequence: sequence, ordinal, epoch } = message;
    this.#lastOrdinal = ordinal;
    const isForeign = this.#incarnations.some(({ number, start }) => number > epoch && sequence >= start);
    if (this.isQueue && isForeign) return;
    if (reply !== null) this.#settlement.handOut(ordinal, reply);
    if (this.#remembers) this.#done.add(sequence);
    this.#furthest = this.#further(this.#furthest, message);
    if (this.#furthestIncarnation.number !== epoch)
      this.#furthestIncarnation = this.#incarnations.find(({ number }) => number === epoch) ?? this.#present;
  }

  /** So many records of a message were read, and no more; null where there is no such message. */
  handOutPart(part: { readonly message: Delivered; readonly read: number } | null): void {
    if (part === null) {
      this.#part = null;
      return;
    }
    const { streamSequence: sequence, stored, stored_ns } = part.message;
    this.#part = { sequence, stored, stored_ns, records: part.read + this.doneOf(part.message) };
  }

  /** Records of a new message that are done since an earlier run. */
  doneOf(message: Delivered): number {
    const before = this.#partBefore;
    const isIt = before?.sequence === message.streamSequence && compareTimes(before, message) === 0;
    return isIt ? before.records : 0;
  }

  /** Replies that acknowledge all up to the position, oldest first. */
  settle({ incarnation, ordinal }: JetStreamPosition): readonly string[] {
    if (incarnation !== this.incarnation) return [];
    const replies = this.#settlement.settle(ordinal);
    for (const [sequence, handedOut] of this.#uncommitted) {
      if (handedOut > ordinal) break;
      this.#uncommitted.delete(sequence);
    }
    return replies;
  }

  /** The broker has acknowledged all up to `floor`, and will deliver that again only where it forgets. */
  raiseFloor(floor: number): void {
    if (!this.#remembers || floor <= this.#floor) return;
    this.#floor = floor;
    this.#done.dropTo(floor);
  }

  /** Another consumer goes on: replies belong to the one that delivered them. */
  forgetReplies(): void {
    this.#settlement.forgetReplies();
  }

  /**
   * Numbers from `start` on are those of other messages now. What waits is handed out all the same. `before`: when the message
   * before `start` was stored.
   */
  begin(created: string, { start, incarnation }: Resumption, before: StoredTime = unknownTime): void {
    const isNew = created !== this.#present.created;
    const floor = start - 1;
    this.#incarnations.push({ number: incarnation, created, start: isNew ? 0 : start });
    this.#received = { sequence: floor, stored: before.stored, stored_ns: before.stored_ns };
    this.#isPlaced = true;
    if (!this.isQueue) {
      this.#settlement = new Settlement(floor);
      return;
    }
    this.#furthest = this.#received;
    this.#floor = isNew ? 0 : Math.min(this.#floor, floor);
    this.#done.dropFrom(isNew ? 0 : start);
    for (const sequence of this.#uncommitted.keys())
      if (isNew || sequence >= start) this.#uncommitted.delete(sequence);
  }

  get #present(): Incarnation {
    return this.#incarnations.at(-1)!;
  }

  #further(known: Times, message: Delivered): Times {
    const { streamSequence: sequence, stored, stored_ns } = message;
    if (!this.isQueue) return { sequence, stored, stored_ns };
    const time = compareTimes(message, known) > 0 ? { stored, stored_ns } : known;
    return { sequence: Math.max(sequence, known.sequence), stored: time.stored, stored_ns: time.stored_ns };
  }
}
