// Records from a core NATS subject: one subscription whose callback copies each message straight into a
// bounded queue. Core NATS keeps nothing, so this source is at most once: what the queue cannot hold is
// counted, and a time without connection is said and measured. Never acknowledges and never waits for the reader.

import type { Subscription } from "@nats-io/transport-node";
import type { Subscription as Watching } from "rxjs";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { type Cut, cutOf, type Framing } from "../codec/framing.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import type { NatsLink } from "./nats-connection.ts";
import { type Frame, takeFrames } from "./nats-frames.ts";
import { PayloadQueue, type Overflow } from "./payload-queue.ts";
import { subscribeSubjectFault } from "./subject.ts";
import { SubjectTexts } from "./subject-texts.ts";

export interface NatsSourceOptions {
  readonly link: NatsLink;
  /** Wildcards allowed. */
  readonly subject: string;
  /** Members of one queue group share the messages. */
  readonly queue?: string;
  readonly overflow: Overflow;
  /** How many records a message holds; default: one. */
  readonly framing?: Framing;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
  /** Default: the bounds of `limits`. */
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  /** How long closing may take to receive what the server has sent already; default: `nats_close_ms_max`. */
  readonly close_ms?: number;
}

export function natsSource(options: NatsSourceOptions): Source {
  return new CoreSource(options);
}

class CoreSource implements Source {
  readonly #options: NatsSourceOptions;
  readonly #clock: Clock;
  readonly #queue: PayloadQueue;
  #subscription: Subscription | null = null;
  #watching: Watching | null = null;
  #denied: Error | null = null;
  #closed = false;
  /** Cuts messages into records; null where each is one. */
  readonly #cut: Cut | null;
  #records = 0;
  #bytes = 0;
  #oversize = 0;
  /** When it was last looked at whether there is an overflow. */
  #dropped = 0;
  readonly #texts = new SubjectTexts();
  #lastRead = -1;
  #arrived = 0;
  /** Since when there is no connection; null while there is one. */
  #cutAt: number | null = null;
  /** How long there was none before. */
  #deaf_ms = 0;
  /** Said once for each time of overflow, not for each record. */
  #overflowTold = false;

  constructor(options: NatsSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#cut = cutOf(options.framing ?? "message");
    const { source_queue_messages_max, source_queue_records_max } = limits;
    const most = this.#cut === null ? source_queue_messages_max : source_queue_records_max;
    this.#queue = new PayloadQueue({
      messagesMax: options.messagesMax ?? most,
      bytesMax: options.bytesMax ?? limits.source_queue_bytes_max,
      overflow: options.overflow,
      clock: this.#clock,
    });
  }

  async open(): Promise<void> {
    const { link, subject, log } = this.#options;
    const fault = subscribeSubjectFault(subject);
    if (fault !== null) {
      throw new WeirError("WEIR_CONFIG", `source nats subject ${JSON.stringify(subject)}: ${fault}`, {
        remedy: "Name a subject such as sensors.*.temp or sensors.>.",
      });
    }
    this.#watchLosses();
    this.#subscribe();
    // The round trip makes sure that the server has the subscription, or has refused it.
    await link.nats.flush().catch(() => log.warn(`source ${subject}: will be subscribed on reconnecting`));
    if (this.#denied !== null) {
      throw new WeirError("WEIR_NATS_UNAVAILABLE", `source ${subject}: ${messageOf(this.#denied)}`, {
        remedy: `Give the user of the connection "${link.name}" the permission to subscribe to ${subject}.`,
        cause: this.#denied,
      });
    }
  }

  async read(limits: ReadLimits): Promise<Delivery | null | "end"> {
    const payloads = await this.#queue.read(limits);
    if (payloads === null || payloads === "end") return payloads;
    this.#records += payloads.count;
    this.#bytes += payloads.bytes.length;
    if (this.#queue.messages === 0) this.#overflowTold = false;
    return { payloads, position: null };
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SourceStats {
    const dropped: Record<string, number> = {};
    if (this.#queue.dropped > 0) dropped["overflow"] = this.#queue.dropped;
    if (this.#oversize > 0) dropped["oversize"] = this.#oversize;
    const deaf_ms = this.#deaf_ms + (this.#cutAt === null ? 0 : this.#clock.elapsed() - this.#cutAt);
    return { records: this.#records, bytes: this.#bytes, dropped, lag: this.#queue.messages, deaf_ms };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watching?.unsubscribe();
    const { link, close_ms = limits.nats_close_ms_max } = this.#options;
    if (this.#subscription !== null && !link.nats.isClosed()) {
      // What the server sent before it saw the end of the subscription is received, and can be read.
      const drained = link.connected ? this.#subscription.drain().catch(() => {}) : null;
      if (drained !== null) await Promise.race([drained, sleep(this.#clock, close_ms)]);
      this.#subscription.unsubscribe();
    }
    this.#queue.end();
  }

  #subscribe(attempt = 0): void {
    const { link, subject, queue } = this.#options;
    this.#denied = null;
    const subscription = link.nats.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (fault, message) => {
        if (fault !== null) this.#onDenied(fault, attempt);
        else this.#take(message.data, message.subject, this.#clock.now());
      },
    });
    this.#subscription = subscription;
    takeFrames(link.nats, subscription, {
      take: (frame) => this.#takeFrame(frame),
      settle: () => {
        this.#queue.settle();
        this.#tellOverflow();
      },
    });
  }

  #takeFrame({ bytes, subjectStart, subjectEnd, start, end, read }: Frame): boolean {
    // What was read together arrived together: asking the clock for each message would show.
    if (read !== this.#lastRead) this.#arrived = this.#clock.now();
    this.#lastRead = read;
    const subject = this.#texts.text(bytes, subjectStart, subjectEnd);
    if (this.#cut === null && end - start <= limits.payload_bytes_max)
      this.#queue.gather(bytes, start, end, subject, this.#arrived);
    else this.#take(bytes.subarray(start, end), subject, this.#arrived);
    return true;
  }

  #take(payload: Uint8Array, subject: string, arrived: number): void {
    const records = this.#cut?.(payload, arrived) ?? null;
    if (payload.length > limits.payload_bytes_max) {
      this.#oversize += records?.count ?? 1;
      return;
    }
    if (records === null) this.#queue.add(payload, subject, arrived);
    else this.#queue.addRecords(records, subject, arrived);
    this.#tellOverflow();
  }

  #tellOverflow(): void {
    const { dropped } = this.#queue;
    if (dropped === this.#dropped) return;
    this.#dropped = dropped;
    if (this.#overflowTold) return;
    this.#overflowTold = true;
    const { log, overflow } = this.#options;
    log.warn(
      `source ${this.#options.subject}: the queue is full (${this.#queue.messages} messages, ${this.#queue.bytes} bytes); ${overflow} applies and each drop is counted. With a stream the source could wait instead`,
    );
  }

  /** The server has taken the subscription away: say so, and try again at a distance. */
  #onDenied(fault: Error, attempt: number): void {
    this.#denied = fault;
    if (this.#closed) return;
    const wait = backOff(attempt, Math.random());
    const { log, subject } = this.#options;
    log.warn(`source ${subject}: ${fault.message}; subscribing again in ${wait} ms`);
    this.#clock.after(wait, () => {
      if (!this.#closed && !this.#options.link.nats.isClosed()) this.#subscribe(attempt + 1);
    });
  }

  /** A cut loses what is published meanwhile; nobody else would ever say so. */
  #watchLosses(): void {
    const { link, log, subject } = this.#options;
    this.#watching = link.status.subscribe((status) => {
      if (status.kind === "disconnected") this.#cutAt ??= this.#clock.elapsed();
      if (status.kind !== "connected" || this.#cutAt === null) return;
      const ms = Math.round(this.#clock.elapsed() - this.#cutAt);
      this.#cutAt = null;
      this.#deaf_ms += ms;
      log.warn(`source ${subject}: ${ms} ms without connection; what was published meanwhile is lost`);
    });
  }
}
