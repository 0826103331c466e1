// Pipelined publishes to JetStream: each waits for its acknowledgement, many at a time. Says how each one
// ended; what to do about it is the sink's business. One inbox and one timer for all of them.

import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import type { Subscription as Watching } from "rxjs";
import type { Clock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { NatsLink } from "./nats-connection.ts";
import { type Frame, takeFrames } from "./nats-frames.ts";
import { RowPublisher } from "./row-publisher.ts";

/** `stored`, or why not: `absent` no stream listens, `refused` with the server's words, `lost` no answer came. */
export type Outcome =
  | {
      readonly kind: "stored";
      readonly stream: string;
      readonly sequence: number;
      readonly duplicate: boolean;
    }
  | { readonly kind: "absent" }
  | { readonly kind: "lost" }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string };

/** `of` is what the publisher was given to tell it by. */
interface Sent<T> {
  readonly of: T;
  readonly subject: string;
  readonly deadline: number;
}

interface Answer {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly code?: number; readonly description?: string };
}

const zero = 48;

/** As HTTP says it: the server gives none with what it says of a right that is missing. */
const forbidden = 403;

/** As nearly all answers are: reading them by JSON.parse costs several times as much. */
const plainAnswer = /^\{"stream":"([\w-]+)",\s?"seq":(\d{1,15})\}$/;

/** What an answer to a publish means. */
export function outcomeOf(code: number, text: string): Outcome {
  if (code === 503) return { kind: "absent" };
  const plain = plainAnswer.exec(text);
  if (plain !== null)
    return { kind: "stored", stream: plain[1]!, sequence: Number(plain[2]), duplicate: false };
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    return { kind: "refused", code: 0, reason: "an answer that is not JetStream's" };
  }
  const { error } = answer;
  if (error !== undefined) {
    return {
      kind: "refused",
      code: error.err_code ?? error.code ?? 0,
      reason: error.description ?? "unknown",
    };
  }
  const { stream, seq } = answer;
  if (typeof stream !== "string" || typeof seq !== "number")
    return { kind: "refused", code: 0, reason: "an answer that is not JetStream's" };
  return { kind: "stored", stream, sequence: seq, duplicate: answer.duplicate === true };
}

export class JetStreamPublisher<T> {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #onOutcome: (of: T, outcome: Outcome) => void;
  readonly #inbox: string;
  /** Null where the server ended it: it lets nobody listen. */
  #subscription: Subscription | null;
  readonly #stopTimer: () => void;
  readonly #watching: Watching;
  readonly #publisher: RowPublisher;
  /** By the number at the end of the reply. */
  #sent: Map<number, Sent<T>> = new Map();
  #count = 0;

  constructor(link: NatsLink, clock: Clock, onOutcome: (of: T, outcome: Outcome) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#onOutcome = onOutcome;
    this.#publisher = new RowPublisher(link);
    this.#inbox = createInbox(link.inbox);
    this.#subscription = this.#listen();
    this.#watching = link.refused.subscribe((subject) => this.#refuse(subject));
    this.#stopTimer = clock.every(1_000, () => this.#expire());
  }

  /** Published and not answered. */
  get inFlight(): number {
    return this.#sent.size;
  }

  /** Adds a message, to be published in order by `send`. */
  add(subject: string, headers: string, payload: Uint8Array, of: T): void {
    const number = this.#count++;
    this.#sent.set(number, { of, subject, deadline: this.#clock.elapsed() + limits.nats_request_ms_max });
    this.#publisher.addMessage(subject, headers, payload, `${this.#inbox}.${number}`);
  }

  send(): void {
    // In front of what is to be answered; a right that was taken away may be back.
    this.#subscription ??= this.#listen();
    this.#publisher.send();
  }

  /** Everything in flight is lost, as it is when the connection was cut. */
  loseAll(): void {
    const sent = this.#sent;
    this.#sent = new Map();
    for (const each of sent.values()) this.#onOutcome(each.of, { kind: "lost" });
  }

  close(): void {
    this.#stopTimer();
    this.#watching.unsubscribe();
    this.#sent.clear();
    if (!this.#link.nats.isClosed()) this.#subscription?.unsubscribe();
  }

  /**
   * The server says which subject it does not let through, and answers none of those messages. What was published there before
   * the right was taken away may be stored, as after any refusal: whoever published it has to look.
   */
  #refuse(subject: string): void {
    const refused = [...this.#sent].filter(([, sent]) => sent.subject === subject);
    for (const [number, { of }] of refused) {
      this.#sent.delete(number);
      const reason = `this user may not publish to ${subject}`;
      this.#onOutcome(of, { kind: "refused", code: forbidden, reason });
    }
  }

  #listen(): Subscription {
    const { nats } = this.#link;
    const subscription = nats.subscribe(`${this.#inbox}.*`, {
      callback: (fault, message) => {
        if (fault === null) return this.#take(message);
        // The client has ended it. Nothing that was published before is answered.
        this.#subscription = null;
        this.loseAll();
      },
    });
    takeFrames(nats, subscription, { take: (frame) => this.#takeFrame(frame) });
    return subscription;
  }

  /** An answer without a status, as nearly all are. */
  #takeFrame({ bytes, subjectStart, subjectEnd, start, end }: Frame): boolean {
    if (start === end) return false;
    let number = 0;
    for (let at = subjectStart + this.#inbox.length + 1; at < subjectEnd; at++)
      number = number * 10 + bytes[at]! - zero;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    this.#answer(number, 0, text);
    return true;
  }

  #take(message: Msg): void {
    const number = Number(message.subject.slice(this.#inbox.length + 1));
    this.#answer(number, message.headers?.code ?? 0, message.string());
  }

  #answer(number: number, code: number, text: string): void {
    const sent = this.#sent.get(number);
    // An answer to a publish that was given up is late; whoever asked has taken care of that.
    if (sent === undefined) return;
    this.#sent.delete(number);
    this.#onOutcome(sent.of, outcomeOf(code, text));
  }

  #expire(): void {
    const now = this.#clock.elapsed();
    for (const [number, { of, deadline }] of this.#sent) {
      // In the order of publishing, so the first that is not due ends it.
      if (deadline > now) break;
      this.#sent.delete(number);
      this.#onOutcome(of, { kind: "lost" });
    }
  }
}
