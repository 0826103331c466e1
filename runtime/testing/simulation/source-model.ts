// A source on the model of a stream: reads behind a position, and decides as the real one does where to go on when the
// stream is not what it was. Waits longer than it is asked to where nothing comes, so that idle time costs few events.

import { PayloadBuilder } from "../../batch/payloads.ts";
import { type Cut, cutOf } from "../../codec/framing.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "../../connect/connect.ts";
import { resumeStream, type StreamFacts, type StreamPlace } from "../../connect/stream-resume.ts";
import type { Plain } from "../../state/plain.ts";
import type { LinkModel } from "./link-model.ts";
import { epoch_ms } from "./life.ts";
import type { Random } from "./random.ts";
import type { KeptMessage, StreamModel } from "./stream-model.ts";

/** A place with the time of the last message that was read, which tells it from others that got its number later. */
interface ReadPlace extends StreamPlace {
  readonly stored_ms: number;
  /** That message is the one at the place. */
  readonly exact: boolean;
}

export interface SourceModelOptions {
  readonly stream: string;
  readonly link: LinkModel;
  readonly random: Random;
  /** The longest wait for a message. */
  readonly patience_ms: number;
  /** Decides where to go on; another one than the real where a mistake is tried on purpose. */
  readonly resume?: typeof resumeStream;
  /** Told of what is acknowledged. */
  readonly committed?: (position: Plain) => void;
  /** Messages are those of lanes. */
  readonly unpacks: boolean;
}

export class SourceModel implements Source {
  readonly #options: SourceModelOptions;
  readonly #builder = new PayloadBuilder(256, 65_536);
  readonly #cut: Cut | null;
  readonly #dropped: Record<string, number> = {};
  #place: ReadPlace | null = null;
  /** The first message to read. */
  #next = 1;
  #generation = -1;
  #records = 0;

  constructor(options: SourceModelOptions) {
    this.#options = options;
    this.#cut = cutOf(options.unpacks ? "lane" : "message");
  }

  async open(resume?: Plain | null): Promise<void> {
    this.#place = resume === null || resume === undefined ? null : placeOf(resume);
    await this.#settle();
  }

  async read({ wait_ms }: ReadLimits): Promise<Delivery | null | "end"> {
    const { link, random, patience_ms } = this.#options;
    if (this.#isStale()) await this.#settle();
    const messages = await this.#fetch(random.between(1, 24));
    if (messages === null) return null;
    if (messages.length === 0) {
      await this.#wait(wait_ms + random.next() * patience_ms);
      return null;
    }
    this.#builder.reset();
    for (const { payload, subject, stored_ms } of messages) this.#add(payload, subject, epoch_ms + stored_ms);
    const last = messages.at(-1);
    const place = this.#place;
    if (last === undefined || place === null || !link.life.alive) return null;
    this.#place = { ...place, sequence: last.sequence, stored_ms: last.stored_ms, exact: true };
    this.#next = last.sequence + 1;
    this.#records += messages.length;
    return { payloads: this.#builder.view(), position: { ...this.#place } };
  }

  /** Behind a cut, and where the numbers mean something else by now, nothing is acknowledged. */
  commit(position: unknown): Promise<void> {
    const place = placeOf(position as Plain);
    const isSame = place.incarnation === this.#place?.incarnation && place.created === this.#place.created;
    if (isSame && !this.#isStale() && this.#options.link.wire.open)
      this.#options.committed?.(position as Plain);
    return Promise.resolve();
  }

  stats(): SourceStats {
    return { records: this.#records, bytes: 0, dropped: this.#dropped, lag: null };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** As many records as the message holds. */
  #add(payload: Uint8Array, subject: string, arrived: number): void {
    const records = this.#cut?.(payload, arrived) ?? null;
    if (records === null) this.#builder.add(payload, subject, arrived);
    else
      for (let place = 0; place < records.count; place++)
        this.#builder.add(
          records.bytes.subarray(records.starts[place], records.ends[place]),
          subject,
          arrived,
        );
  }

  get #stream(): StreamModel | null {
    return this.#options.link.wire.server.stream(this.#options.stream);
  }

  /** The stream may not be what it was: the connection was lost, or another stream has the name. */
  #isStale(): boolean {
    return (
      this.#generation !== this.#options.link.wire.generation ||
      this.#stream?.created !== this.#place?.created
    );
  }

  /** Looks where to go on. */
  async #settle(): Promise<void> {
    const { link, resume = resumeStream } = this.#options;
    const { generation } = link.wire;
    const facts = await link.ask("source facts", () => factsFor(this.#stream, this.#place));
    this.#generation = generation;
    const place = this.#place ?? {
      created: facts.created,
      incarnation: 1,
      sequence: 0,
      stored_ms: 0,
      exact: false,
    };
    const { start, incarnation, events } = resume(place, facts);
    for (const event of events) {
      const count = "records" in event ? event.records : 1;
      this.#dropped[event.kind] = (this.#dropped[event.kind] ?? 0) + count;
      link.life.scheduler.note(`source ${event.kind}`, count);
    }
    this.#next = start;
    // What was read before another incarnation is no place in it.
    if (incarnation !== place.incarnation)
      this.#place = { ...place, created: facts.created, incarnation, sequence: start - 1, exact: false };
    else this.#place = { ...place, created: facts.created };
  }

  /**
   * Null where it has to look first where to go on. Of a connection that was lost while it asked, the real source asks nothing
   * again: on the next one it begins with that look.
   */
  #fetch(most: number): Promise<readonly KeptMessage[] | null> {
    return this.#options.link.ask("fetch", () => {
      const stream = this.#stream;
      if (stream === null || this.#isStale()) return null;
      const { first, last } = stream.facts();
      const found: KeptMessage[] = [];
      if (first > this.#next) {
        this.#dropped["gap"] = (this.#dropped["gap"] ?? 0) + first - this.#next;
        this.#next = first;
      }
      for (let at = Math.max(first, this.#next); at <= last && found.length < most; at++) {
        const message = stream.read(at);
        if (message !== null) found.push(message);
      }
      return found;
    });
  }

  /** Until a message may be there, or for a while. */
  #wait(ms: number): Promise<void> {
    const { life, wire } = this.#options.link;
    return new Promise((resolve) => {
      const go = (): void => {
        unwatch();
        cancel();
        resolve();
      };
      const cancel = life.after(ms, go);
      const unwatch = wire.server.watchStored(() =>
        life.scheduler.after(1, "stored", () => life.alive && go()),
      );
      life.onEnd(unwatch);
    });
  }
}

/** What the real source learns of a stream by asking for its messages' times. */
function factsFor(stream: StreamModel | null, place: ReadPlace | null): StreamFacts {
  if (stream === null) return { created: "", first: 1, last: 0, reused: null };
  const { created, last } = stream.facts();
  const first = Math.max(1, stream.facts().first);
  const facts: StreamFacts = { created, first, last, reused: null };
  if (place === null || created !== place.created || place.stored_ms === 0) return facts;
  if (place.sequence <= last && place.sequence < first) return facts;
  const there = stream.read(place.sequence);
  const order = there === null ? 0 : there.stored_ms - place.stored_ms;
  if (place.sequence <= last && (order === 0 || (order < 0 && !place.exact))) return facts;
  for (const { sequence, stored_ms } of stream.messages)
    if (stored_ms > place.stored_ms) return { ...facts, reused: Math.min(sequence, place.sequence) };
  return place.sequence > last ? facts : { ...facts, reused: place.sequence };
}

function placeOf(position: Plain): ReadPlace {
  return position as unknown as ReadPlace;
}
