// A reference table in a NATS key-value bucket: all entries at first, then every change, taken together with
// its neighbours. What the server cannot answer just now is asked again for ever; a bucket that is missing or
// too large is content that cannot be read. A watch is not told of entries that expire or are purged, nor that
// the bucket was made anew: so the bucket itself is looked at now and then.

import { JetStreamApiCodes } from "@nats-io/jetstream";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import { type Clock, sleep } from "../clock.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { isCode } from "./jetstream-requests.ts";
import { bucketsOf } from "./key-value.ts";
import type { NatsLink } from "./nats-connection.ts";
import type { ReferenceWatch } from "./reference.ts";

export interface BucketReferenceOptions {
  readonly link: NatsLink;
  readonly bucket: string;
  /** What messages call the table. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: ConnectorLog;
}

export function bucketReference(options: BucketReferenceOptions): ReferenceWatch {
  return new BucketWatch(options);
}

/** What somebody has to mend. */
class BucketFault extends Error {
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.name = "BucketFault";
    this.remedy = remedy;
  }
}

interface BucketState {
  readonly created: string;
  readonly messages: number;
  /** Distinct keys, those deleted included. */
  readonly keys: number;
}

/** The consumer of a watch, which the client keeps in it and, once it is stopped, leaves to the server for five minutes. */
function consumerOf(watch: object): { delete(): Promise<unknown> } | undefined {
  return (watch as { readonly _data?: { delete(): Promise<unknown> } })._data;
}

class BucketWatch implements ReferenceWatch {
  readonly #options: BucketReferenceOptions;
  readonly #first = Promise.withResolvers<ReferenceContent>();
  #listener: ((content: ReferenceContent) => void) | null = null;
  /** What came since the first content, while nobody listened. */
  #unheard: ReferenceContent | null = null;
  #loaded = false;
  /** In the order of their latest change; null for one that was deleted. */
  readonly #entries = new Map<string, Uint8Array | null>();
  #bytes = 0;
  /** True once all that the bucket held at first has come. */
  #complete = false;
  #cancel: (() => void) | null = null;
  #stop: () => void = () => undefined;
  /** Has the server forget what the present watch made there. */
  #forget: () => Promise<unknown> = () => Promise.resolve();
  #closed = false;

  constructor(options: BucketReferenceOptions) {
    this.#options = options;
  }

  load(): Promise<ReferenceContent> {
    void this.#run();
    // Whoever waits for it is told; afterwards nobody needs to be.
    this.#first.promise.catch(() => undefined);
    return this.#first.promise;
  }

  watch(changed: (content: ReferenceContent) => void): void {
    this.#listener = changed;
    if (this.#unheard !== null) changed(this.#unheard);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#first.reject(
      new WeirError("WEIR_NATS_UNAVAILABLE", `table ${this.#options.name}: stopped before it was read`),
    );
    this.#cancel?.();
    this.#stop();
    const { link, clock } = this.#options;
    if (!link.connected || link.nats.isClosed()) return;
    await Promise.race([this.#forget(), sleep(clock, limits.nats_close_ms_max)]);
  }

  #deliver(content: ReferenceContent): void {
    if (this.#listener !== null) this.#listener(content);
    else if (this.#loaded) this.#unheard = content;
    this.#loaded = true;
    this.#first.resolve(content);
  }

  /** Follows the bucket, again and again: it may be deleted and made anew. */
  async #run(): Promise<void> {
    const { name, clock, log } = this.#options;
    let told = "";
    for (let attempt = 0; !this.#closed; attempt++) {
      let why = "its watch has ended";
      try {
        await this.#follow();
      } catch (fault) {
        why = messageOf(fault);
        if (fault instanceof BucketFault && why !== told && !this.#closed)
          this.#deliver({ kind: "unreadable", message: why, remedy: fault.remedy });
        else if (why !== told && !this.#closed) log.warn(`table ${name}: ${why}; trying again for ever`);
      }
      if (this.#complete) attempt = 0;
      told = this.#complete ? "" : why;
      if (this.#closed) return;
      await sleep(clock, backOff(attempt, Math.random()));
    }
  }

  async #follow(): Promise<void> {
    const { link, bucket, clock } = this.#options;
    this.#entries.clear();
    this.#bytes = 0;
    this.#complete = false;
    const store = await bucketsOf(link).open(bucket);
    const held = await this.#state(store);
    const watch = await store.watch();
    this.#stop = () => watch.stop();
    this.#forget = () =>
      consumerOf(watch)
        ?.delete()
        .catch(() => undefined) ?? Promise.resolve();
    if (this.#closed) watch.stop();
    let gone: unknown = null;
    const endLoad = clock.after(limits.lookup_load_ms_max, () => {
      if (!this.#complete) watch.stop();
    });
    const endChecks = clock.every(limits.lookup_check_ms, () => {
      this.#check(store, held.created).catch((fault: unknown) => {
        gone = fault;
        watch.stop();
      });
    });
    try {
      if (held.messages === 0) this.#changed();
      for await (const entry of watch) {
        this.#take(entry);
        if (this.#complete || entry.delta === 0) this.#changed();
      }
    } finally {
      endLoad();
      endChecks();
      watch.stop();
    }
    if (gone !== null) throw gone;
    if (!this.#complete) throw new Error(`its entries did not come within ${limits.lookup_load_ms_max} ms`);
  }

  /** Rejects when the bucket is no more what is watched. That it cannot be asked now means nothing. */
  async #check(store: KV, created: string): Promise<void> {
    const size = this.#entries.size;
    let state: BucketState;
    try {
      state = await this.#state(store);
    } catch (fault) {
      if (fault instanceof BucketFault) throw fault;
      return;
    }
    if (state.created !== created) throw new Error("the bucket was made anew");
    if (this.#complete && state.keys < size) throw new Error("entries have expired or were purged");
  }

  async #state(store: KV): Promise<BucketState> {
    const { bucket, name, link } = this.#options;
    try {
      const { created, state } = (await store.status()).streamInfo;
      return { created, messages: state.messages, keys: state.num_subjects ?? Number.POSITIVE_INFINITY };
    } catch (fault) {
      if (!isCode(fault, JetStreamApiCodes.StreamNotFound)) throw fault;
      throw new BucketFault(
        `cannot read the table ${name}: there is no bucket ${bucket} on connection ${link.name}`,
        `make it: nats kv add ${bucket}`,
      );
    }
  }

  #take({ key, value, operation }: KvWatchEntry): void {
    const before = this.#entries.get(key);
    // The client's bytes are part of a larger buffer.
    const kept = operation === "PUT" ? value.slice() : null;
    this.#bytes += (kept?.length ?? 0) - (before?.length ?? 0);
    if (before === undefined) this.#bytes += key.length;
    this.#entries.delete(key);
    this.#entries.set(key, kept);
    if (this.#entries.size <= limits.lookup_rows_max && this.#bytes <= limits.lookup_bytes_max) return;
    throw new BucketFault(
      `cannot read the table ${this.#options.name}: more than ${limits.lookup_rows_max} keys, deleted ones included, or ${limits.lookup_bytes_max} bytes`,
      "keep only what is looked up in this bucket",
    );
  }

  /** The first content at once, later ones with what else changes at about the same time. */
  #changed(): void {
    if (this.#complete && this.#cancel !== null) return;
    const wait_ms = this.#complete ? limits.lookup_gather_ms : 0;
    this.#complete = true;
    this.#cancel = this.#options.clock.after(wait_ms, () => {
      this.#cancel = null;
      if (this.#closed || !this.#complete) return;
      const entries = [...this.#entries].flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
      this.#deliver({ kind: "entries", name: this.#options.name, entries });
    });
  }
}
