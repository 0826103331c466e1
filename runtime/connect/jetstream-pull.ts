// Pull requests to one JetStream consumer: how many messages are asked for and not here yet, what the
// server's status answers mean, and when a request was lost. Never decides how much room there is.

import type { Msg, Subscription } from "@nats-io/transport-node";
import { createInbox, nanos } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { Delivered, DeliveredReader } from "./jetstream-delivered.ts";
import type { NatsLink } from "./nats-connection.ts";
import { type Frame, takeFrames } from "./nats-frames.ts";
import { SubjectTexts } from "./subject-texts.ts";

/** What becomes of a request when the server answers it with a status instead of messages. */
export type Verdict = "again" | "later" | "gone";

/** `again`: it is over, ask anew. `later`: JetStream is busy or away. `gone`: the consumer does not exist any more. */
export function verdictOf(code: number, description: string): Verdict {
  if (code === 404 || code === 408) return "again";
  // Nobody listens any more: the consumer is gone, or JetStream is.
  if (code === 503) return "gone";
  if (code === 409) {
    if (/deleted|not found/i.test(description)) return "gone";
    return /maxbytes/i.test(description) ? "again" : "later";
  }
  return "later";
}

export interface PullEvents {
  /** `delivered` says which message of the stream it is, `bytes[start … end)` what; both are valid during the call. */
  onMessage(delivered: Delivered, bytes: Uint8Array, start: number, end: number, subject: string): void;
  /** The bytes of messages so far are about to change. */
  onSettle(): void;
  /** A request is over or was lost. */
  onVerdict(verdict: Verdict, reason: string): void;
}

interface Request {
  readonly subject: string;
  remaining: number;
  /** From here on it does not count: its successor should be there before it ends. */
  readonly renewal: number;
  /** By now the server has ended it, whether or not it said so. */
  readonly deadline: number;
}

export class Pull {
  readonly #link: NatsLink;
  readonly #subject: string;
  readonly #inbox: string;
  readonly #clock: Clock;
  readonly #events: PullEvents;
  readonly #subscription: Subscription;
  readonly #reader: DeliveredReader;
  readonly #texts = new SubjectTexts();
  #requests: Request[] = [];
  #remaining = 0;
  #asked = 0;

  constructor(options: {
    readonly link: NatsLink;
    readonly apiPrefix: string;
    readonly stream: string;
    readonly consumer: string;
    readonly clock: Clock;
    readonly reader: DeliveredReader;
    readonly events: PullEvents;
  }) {
    this.#link = options.link;
    this.#subject = `${options.apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#reader = options.reader;
    this.#inbox = createInbox(options.link.inbox);
    this.#subscription = options.link.nats.subscribe(`${this.#inbox}.*`, {
      callback: (fault, message) => {
        if (fault === null) this.#take(message);
        else this.#events.onVerdict("gone", fault.message);
      },
    });
    takeFrames(options.link.nats, this.#subscription, {
      take: (frame) => this.#takeFrame(frame),
      settle: () => this.#events.onSettle(),
    });
  }

  /** Messages asked for and not here yet, but for requests that are about to end. */
  get outstanding(): number {
    let total = 0;
    for (const request of this.#lasting()) total += request.remaining;
    return total;
  }

  /** Messages asked for and not here yet; a number that costs nothing to know. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Requests that are not about to end. */
  get requests(): number {
    return this.#lasting().length;
  }

  /** Asks for up to `batch` messages of up to `bytes` together. */
  ask(batch: number, bytes: number): void {
    // Less than one message of the largest kind would stop the stream at such a message.
    const largest = (this.#link.nats.info?.max_payload ?? limits.payload_bytes_max) + 65_536;
    const subject = `${this.#inbox}.${++this.#asked}`;
    const expires = limits.jetstream_pull_expires_ms;
    const end = this.#clock.elapsed() + expires;
    this.#requests.push({
      subject,
      remaining: batch,
      renewal: end - limits.jetstream_pull_renewal_ms,
      deadline: end + limits.jetstream_pull_grace_ms,
    });
    const text = JSON.stringify({ batch, max_bytes: Math.max(largest, bytes), expires: nanos(expires) });
    this.#link.nats.publish(this.#subject, text, { reply: subject });
    this.#remaining += batch;
  }

  /**
   * Forgets requests that must have ended. nats-server 2.9.10 now and then ends one without a word, and says nothing at all
   * to one for a consumer that it does not have: whoever reads has to look which it was.
   */
  expire(): void {
    const now = this.#clock.elapsed();
    const live = this.#requests.filter((request) => request.deadline > now);
    if (live.length === this.#requests.length) return;
    this.#keep(live);
    this.#events.onVerdict("gone", "the server did not answer");
  }

  #lasting(): readonly Request[] {
    const now = this.#clock.elapsed();
    return this.#requests.filter((request) => request.renewal > now);
  }

  /** Takes nothing more; the server drops requests that nobody listens to. */
  close(): void {
    this.#keep([]);
    if (!this.#link.nats.isClosed()) this.#subscription.unsubscribe();
  }

  #keep(requests: Request[]): void {
    this.#requests = requests;
    this.#remaining = requests.reduce((total, { remaining }) => total + remaining, 0);
  }

  #takeFrame({ bytes, replyStart, replyEnd, subjectStart, subjectEnd, start, end }: Frame): boolean {
    if (!this.#reader.read(bytes, replyStart, replyEnd)) return false;
    this.#deliver(bytes, start, end, this.#texts.text(bytes, subjectStart, subjectEnd));
    return true;
  }

  /** Hands on the message whose reply was read last. */
  #deliver(bytes: Uint8Array, start: number, end: number, subject: string): void {
    const oldest = this.#requests[0];
    if (oldest !== undefined) {
      this.#remaining--;
      if (--oldest.remaining <= 0) this.#requests.shift();
    }
    this.#events.onMessage(this.#reader.delivered, bytes, start, end, subject);
  }

  #take(message: Msg): void {
    const reply = Buffer.from(message.reply ?? "");
    if (this.#reader.read(reply, 0, reply.length)) {
      this.#deliver(message.data, 0, message.data.length, message.subject);
      return this.#events.onSettle();
    }
    const code = message.headers?.code ?? 0;
    // 100 is a heartbeat or flow control: a sign of life, not an answer.
    if (code === 0 || code === 100) return;
    this.#keep(this.#requests.filter((request) => request.subject !== message.subject));
    const reason = `${code} ${message.headers?.description ?? ""}`.trimEnd();
    this.#events.onVerdict(verdictOf(code, reason), reason);
  }
}
