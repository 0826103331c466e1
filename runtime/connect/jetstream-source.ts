// Records from a JetStream stream: pulled as there is room, handed out in stream order, acknowledged only
// when committed. What was lost on the way is noticed by the delivery sequence and read again; what comes
// twice is handed out once. Never creates or alters a stream.

import { type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { Subscription as Watching } from "rxjs";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { type Cut, cutOf, type Framing } from "../codec/framing.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import {
  dropConsumer,
  openConsumer,
  reopenConsumer,
  type ConsumerSpec,
  type OpenConsumer,
} from "./jetstream-consumer.ts";
import { type Delivered, DeliveredReader } from "./jetstream-delivered.ts";
import { Pull, type Verdict } from "./jetstream-pull.ts";
import { asker, managerOf, waitForStream, type Asker } from "./jetstream-requests.ts";
import type { NatsLink } from "./nats-connection.ts";
import { PayloadQueue } from "./payload-queue.ts";
import { Settlement } from "./settlement.ts";
import { subscribeSubjectFault } from "./subject.ts";
import { WaitingMessages } from "./waiting-messages.ts";

export interface JetStreamSourceOptions {
  readonly link: NatsLink;
  readonly stream: string;
  /** Which of the stream's subjects; wildcards allowed. */
  readonly subject: string;
  /** A durable consumer's name: the position survives a restart. Absent: starts at `start` each time. */
  readonly consumer?: string;
  /** Where a new consumer starts: the first message (default), the next one, or a stream sequence. */
  readonly start?: "all" | "new" | number;
  /** Another JetStream domain. */
  readonly domain?: string;
  /** How many records a message holds; default: one. */
  readonly framing?: Framing;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
  readonly messagesMax?: number;
  readonly bytesMax?: number;
}

/** What `commit` takes. `sequence` is the stream's, so that a commit log can resume with `start: sequence + 1`. */
export interface JetStreamPosition {
  readonly sequence: number;
  /** By what the source settles: the sequence, or a running number where messages may come out of order. */
  readonly ordinal: number;
  /** Grows when the stream was made anew, so that a position in the old one settles nothing of the new. */
  readonly epoch: number;
}

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
  /** Messages that one request asks for at most. */
  readonly #requestMax: number;
  readonly #spec: ConsumerSpec;
  #manager!: JetStreamManager;
  #stream!: StreamInfo;
  #consumer!: OpenConsumer;
  #settlement: Settlement = new Settlement(0);
  readonly #reader = new DeliveredReader();
  /** Cuts messages into records; null where each is one. */
  readonly #cut: Cut | null;
  #pull: Pull | null = null;
  readonly #waiting = new WaitingMessages();
  /** Of the last message that was done with. */
  #position: JetStreamPosition = { sequence: 0, ordinal: 0, epoch: 0 };
  #expected = 1;
  #received = 0;
  #ordinal = 0;
  #epoch = 0;
  /** The last acknowledgement, to be repeated after a cut. */
  #lastAck: string | null = null;
  /** Recoveries since the last message. */
  #troubles = 0;
  /** By stream sequence, the ordinals of messages that are not committed, in order, where the broker itself redelivers. */
  readonly #uncommitted = new Map<number, number>();
  #pending = 0;
  #records = 0;
  #bytes = 0;
  #oversize = 0;
  #recovering = false;
  #closed = false;
  #failure: unknown = null;
  #release: (() => void)[] = [];
  #watching: Watching | null = null;

  constructor(options: JetStreamSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#messagesMax = options.messagesMax ?? limits.source_queue_messages_max;
    this.#bytesMax = options.bytesMax ?? limits.source_queue_bytes_max;
    this.#cut = cutOf(options.framing ?? "message");
    this.#requestMax = Math.min(limits.jetstream_pull_messages_max, Math.ceil(this.#messagesMax / 2));
    this.#asker = asker(`source stream ${options.stream}`, options, () => this.#closed);
    this.#spec = {
      stream: options.stream,
      durable: options.consumer ?? null,
      filter: options.subject,
      start: options.start ?? "all",
    };
    // Only as much is asked for as there is room: the queue itself never drops.
    this.#queue = new PayloadQueue({
      messagesMax: Number.POSITIVE_INFINITY,
      bytesMax: Number.POSITIVE_INFINITY,
      overflow: "drop_newest",
      clock: this.#clock,
    });
  }

  async open(): Promise<void> {
    const fault = subscribeSubjectFault(this.#options.subject);
    if (fault !== null) {
      throw new WeirError(
        "WEIR_CONFIG",
        `${this.#asker.name}: subject ${JSON.stringify(this.#options.subject)}: ${fault}`,
        {
          remedy: "Name one of the stream's subjects, or a pattern of them.",
        },
      );
    }
    this.#manager = await managerOf(this.#options.link, this.#options.domain ?? null);
    this.#stream = await waitForStream(this.#asker, this.#manager, this.#options.stream);
    this.#consumer = await openConsumer(this.#asker, this.#manager, this.#stream, this.#spec);
    this.#beginAt(this.#consumer.floor);
    this.#pending = this.#consumer.pending;
    this.#start();
    let cut = false;
    this.#watching = this.#options.link.status.subscribe((status) => {
      if (status.kind === "disconnected") cut = true;
      if (status.kind === "connected" && cut) this.#recover("the connection was cut");
    });
    this.#release.push(this.#clock.every(1_000, () => this.#check()));
  }

  async read(limits: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#failure !== null) throw this.#failure;
    const payloads = await this.#queue.read(limits);
    if (this.#failure !== null) throw this.#failure;
    if (payloads === null || payloads === "end") return payloads;
    this.#waiting.take(payloads.count, this.#consumer.acks === "explicit", (message) => {
      const { streamSequence: sequence, ordinal, epoch, deliveries } = message;
      if (deliveries > 0) this.#settlement.handOut(ordinal, this.#reader.reply(message));
      this.#position = { sequence, ordinal, epoch };
    });
    this.#records += payloads.count;
    this.#bytes += payloads.bytes.length;
    this.#ask();
    return { payloads, position: this.#position };
  }

  commit(position: unknown): Promise<void> {
    const { ordinal, epoch } = position as JetStreamPosition;
    if (epoch !== this.#epoch) return Promise.resolve();
    const replies = this.#settlement.settle(ordinal);
    const { acks } = this.#consumer;
    if (acks === "none" || replies.length === 0 || this.#options.link.nats.isClosed())
      return Promise.resolve();
    // While the connection is cut an acknowledgement is lost; the next one covers it, or the broker delivers again.
    this.#lastAck = replies.at(-1)!;
    for (const reply of acks === "all" ? [this.#lastAck] : replies)
      this.#options.link.nats.publish(reply, ack);
    for (const [sequence, handedOut] of this.#uncommitted) {
      if (handedOut > ordinal) break;
      this.#uncommitted.delete(sequence);
    }
    return Promise.resolve();
  }

  stats(): SourceStats {
    const dropped: Record<string, number> = this.#oversize > 0 ? { oversize: this.#oversize } : {};
    return {
      records: this.#records,
      bytes: this.#bytes,
      dropped,
      lag: this.#pending + this.#queue.messages,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const release of this.#release) release();
    this.#watching?.unsubscribe();
    this.#pull?.close();
    this.#queue.end();
    const { link, stream, consumer } = this.#options;
    if (!link.connected || link.nats.isClosed()) return;
    // Acknowledgements are on their way; the position should survive an orderly end.
    const parting =
      consumer === undefined && this.#pull !== null
        ? dropConsumer(this.#manager, stream, this.#consumer.name)
        : link.nats.flush().catch(() => {});
    await Promise.race([parting, sleep(this.#clock, limits.nats_close_ms_max)]);
  }

  #start(): void {
    this.#expected = this.#consumer.nextDelivery;
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
    const { streamSequence: sequence } = delivered;
    const explicit = this.#consumer.acks === "explicit";
    if (delivered.deliverySequence !== this.#expected && !explicit) {
      this.#recover(`expected delivery ${this.#expected}, got ${delivered.deliverySequence}`);
      return;
    }
    this.#expected = delivered.deliverySequence + 1;
    this.#pending = delivered.pending;
    if (explicit ? this.#uncommitted.has(sequence) : sequence <= this.#received) {
      // Here already, and not committed: only the newer consumer's reply is of use.
      if (!explicit) this.#settlement.handOut(sequence, this.#reader.reply(delivered));
    } else {
      this.#keep(delivered, bytes, start, end, subject);
    }
    if (this.#pull!.remaining <= this.#requestMax / 2) this.#ask();
  }

  #keep(delivered: Delivered, bytes: Uint8Array, start: number, end: number, subject: string): void {
    const { streamSequence: sequence } = delivered;
    this.#received = Math.max(this.#received, sequence);
    this.#troubles = 0;
    const explicit = this.#consumer.acks === "explicit";
    const ordinal = explicit ? ++this.#ordinal : sequence;
    const records = this.#cut?.(bytes.subarray(start, end)) ?? null;
    const count = records?.count ?? 1;
    const oversize = end - start > limits.payload_bytes_max;
    if (oversize) this.#oversize += count;
    if (oversize || count === 0) {
      // Settled with whatever is committed next; a work queue would hand it out for ever otherwise.
      if (explicit) this.#options.link.nats.publish(this.#reader.reply(delivered), ack);
      return;
    }
    if (explicit) this.#uncommitted.set(sequence, ordinal);
    this.#waiting.add(delivered, ordinal, this.#epoch, count);
    if (records === null) this.#queue.gather(bytes, start, end, subject, delivered.stored);
    else this.#queue.addRecords(records, subject, delivered.stored);
  }

  /** Asks for more when there is room for at least half a request, two requests at most. */
  #ask(): void {
    const pull = this.#pull;
    if (pull === null || this.#recovering || this.#closed || pull.requests >= 2) return;
    const most = this.#requestMax;
    const room = this.#messagesMax - this.#waiting.count - pull.outstanding;
    const bytes = this.#bytesMax - this.#queue.bytes;
    if (pull.outstanding > most / 2 || room < most / 2 || bytes < this.#bytesMax / 2) return;
    // Less than one message of the largest kind would stop the stream at such a message.
    const largest = (this.#options.link.nats.info?.max_payload ?? limits.payload_bytes_max) + 65_536;
    pull.ask(Math.min(most, room), Math.max(largest, Math.floor(bytes / 2)));
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
    this.#ask();
  }

  /** Goes on behind the last committed message with a consumer that has delivered what was received. */
  #recover(reason: string): void {
    if (this.#recovering || this.#closed) return;
    this.#recovering = true;
    this.#pull?.close();
    this.#pull = null;
    this.#resume(reason)
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

  async #resume(reason: string): Promise<void> {
    // Trouble after trouble without a message in between must not become a busy loop.
    if (this.#troubles++ > 0) await sleep(this.#clock, backOff(this.#troubles, Math.random()));
    const before = this.#stream;
    const current = { ...this.#consumer, nextDelivery: this.#expected };
    this.#stream = await waitForStream(this.#asker, this.#manager, this.#options.stream);
    const isNew = this.#stream.created !== before.created;
    const behind = current.acks === "none" ? this.#received : this.#settlement.committed;
    const start = isNew ? this.#stream.state.first_seq : behind + 1;
    this.#consumer = await reopenConsumer(
      this.#asker,
      this.#manager,
      this.#stream,
      this.#spec,
      current,
      start,
    );
    const isSame =
      this.#consumer.name === current.name && this.#consumer.nextDelivery === current.nextDelivery;
    this.#asker.log.info(
      `${this.#asker.name}: ${reason}; ${isSame ? "going on" : "reading again"} behind message ${behind}`,
    );
    if (isSame) this.#repeatAck();
    else if (current.acks !== "explicit") this.#adopt(isNew || this.#consumer.floor < behind);
  }

  #adopt(isNewStream: boolean): void {
    // Replies belong to the consumer that delivered them.
    this.#settlement.forgetReplies();
    this.#lastAck = null;
    this.#waiting.orphan();
    if (!isNewStream) return;
    this.#epoch++;
    this.#beginAt(this.#consumer.floor);
  }

  #beginAt(floor: number): void {
    this.#settlement = new Settlement(this.#consumer.acks === "explicit" ? 0 : floor);
    this.#received = floor;
  }

  /** An acknowledgement may have been lost with the connection. */
  #repeatAck(): void {
    if (this.#lastAck !== null && this.#consumer.acks === "all")
      this.#options.link.nats.publish(this.#lastAck, ack);
  }
}
