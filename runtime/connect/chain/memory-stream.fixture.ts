// A stream in memory for tests of the chains, with the faults of a network and a server in it: requests and answers that are
// lost, publishes that arrive long after they were given up, a store that loses its end. Both orders of the server's checks.

import { setImmediate } from "node:timers/promises";
import type { Answer, Publication, StoredMessage, StreamFacts, StreamPort } from "./stream-port.ts";

export interface Faults {
  /** Chances, each in [0, 1]. */
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly delayed: number;
}

export const noFaults: Faults = { lostRequest: 0, lostAnswer: 0, delayed: 0 };

const lower = (headers: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** The server's side. */
export class MemoryStream {
  created: string = "1";
  retention: StreamFacts["retention"] = "limits";
  replicas: number = 1;
  /** The server compares sequences before it looks for duplicates, as it does from 2.12 on. */
  comparesFirst: boolean = false;
  keepsLastOfSubject: boolean = false;
  last: number = 0;
  readonly messages: Map<number, StoredMessage> = new Map();
  #ids: Map<string, number> = new Map();
  /** Of what was stored last, though it may be removed since. */
  #lastId = "";

  store({ subject, payload, headers: given }: Publication): Answer {
    const headers = lower(given);
    const known = this.#ids.get(headers.get("nats-msg-id") ?? "");
    const expected = headers.get("nats-expected-last-sequence");
    const ofSubject = headers.get("nats-expected-last-subject-sequence");
    const before = headers.get("nats-expected-last-msg-id");
    const isOther = before !== undefined && before !== this.#lastId;
    const wrong =
      (expected !== undefined && Number(expected) !== this.last) ||
      (ofSubject !== undefined && Number(ofSubject) !== (this.lastOf(subject)?.sequence ?? 0));
    const refusal: Answer | null = wrong
      ? { kind: "refused", code: 10_071, reason: `wrong last sequence: ${this.last}` }
      : isOther
        ? { kind: "refused", code: 10_070, reason: `wrong last msg ID: ${this.#lastId}` }
        : null;
    if (refusal !== null && this.comparesFirst) return refusal;
    if (known !== undefined) return { kind: "stored", sequence: known, duplicate: true };
    if (refusal !== null) return refusal;
    const sequence = ++this.last;
    const replaced = this.keepsLastOfSubject ? this.lastOf(subject) : null;
    if (replaced !== null) this.messages.delete(replaced.sequence);
    this.messages.set(sequence, { sequence, subject, payload, headers });
    const id = headers.get("nats-msg-id");
    if (id !== undefined) this.#ids.set(id, sequence);
    this.#lastId = id ?? "";
    return { kind: "stored", sequence, duplicate: false };
  }

  lastOf(subject: string): StoredMessage | null {
    const found = [...this.messages.values()].filter((message) => message.subject === subject);
    return found.at(-1) ?? null;
  }

  /** The duplicate window is over. */
  forgetIds(): void {
    this.#ids = new Map();
    this.#lastId = "";
  }

  /** Called when the server was started anew. */
  readonly cuts: Set<() => void> = new Set();

  /** A power cut: the last `count` messages were never written. Ids are those of what is left. */
  loseEnd(count: number): void {
    for (let n = 0; n < count && this.last > 0; n++) this.messages.delete(this.last--);
    this.#lastId = this.messages.get(this.last)?.headers.get("nats-msg-id") ?? "";
    for (const [id, sequence] of this.#ids) if (sequence > this.last) this.#ids.delete(id);
    for (const cut of this.cuts) cut();
  }

  /** All is gone, and the last number stays. */
  purge(): void {
    this.messages.clear();
  }

  payloads(): string[] {
    return [...this.messages.values()].map(({ payload }) => Buffer.from(payload).toString());
  }

  get first(): number {
    return this.messages.keys().next().value ?? this.last + 1;
  }
}

/** A client's side. Several may look at one stream. */
export class MemoryStreamPort implements StreamPort {
  readonly name: string = "MODEL";
  readonly stream: MemoryStream;
  readonly #random: () => number;
  #faults: Faults;
  /** Publishes that were given up and are still on their way. */
  readonly delayed: Publication[];
  #cut: () => void = () => {};
  #closed = false;

  constructor(
    stream: MemoryStream,
    faults: Faults = noFaults,
    random: () => number = () => 1,
    delayed: Publication[] = [],
  ) {
    this.stream = stream;
    this.#faults = faults;
    this.#random = random;
    this.delayed = delayed;
  }

  watch(cut: () => void): void {
    this.#cut = cut;
    this.stream.cuts.add(cut);
  }

  publish(publication: Publication, answered: (answer: Answer) => void): void {
    const chance = (of: number): boolean => this.#random() < of;
    const { lostRequest, lostAnswer, delayed } = this.#faults;
    let answer: Answer;
    if (chance(lostRequest)) answer = { kind: "lost" };
    else if (chance(delayed)) {
      this.delayed.push(publication);
      answer = { kind: "lost" };
    } else {
      const stored = this.stream.store(publication);
      answer = chance(lostAnswer) ? { kind: "lost" } : stored;
    }
    this.#arrive(chance(delayed));
    void setImmediate().then(() => {
      if (!this.#closed) answered(answer);
    });
  }

  async facts(): Promise<StreamFacts> {
    await setImmediate();
    this.#check();
    const { created, last, first, retention, replicas } = this.stream;
    return { created, last, first, retention, replicas };
  }

  async read(sequence: number): Promise<StoredMessage | null> {
    await setImmediate();
    this.#check();
    const message = this.stream.messages.get(sequence) ?? null;
    // Between the answer and what is done with it, what was delayed may still arrive.
    this.#arrive(this.#random() < this.#faults.delayed);
    return message;
  }

  async readLast(subject: string): Promise<StoredMessage | null> {
    await setImmediate();
    this.#check();
    const message = this.stream.lastOf(subject);
    this.#arrive(this.#random() < this.#faults.delayed);
    return message;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.stream.cuts.delete(this.#cut);
    return Promise.resolve();
  }

  /** Something that was delayed reaches the server now. */
  #arrive(now: boolean): void {
    if (!now || this.delayed.length === 0) return;
    const [publication] = this.delayed.splice(Math.floor(this.#random() * this.delayed.length), 1);
    if (publication !== undefined) this.stream.store(publication);
  }

  #check(): void {
    if (this.#closed) throw new Error("closed");
  }
}
