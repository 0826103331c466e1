// Records from a JetStream stream: pulled as there is room, handed out in stream order, acknowledged only when committed. What was lost
// on the way is noticed by the delivery sequence and read again; what comes twice is handed out once. Where the caller keeps positions in
// a log of its own, that is the truth: a stream that keeps messages anyway is read without acknowledgements. Never alters a stream.

import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { recordsFrom } from "../batch/payloads.ts";
import { type Cut, cutOf } from "../codec/framing.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Plain } from "../state/plain.ts";
import { backOff } from "./back-off.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "./connect.ts";
import { dropConsumer, reopenConsumer, type ConsumerSpec, type OpenConsumer } from "./jetstream-consumer.ts";
import { type Delivered, DeliveredReader } from "./jetstream-delivered.ts";
import {
  checkSubject,
  decide,
  type Decision,
  type JetStreamSourceOptions,
  openStream,
} from "./jetstream-opening.ts";
import { Pull, type Verdict } from "./jetstream-pull.ts";
import { asker, managerOf, onReturn, waitForStream, type Asker } from "./jetstream-requests.ts";
import { MovedConsumer } from "./moved-consumer.ts";
import { PayloadQueue } from "./payload-queue.ts";
import { takesAll, unknownTime } from "./stream-facts.ts";
import { StreamLosses } from "./stream-losses.ts";
import type { JetStreamPosition, StreamProgress } from "./stream-progress.ts";
import type { StreamEvent } from "./stream-resume.ts";
import { WaitingMessages } from "./waiting-messages.ts";

export function jetstreamSource(options: JetStreamSourceOptions): Source {
  return new StreamSource(options);
}

const ack = new TextEncoder().encode("+ACK");

class StreamSource implements Source {
  readonly #options: JetStreamSourceOptions;
  readonly #asker: Asker;
  readonly #clock: Clock;
  readonly #queue: PayloadQueue;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #requestMax: number;
  readonly #losses: StreamLosses;
  #spec: ConsumerSpec;
  #manager!: JetStreamManager;
  #stream!: StreamInfo;
  #consumer!: OpenConsumer;
  #progress!: StreamProgress;
  readonly #reader = new DeliveredReader();
  readonly #cut: Cut | null;
  #pull: Pull | null = null;
  readonly #waiting = new WaitingMessages();
  /** The delivery that is to come. */
  #expected = 1;
  /** Every number of the stream is a message for this source, so that one that is left out was lost. */
  #isWhole = false;
  /** The last acknowledgement, to be repeated after a cut. */
  #lastAck: string | null = null;
  /** Of the link, when it was looked last what the stream is. */
  #cuts = 0;
  /** Recoveries since the last message. */
  #troubles = 0;
  #pending = 0;
  readonly #moved = new MovedConsumer();
  #records = 0;
  #bytes = 0;
  #recovering = false;
  /** What is being asked after the consumer: of no use once it is another one. */
  #looking: symbol | null = null;
  /** It is known where the consumer is: messages may be asked for. */
  #isLooked = true;
  /** Looks in a row at which no delivery had come, and the one that was to come at the last. */
  #quiet = 0;
  #expectedBefore = 0;
  #closed = false;
  #failure: unknown = null;
  #release: (() => void)[] = [];

  constructor(options: JetStreamSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#messagesMax = options.messagesMax ?? limits.source_queue_messages_max;
    this.#bytesMax = options.bytesMax ?? limits.source_queue_bytes_max;
    this.#cut = cutOf(options.framing ?? "message");
    this.#requestMax = Math.min(limits.jetstream_pull_messages_max, Math.ceil(this.#messagesMax / 2));
    this.#asker = asker(`source stream ${options.stream}`, options, () => this.#closed);
    this.#losses = new StreamLosses(options.log, this.#asker.name);
    this.#spec = {
      stream: options.stream,
      durable: options.consumer ?? null,
      filter: options.subject,
      start: options.start ?? "all",
      looksOn: options.looksOn ?? false,
    };
    // Only as much is asked for as there is room: the queue itself never drops.
    this.#queue = new PayloadQueue({
      messagesMax: Number.POSITIVE_INFINITY,
      bytesMax: Number.POSITIVE_INFINITY,
      overflow: "drop_newest",
      clock: this.#clock,
    });
  }

  async open(resume?: Plain | null): Promise<void> {
    const { subject, link, domain } = this.#options;
    checkSubject(this.#asker, subject);
    this.#manager = await managerOf(link, domain ?? null);
    const opening = await openStream(this.#asker, this.#manager, this.#spec, resume);
    this.#cuts = link.cuts;
    this.#stream = opening.stream;
    this.#isWhole = takesAll(this.#stream, subject);
    this.#spec = opening.spec;
    this.#consumer = opening.consumer;
    this.#progress = opening.progress;
    this.#tell(opening.events, true);
    this.#pending = this.#consumer.pending;
    this.#start();
    this.#release.push(
      onReturn(link, () => this.#recover("the connection was cut")),
      this.#clock.every(1_000, () => this.#check()),
    );
  }

  begins(): Plain {
    return this.#consumer.acks === "none" && this.#progress.isPlaced ? this.#progress.position : null;
  }

  async read(limits: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#failure !== null) throw this.#failure;
    const payloads = await this.#queue.read(limits);
    if (this.#failure !== null) throw this.#failure;
    if (payloads === null || payloads === "end") return payloads;
    const { acks } = this.#consumer;
    this.#waiting.take(payloads.count, acks === "explicit", (message) => {
      const isAnswered = acks !== "none" && message.deliveries > 0;
      this.#progress.handOut(message, isAnswered ? this.#reader.reply(message) : null);
    });
    this.#progress.handOutPart(this.#waiting.part);
    this.#records += payloads.count;
    this.#bytes += payloads.bytes.length;
    this.#ask();
    return { payloads, position: this.#progress.position };
  }

  commit(position: unknown): Promise<void> {
    const replies = this.#progress.settle(position as JetStreamPosition);
    const { acks } = this.#consumer;
    const { nats, cuts } = this.#options.link;
    if (acks === "none" || replies.length === 0 || nats.isClosed()) return Promise.resolve();
    this.#lastAck = replies.at(-1)!;
    // Behind a cut these may be numbers of messages that nobody has read, until it was looked; the broker delivers again.
    if (cuts !== this.#cuts) return Promise.resolve();
    for (const reply of acks === "all" ? [this.#lastAck] : replies) nats.publish(reply, ack);
    return Promise.resolve();
  }

  stats(): SourceStats {
    return {
      records: this.#records,
      bytes: this.#bytes,
      dropped: this.#losses.counts,
      lag: this.#pending + this.#queue.messages,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const release of this.#release) release();
    this.#pull?.close();
    this.#queue.end();
    const { link, stream } = this.#options;
    if (!link.connected || link.nats.isClosed()) return;
    // Acknowledgements are on their way; the position should survive an orderly end.
    const parting =
      this.#spec.durable === null && this.#pull !== null
        ? dropConsumer(this.#manager, stream, this.#consumer.name)
        : link.nats.flush().catch(() => {});
    await Promise.race([parting, sleep(this.#clock, limits.nats_close_ms_max)]);
  }

  /** `gaps`: those that will not show in the numbers of messages to come are told as well. */
  #tell(events: readonly StreamEvent[], gaps: boolean): void {
    // A work queue drops what was acknowledged, which is no loss.
    const isTold = gaps && this.#consumer.acks !== "explicit";
    this.#losses.tellAll(events, isTold, this.#isWhole, this.#pending);
  }

  #start(): void {
    this.#expected = this.#consumer.nextDelivery;
    this.#isLooked = true;
    this.#looking = null;
    this.#pull = new Pull({
      link: this.#options.link,
      apiPrefix: this.#options.domain === undefined ? "$JS.API" : `$JS.${this.#options.domain}.API`,
      stream: this.#options.stream,
      consumer: this.#consumer.name,
      clock: this.#clock,
      reader: this.#reader,
      events: {
        onMessage: (delivered, bytes, start, end, subject) =>
          this.#take(delivered, bytes, start, end, subject),
        onSettle: () => this.#queue.settle(),
        onVerdict: (verdict, reason) => this.#judge(verdict, reason),
      },
    });
    this.#ask();
  }

  #take(delivered: Delivered, bytes: Uint8Array, start: number, end: number, subject: string): void {
    const progress = this.#progress;
    const explicit = this.#consumer.acks === "explicit";
    if (delivered.deliverySequence !== this.#expected && !explicit) {
      this.#recover(`expected delivery ${this.#expected}, got ${delivered.deliverySequence}`);
      return;
    }
    if (this.#moved.isSeenBy(delivered, this.#progress, this.#pending, this.#isWhole))
      return this.#recover(`messages before ${delivered.streamSequence} were left out`, true);
    this.#expected = delivered.deliverySequence + 1;
    this.#pending = delivered.pending;
    if (explicit && progress.isReused(delivered)) this.#renew(delivered.streamSequence);
    const standing = progress.standing(delivered);
    if (standing === "new") this.#keep(delivered, bytes, start, end, subject);
    else if (standing === "here") progress.again(delivered, this.#reader.reply(delivered));
    else this.#options.link.nats.publish(this.#reader.reply(delivered), ack);
    if (this.#pull!.remaining <= this.#requestMax / 2) this.#ask();
  }

  #keep(delivered: Delivered, bytes: Uint8Array, start: number, end: number, subject: string): void {
    const progress = this.#progress;
    const missing = this.#isWhole ? progress.missingBefore(delivered) : 0;
    if (missing > 0) this.#losses.tell({ kind: "gap", records: missing }, true);
    if (delivered.pending === 0) this.#losses.caughtUp();
    const ordinal = progress.receive(delivered);
    this.#troubles = 0;
    const all = this.#cut?.(bytes.subarray(start, end), delivered.stored) ?? null;
    const records = all === null ? null : recordsFrom(all, progress.doneOf(delivered));
    const count = records?.count ?? 1;
    const oversize = end - start > limits.payload_bytes_max;
    if (oversize) this.#losses.count("oversize", count);
    if (oversize || count === 0) {
      // Settled with whatever is committed next; a work queue would hand it out for ever otherwise.
      if (this.#consumer.acks === "explicit")
        this.#options.link.nats.publish(this.#reader.reply(delivered), ack);
      progress.skip(delivered);
      return;
    }
    progress.keep(delivered, ordinal);
    this.#waiting.add(delivered, ordinal, progress.incarnation, count);
    if (records === null) this.#queue.gather(bytes, start, end, subject, delivered.stored);
    else this.#queue.addRecords(records, subject, delivered.stored);
  }

  /** A work queue gives numbers anew from `start` on. */
  #renew(start: number): void {
    const { sequence, incarnation } = this.#progress.place;
    this.#losses.tell({ kind: "regressed", records: sequence - start + 1 }, this.#isWhole);
    this.#progress.begin(this.#stream.created, { start, incarnation: incarnation + 1, events: [] });
    this.#looking = null;
    this.#disown();
  }

  /** Asks for more when there is room for at least half a request, two requests at most. */
  #ask(): void {
    const pull = this.#pull;
    if (pull === null || this.#recovering || this.#closed || pull.requests >= 2) return;
    if (this.#progress.remembered > limits.jetstream_remembered_ranges_max) return;
    const most = this.#requestMax;
    const room = this.#messagesMax - this.#waiting.count - pull.outstanding;
    const bytes = this.#bytesMax - this.#queue.bytes;
    if (pull.outstanding > most / 2 || room < most / 2 || bytes < this.#bytesMax / 2) return;
    // What came between two requests may have been left out, and no number would show it.
    if (pull.outstanding === 0 && !this.#isLooked && !this.#isWhole) {
      if (this.#looking === null) void this.#look();
      return;
    }
    this.#isLooked = false;
    pull.ask(Math.min(most, room), Math.floor(bytes / 2));
  }

  #judge(verdict: Verdict, reason: string): void {
    if (this.#closed || this.#recovering) return;
    if (verdict === "again") this.#ask();
    else if (verdict === "gone") this.#recover(reason);
    else this.#clock.after(backOff(1, Math.random()), () => this.#ask());
  }

  #check(): void {
    if (this.#recovering || !this.#options.link.connected) return;
    this.#pull?.expire();
    this.#quiet = this.#expected === this.#expectedBefore ? this.#quiet + 1 : 0;
    this.#expectedBefore = this.#expected;
    // A server says nothing to requests for a consumer that it has forgotten.
    if (this.#looking === null && (this.#progress.remembered > 0 || this.#quiet >= 2)) void this.#look();
    this.#ask();
  }

  /** Asks after the consumer: is it there and where it should be, and how far does the broker know of what is done? */
  async #look(): Promise<void> {
    const mine = (this.#looking = Symbol("look"));
    const progress = this.#progress;
    const asked = { spec: this.#spec, consumer: this.#consumer.name, expected: this.#expected, progress };
    const { found, standing } = await this.#moved.look(this.#manager, asked);
    if (this.#looking !== mine || this.#recovering) return;
    this.#looking = null;
    this.#quiet = 0;
    if (found === "gone") this.#recover("the server has forgotten the consumer");
    else if (found === "moved") this.#recover("the server has moved the consumer past messages", true);
    else if (found === "still") progress.raiseFloor(standing.acknowledged);
    if (standing?.nextDelivery === this.#expected) this.#pending = standing.pending;
    this.#isLooked = true;
    this.#ask();
  }

  /** Goes on behind the last committed message with a consumer that has delivered what was received. */
  #recover(reason: string, isMoved = false): void {
    if (this.#recovering || this.#closed) return;
    this.#recovering = true;
    this.#pull?.close();
    this.#pull = null;
    this.#resume(reason, isMoved)
      .catch((fault: unknown) => {
        if (this.#closed) return;
        this.#asker.log.warn(`${this.#asker.name}: ${messageOf(fault)}`);
        this.#failure = fault;
        this.#queue.end();
      })
      .finally(() => {
        this.#recovering = false;
        if (!this.#closed && this.#failure === null) this.#start();
      });
  }

  async #resume(reason: string, isMoved: boolean): Promise<void> {
    // Trouble after trouble without a message in between must not become a busy loop.
    if (this.#troubles++ > 0) await sleep(this.#clock, backOff(this.#troubles, Math.random()));
    const current = { ...this.#consumer, nextDelivery: this.#expected };
    const { acks } = current;
    const { resumption, start, isRenewed } = await this.#reopen(current, isMoved);
    this.#tell(resumption.events, isRenewed);
    const { name, nextDelivery } = this.#consumer;
    const isWhere = name === current.name && nextDelivery === current.nextDelivery;
    const isSame = !isRenewed && !isMoved && isWhere;
    const how = isSame ? "going on" : "reading again";
    this.#asker.log.info(`${this.#asker.name}: ${reason}; ${how} behind message ${start - 1}`);
    const before = start === resumption.start ? resumption.before : unknownTime;
    if (isRenewed) this.#progress.begin(this.#stream.created, { ...resumption, start }, before);
    if (isRenewed || (!isSame && acks !== "explicit")) this.#disown();
    else if (isSame) this.#repeatAck();
    if (!isSame) this.#moved.trust(this.#progress.received);
    this.#pending = this.#consumer.pending;
  }

  /**
   * Looks where to go on, and makes the consumer ready for it. Where the connection is cut meanwhile, what was found may be of a
   * server that lost the end of its streams since: all of it is looked for anew, from the same place.
   */
  async #reopen(
    consumer: OpenConsumer,
    isMoved: boolean,
  ): Promise<{ readonly resumption: Decision; readonly start: number; readonly isRenewed: boolean }> {
    const { link, stream, subject } = this.#options;
    const { place, committed, isPlaced } = this.#progress;
    const received = isPlaced ? place.sequence : Number.POSITIVE_INFINITY;
    const { acks } = consumer;
    for (let current = consumer; ; current = this.#consumer) {
      const { cuts } = link;
      this.#stream = await waitForStream(this.#asker, this.#manager, stream);
      this.#isWhole = takesAll(this.#stream, subject);
      const resumption = await decide(this.#asker, this.#manager, this.#stream, place, acks !== "explicit");
      const isRenewed = resumption.incarnation !== place.incarnation;
      const isNew = this.#stream.created !== place.created;
      // What was received and is not committed is delivered again where it must be acknowledged.
      const start = acks !== "all" || isNew ? resumption.start : Math.min(committed + 1, resumption.start);
      const reopening = { current, start, received, isRenewed, isMoved };
      this.#consumer = await reopenConsumer(this.#asker, this.#manager, this.#stream, this.#spec, reopening);
      if (link.cuts !== cuts) continue;
      this.#cuts = cuts;
      return { resumption, start, isRenewed };
    }
  }

  /** Replies belong to the consumer that delivered them, and to the messages that had their numbers then. */
  #disown(): void {
    this.#progress.forgetReplies();
    this.#lastAck = null;
    this.#waiting.orphan();
  }

  /** An acknowledgement may have been lost with the connection. */
  #repeatAck(): void {
    if (this.#lastAck !== null && this.#consumer.acks === "all")
      this.#options.link.nats.publish(this.#lastAck, ack);
  }
}
