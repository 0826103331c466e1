// A JetStream stream behind the chain's port: pipelined publishes whose answers are read from the socket's bytes, and
// questions to the stream's leader, never to a replica. Asks through every cut; what a publish that got no answer became is
// for the chain to find out.

import {
  JetStreamApiCodes,
  RetentionPolicy,
  type JetStreamManager,
  type MsgRequest,
} from "@nats-io/jetstream";
import { filter, firstValueFrom, type Subscription as Watching } from "rxjs";
import { wallClock, type Clock } from "../../clock.ts";
import { Ending } from "../../ending.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ConnectorLog } from "../connector-log.ts";
import { JetStreamPublisher, type Outcome } from "../jetstream-publisher.ts";
import { asker, insist, isCode, managerOf, type Asker } from "../jetstream-requests.ts";
import { ensureStream, type StreamSpec } from "../jetstream-stream.ts";
import type { NatsLink } from "../nats-connection.ts";
import { headerBlock } from "../row-headers.ts";
import type { Answer, Publication, StoredMessage, StreamFacts, StreamPort } from "./stream-port.ts";

export interface NatsStreamPortOptions {
  readonly link: NatsLink;
  readonly stream: StreamSpec;
  /** Another JetStream domain for the stream's own requests. */
  readonly domain?: string;
  /** Makes the stream in its own way; default: as a sink's stream. */
  readonly make?: (asker: Asker, manager: JetStreamManager) => Promise<void>;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
}

/** The server's code for a message of another stream than the one expected. */
const otherStream = 10_060;

/** Opens the port; asks nothing of the server. */
export async function natsStreamPort(options: NatsStreamPortOptions): Promise<StreamPort> {
  return new NatsStream(options, await managerOf(options.link, options.domain ?? null));
}

/** Servers since 2.9 have it; the client sends it on and does not say so. */
interface NextRequest {
  readonly seq: number;
  readonly next_by_subj: string;
}

type Answered = (answer: Answer) => void;

class NatsStream implements StreamPort {
  readonly name: string;
  readonly #options: NatsStreamPortOptions;
  readonly #link: NatsLink;
  readonly #manager: JetStreamManager;
  readonly #asker: Asker;
  readonly #publisher: JetStreamPublisher<Answered>;
  readonly #watching: Watching;
  /** Rejects at the end, for those who wait. */
  readonly #ended = new Ending<never>();
  #cut: () => void = () => {};
  #scheduled = false;
  #closed = false;
  /** Since the connection is there, it was seen that the stream takes all that is written. */
  #isPrepared = false;

  constructor(options: NatsStreamPortOptions, manager: JetStreamManager) {
    const { link, stream } = options;
    this.name = stream.name;
    this.#options = options;
    this.#link = link;
    this.#manager = manager;
    this.#asker = asker(`sink stream ${stream.name}`, options, () => this.#closed);
    this.#publisher = new JetStreamPublisher(link, options.clock ?? wallClock, (answered, outcome) =>
      answered(answerOf(outcome, stream.name)),
    );
    this.#watching = link.status.subscribe((status) => {
      if (status.kind !== "disconnected" && status.kind !== "closed") return;
      this.#isPrepared = false;
      this.#publisher.loseAll();
      this.#cut();
    });
  }

  get messageBytesMax(): number {
    return this.#link.nats.info?.max_payload ?? limits.payload_bytes_max;
  }

  publish({ subject, payload, headers }: Publication, answered: Answered): void {
    // The client would keep it and send it once connected, long after it was given up.
    if (!this.#link.connected || this.#closed) return queueMicrotask(() => answered({ kind: "lost" }));
    this.#publisher.add(subject, headerBlock(headers), payload, answered);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Messages that are published together become one write to the socket.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#publisher.send();
    });
  }

  watch(cut: () => void): void {
    this.#cut = cut;
  }

  prepare(): Promise<void> {
    const { stream, make } = this.#options;
    const made =
      make === undefined
        ? ensureStream(this.#asker, this.#manager, stream)
        : make(this.#asker, this.#manager);
    return this.#ended.before(made);
  }

  async facts(): Promise<StreamFacts | null> {
    const info = await this.#ask("read it", () => this.#manager.streams.info(this.name));
    if (info === null) return null;
    if (!this.#isPrepared) await this.prepare();
    this.#isPrepared = true;
    const { created, state, config } = info;
    return {
      created,
      first: state.first_seq,
      last: state.last_seq,
      retention: retentions[config.retention] ?? "limits",
      replicas: config.num_replicas,
    };
  }

  read(sequence: number): Promise<StoredMessage | null> {
    return this.#message({ seq: sequence });
  }

  readLast(subject: string): Promise<StoredMessage | null> {
    return this.#message({ last_by_subj: subject });
  }

  readNext(subject: string, from: number): Promise<StoredMessage | null> {
    return this.#message({ seq: from, next_by_subj: subject });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#watching.unsubscribe();
      this.#publisher.loseAll();
      this.#publisher.close();
      this.#ended.come(() => {
        throw new WeirError("WEIR_NATS_UNAVAILABLE", `${this.#asker.name}: closed before it was answered`);
      });
    }
    return Promise.resolve();
  }

  async #message(query: MsgRequest | NextRequest): Promise<StoredMessage | null> {
    const found = await this.#ask("read a message", () =>
      this.#manager.streams.getMessage(this.name, query as MsgRequest),
    );
    if (found === null) return null;
    const headers = new Map<string, string>();
    for (const [name, values] of found.header) headers.set(name.toLowerCase(), values[0] ?? "");
    return { sequence: found.seq, subject: found.subject, payload: found.data, headers };
  }

  /** The leader's answer, however long it takes; null where there is no such stream. */
  #ask<T>(what: string, question: () => Promise<T>): Promise<T | null> {
    const answer = insist(this.#asker, what, async () => {
      await this.#connected();
      try {
        return await this.#beforeCut(question());
      } catch (fault) {
        if (isCode(fault, JetStreamApiCodes.StreamNotFound)) return null;
        throw fault;
      }
    });
    return this.#ended.before(answer);
  }

  async #connected(): Promise<void> {
    if (this.#link.connected) return;
    await firstValueFrom(
      this.#link.status.pipe(filter(({ kind }) => kind === "connected" || kind === "closed")),
      { defaultValue: null },
    );
    if (this.#link.nats.isClosed())
      throw new WeirError("WEIR_NATS_UNAVAILABLE", `${this.#asker.name}: the connection was closed`);
  }

  /** A question that was asked over a connection that is gone gets no answer: it is asked again over the next one. */
  async #beforeCut<T>(answer: Promise<T>): Promise<T> {
    const cut = Promise.withResolvers<never>();
    const watching = this.#link.status.subscribe(({ kind }) => {
      if (kind === "disconnected" || kind === "closed") cut.reject(new Error("the connection was cut"));
    });
    answer.catch(() => {});
    try {
      return await Promise.race([answer, cut.promise]);
    } finally {
      watching.unsubscribe();
    }
  }
}

const retentions: Readonly<Record<string, StreamFacts["retention"]>> = {
  [RetentionPolicy.Limits]: "limits",
  [RetentionPolicy.Interest]: "interest",
  [RetentionPolicy.Workqueue]: "workqueue",
};

function answerOf(outcome: Outcome, stream: string): Answer {
  if (outcome.kind !== "stored") return outcome;
  const { sequence, duplicate } = outcome;
  if (outcome.stream === stream) return { kind: "stored", sequence, duplicate };
  return {
    kind: "refused",
    code: otherStream,
    reason: `stream ${outcome.stream} takes the subject, not ${stream}`,
  };
}
