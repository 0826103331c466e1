// What one JetStream stream does, as nats-server 2.9.10 does it: sequences, limits, the memory of message ids with its
// gaps, the checks of a publish and their order. Data and rules only: no time of its own, no network, no faults. A suite
// holds it to the real server.

import type { Answer, Publication, StoredMessage, StreamFacts } from "../../connect/chain/stream-port.ts";
import { includes } from "../../connect/subject.ts";

export interface StreamModelConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: StreamFacts["retention"];
  readonly discard: "old" | "new";
  /** 0 for no limit, as in all that follow. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxPerSubject: number;
  readonly maxAge_ms: number;
  readonly maxMessageBytes: number;
  /** How long message ids are remembered. */
  readonly duplicateWindow_ms: number;
  /** Servers up to 2.11 look for a duplicate first, those from 2.12 compare sequences first. */
  readonly checks: "duplicate_first" | "sequence_first";
}

export const plainStream: Omit<StreamModelConfig, "name" | "subjects"> = {
  retention: "limits",
  discard: "old",
  maxMessages: 0,
  maxBytes: 0,
  maxPerSubject: 0,
  maxAge_ms: 0,
  maxMessageBytes: 0,
  duplicateWindow_ms: 120_000,
  checks: "duplicate_first",
};

export interface KeptMessage extends StoredMessage {
  readonly stored_ms: number;
  readonly size: number;
}

interface KnownId {
  readonly sequence: number;
  readonly stored_ms: number;
}

export type DefiniteAnswer = Exclude<Answer, { kind: "lost" } | { kind: "absent" }>;

export const wrongLastSequence = 10_071;
const wrongLastId = 10_070;
const otherStream = 10_060;
const messageTooLarge = 10_054;
const storeFailed = 10_077;

/** The bytes of a message's headers; a chain's port writes the block where it has none, too. */
function headerBytes({ headers }: Publication): number {
  let bytes = "NATS/1.0\r\n\r\n".length;
  for (const [name, value] of Object.entries(headers)) bytes += `${name}: ${value}\r\n`.length;
  return bytes;
}

/** What a message takes in a file store. */
function sizeOf(publication: Publication): number {
  return 34 + publication.subject.length + headerBytes(publication) + publication.payload.length;
}

export class StreamModel {
  readonly config: StreamModelConfig;
  readonly created: string;
  /** In the order of their sequences. */
  readonly #messages = new Map<number, KeptMessage>();
  readonly #ids = new Map<string, KnownId>();
  /** By subject. 2.9.10 does not look for the last but one when the last was removed, until it starts anew. */
  readonly #lastOf = new Map<string, number>();
  #lastId = "";
  #last = 0;
  #bytes = 0;
  #stored_ms = 0;
  /** What the first message has as its sequence where there is none. */
  #floor = 0;
  /** False from a restart until somebody asks for an id: what is removed before is not remembered. */
  #idsKnown = true;
  /** False from a restart that did not find the last message until there is another: no id is found then. */
  #lastFound = true;

  constructor(config: StreamModelConfig, created: string) {
    this.config = config;
    this.created = created;
  }

  takes(subject: string): boolean {
    return this.config.subjects.some((pattern) => includes(pattern, subject));
  }

  publish(publication: Publication, now: number): DefiniteAnswer {
    const headers = new Map(
      Object.entries(publication.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const refusal = this.#refusal(publication, headers, now);
    if (refusal !== null) return refusal;
    const sequence = ++this.#last;
    // No two messages have the same time, as there are nanoseconds.
    const stored_ms = (this.#stored_ms = Math.max(now, this.#stored_ms + 1e-6));
    const size = sizeOf(publication);
    const { subject, payload } = publication;
    this.#messages.set(sequence, { sequence, subject, payload, headers, stored_ms, size });
    this.#bytes += size;
    this.#lastOf.set(subject, sequence);
    this.#lastFound = true;
    this.#remember(headers.get("nats-msg-id"), sequence, stored_ms);
    this.#keepLimits(subject);
    return { kind: "stored", sequence, duplicate: false };
  }

  facts(): StreamFacts {
    return {
      created: this.created,
      first: this.#first(),
      last: this.#last,
      retention: this.config.retention,
      replicas: 1,
    };
  }

  read(sequence: number): KeptMessage | null {
    return this.#messages.get(sequence) ?? null;
  }

  readLast(subject: string): KeptMessage | null {
    let last = 0;
    if (!/[*>]/.test(subject)) last = this.#lastOf.get(subject) ?? 0;
    else
      for (const [each, sequence] of this.#lastOf)
        if (includes(subject, each)) last = Math.max(last, sequence);
    return this.read(last);
  }

  /** All that it holds, in order. */
  get messages(): Iterable<KeptMessage> {
    return this.#messages.values();
  }

  get count(): number {
    return this.#messages.size;
  }

  /** Removes one message, as its acknowledgement does in a work queue. */
  remove(sequence: number): boolean {
    const message = this.#messages.get(sequence);
    if (message === undefined) return false;
    this.#messages.delete(sequence);
    this.#bytes -= message.size;
    return true;
  }

  /** Removes everything. Sequences go on, and ids are remembered. */
  purge(): void {
    for (const sequence of this.#messages.keys()) this.remove(sequence);
    this.#floor = 1;
  }

  /** Time passes: ids are forgotten and old messages go. */
  expire(now: number): void {
    for (const [id, { stored_ms }] of this.#ids) {
      if (now - stored_ms < this.config.duplicateWindow_ms) break;
      this.#ids.delete(id);
    }
    if (this.config.maxAge_ms === 0) return;
    for (const { sequence, stored_ms } of this.#messages.values()) {
      if (now - stored_ms < this.config.maxAge_ms) break;
      this.remove(sequence);
    }
  }

  /** The server was killed and is there again: ids are those of messages that the stream still holds. */
  restart(): void {
    this.#ids.clear();
    this.#lastId = "";
    this.#idsKnown = false;
    this.#lastFound = this.#messages.has(this.#last);
    this.#lastOf.clear();
    for (const { sequence, subject } of this.#messages.values()) this.#lastOf.set(subject, sequence);
  }

  /** The machine lost its power: what is behind `kept` had not reached the disk. */
  loseTail(kept: number): number {
    let lost = 0;
    for (const sequence of this.#messages.keys()) if (sequence > kept && this.remove(sequence)) lost++;
    this.#last = Math.min(this.#last, kept);
    this.restart();
    return lost;
  }

  #learnIds(now: number): void {
    this.#idsKnown = true;
    if (!this.#lastFound) return;
    for (const { sequence, stored_ms, headers } of this.#messages.values()) {
      if (now - stored_ms <= this.config.duplicateWindow_ms)
        this.#remember(headers.get("nats-msg-id"), sequence, stored_ms);
    }
  }

  #refusal(
    publication: Publication,
    headers: ReadonlyMap<string, string>,
    now: number,
  ): DefiniteAnswer | null {
    this.expire(now);
    if (!this.#idsKnown && (headers.has("nats-msg-id") || headers.has("nats-expected-last-msg-id")))
      this.#learnIds(now);
    const expected = headers.get("nats-expected-stream");
    if (expected !== undefined && expected !== this.config.name)
      return { kind: "refused", code: otherStream, reason: "expected stream does not match" };
    const duplicate = this.#duplicate(headers);
    const disorder = this.#disorder(publication.subject, headers);
    const first = this.config.checks === "duplicate_first" ? duplicate : disorder;
    return first ?? duplicate ?? disorder ?? this.#unfit(publication);
  }

  #duplicate(headers: ReadonlyMap<string, string>): DefiniteAnswer | null {
    const known = this.#ids.get(headers.get("nats-msg-id") ?? "");
    return known === undefined ? null : { kind: "stored", sequence: known.sequence, duplicate: true };
  }

  #disorder(subject: string, headers: ReadonlyMap<string, string>): DefiniteAnswer | null {
    const wrong = (last: number): DefiniteAnswer => ({
      kind: "refused",
      code: wrongLastSequence,
      reason: `wrong last sequence: ${last}`,
    });
    const ofSubject = headers.get("nats-expected-last-subject-sequence");
    if (ofSubject !== undefined) {
      const last = this.readLast(subject)?.sequence ?? 0;
      if (last !== Number(ofSubject)) return wrong(last);
    }
    const ofStream = headers.get("nats-expected-last-sequence");
    if (ofStream !== undefined && ofStream !== "" && Number(ofStream) !== this.#last)
      return wrong(this.#last);
    const id = headers.get("nats-expected-last-msg-id");
    if (id !== undefined && id !== this.#lastId)
      return { kind: "refused", code: wrongLastId, reason: `wrong last msg ID: ${this.#lastId}` };
    return null;
  }

  #unfit(publication: Publication): DefiniteAnswer | null {
    const { maxMessageBytes, discard, maxMessages, maxBytes, maxPerSubject } = this.config;
    const size = headerBytes(publication) + publication.payload.length;
    if (maxMessageBytes > 0 && size > maxMessageBytes)
      return { kind: "refused", code: messageTooLarge, reason: "message size exceeds maximum allowed" };
    if (discard === "old") return null;
    const replaces = maxPerSubject > 0 && this.#ofSubject(publication.subject).length >= maxPerSubject;
    if (maxMessages > 0 && this.#messages.size >= maxMessages && !replaces)
      return { kind: "refused", code: storeFailed, reason: "maximum messages exceeded" };
    if (maxBytes > 0 && this.#bytes + size > maxBytes && !replaces)
      return { kind: "refused", code: storeFailed, reason: "maximum bytes exceeded" };
    return null;
  }

  #remember(id: string | undefined, sequence: number, stored_ms: number): void {
    this.#lastId = id ?? "";
    if (id !== undefined && id !== "") this.#ids.set(id, { sequence, stored_ms });
  }

  #keepLimits(subject: string): void {
    const { maxMessages, maxBytes, maxPerSubject } = this.config;
    if (maxPerSubject > 0) {
      const all = this.#ofSubject(subject);
      for (const sequence of all.slice(0, Math.max(0, all.length - maxPerSubject))) this.remove(sequence);
    }
    const isOver = (): boolean =>
      (maxMessages > 0 && this.#messages.size > maxMessages) || (maxBytes > 0 && this.#bytes > maxBytes);
    while (isOver() && this.remove(this.#first()));
  }

  #ofSubject(subject: string): number[] {
    return [...this.#messages.values()]
      .filter((each) => each.subject === subject)
      .map(({ sequence }) => sequence);
  }

  #first(): number {
    for (const sequence of this.#messages.keys()) return sequence;
    return this.#last === 0 ? this.#floor : this.#last + 1;
  }
}
