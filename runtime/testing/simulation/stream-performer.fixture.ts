// Performs the steps of a case on the model of a stream or on a real one behind the same port, and writes down what came
// back in one form.

import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Answer, Publication, StoredMessage, StreamPort } from "../../connect/chain/stream-port.ts";
import { plainStream, StreamModel, type StreamModelConfig } from "./stream-model.ts";
import type { Step, StreamCase } from "./stream-steps.fixture.ts";

/** One stream that steps are performed on. Restarts concern all streams of a server, so they are not its business. */
export interface Performer {
  perform(step: Exclude<Step, { do: "restart" }>): Promise<unknown>;
}

export function configOf(name: string, config: StreamCase["config"]): StreamModelConfig {
  return { ...plainStream, ...config, name, subjects: [`${name}.>`] };
}

/** Stands for an incarnation; the first is 1. */
class Incarnations {
  readonly #seen: string[] = [];

  numberOf(created: string): number {
    if (!this.#seen.includes(created)) this.#seen.push(created);
    return this.#seen.indexOf(created) + 1;
  }
}

function publicationOf(name: string, step: Extract<Step, { do: "publish" }>): Publication {
  return {
    subject: step.subject === "elsewhere" ? `elsewhere.${name}` : `${name}.${step.subject}`,
    payload: Buffer.from(step.payload),
    headers: step.headers,
  };
}

function shown(message: StoredMessage | null): unknown {
  if (message === null) return null;
  const { sequence, subject, payload, headers } = message;
  return {
    sequence,
    subject,
    payload: Buffer.from(payload).toString(),
    headers: Object.fromEntries(headers),
  };
}

/** What the port's interface says of an answer, and nothing more. */
function told(answer: Answer): Answer {
  if (answer.kind !== "stored") return answer;
  const { kind, sequence, duplicate } = answer;
  return { kind, sequence, duplicate };
}

export class ModelPerformer implements Performer {
  readonly #config: StreamModelConfig;
  readonly #incarnations = new Incarnations();
  #created = 0;
  #stream: StreamModel | null = null;
  #now = 0;

  constructor(config: StreamModelConfig) {
    this.#config = config;
    this.#create();
  }

  #create(): void {
    this.#stream ??= new StreamModel(this.#config, String(++this.#created));
  }

  restart(): void {
    this.#stream?.restart();
  }

  async perform(step: Exclude<Step, { do: "restart" }>): Promise<unknown> {
    const stream = this.#stream;
    this.#now++;
    if (step.do === "create") this.#create();
    if (step.do === "delete") this.#stream = null;
    if (step.do === "outlive") this.#now += this.#config.duplicateWindow_ms;
    if (step.do === "purge") stream?.purge();
    if (step.do === "remove") return stream?.remove(step.sequence) ?? false;
    if (step.do === "publish") {
      const publication = publicationOf(this.#config.name, step);
      if (stream === null || !stream.takes(publication.subject)) return { kind: "absent" };
      return stream.publish(publication, this.#now);
    }
    if (step.do === "read") return shown(stream?.read(step.sequence) ?? null);
    if (step.do === "readLast")
      return shown(stream?.readLast(`${this.#config.name}.${step.subject}`) ?? null);
    if (step.do === "facts") {
      const facts = stream?.facts() ?? null;
      return facts === null ? null : { ...facts, created: this.#incarnations.numberOf(facts.created) };
    }
    return null;
  }
}

export class ServerPerformer implements Performer {
  readonly #config: StreamModelConfig;
  readonly #manager: () => JetStreamManager;
  readonly #port: () => StreamPort;
  readonly #incarnations = new Incarnations();

  constructor(config: StreamModelConfig, manager: () => JetStreamManager, port: () => StreamPort) {
    this.#config = config;
    this.#manager = manager;
    this.#port = port;
  }

  async create(): Promise<void> {
    const { name, subjects, retention, discard, duplicateWindow_ms } = this.#config;
    const { maxMessages, maxBytes, maxPerSubject, maxAge_ms, maxMessageBytes } = this.#config;
    await this.#manager().streams.add({
      name,
      subjects: [...subjects],
      storage: StorageType.File,
      retention: {
        limits: RetentionPolicy.Limits,
        interest: RetentionPolicy.Interest,
        workqueue: RetentionPolicy.Workqueue,
      }[retention],
      discard: discard === "old" ? DiscardPolicy.Old : DiscardPolicy.New,
      duplicate_window: nanos(duplicateWindow_ms),
      ...(maxMessages > 0 ? { max_msgs: maxMessages } : {}),
      ...(maxBytes > 0 ? { max_bytes: maxBytes } : {}),
      ...(maxPerSubject > 0 ? { max_msgs_per_subject: maxPerSubject } : {}),
      ...(maxAge_ms > 0 ? { max_age: nanos(maxAge_ms) } : {}),
      ...(maxMessageBytes > 0 ? { max_msg_size: maxMessageBytes } : {}),
    });
  }

  async perform(step: Exclude<Step, { do: "restart" }>): Promise<unknown> {
    const { name } = this.#config;
    const { streams } = this.#manager();
    if (step.do === "create") await this.create();
    if (step.do === "delete") await streams.delete(name);
    if (step.do === "purge") await streams.purge(name);
    if (step.do === "remove") return this.#remove(step.sequence);
    if (step.do === "publish") return this.#publish(publicationOf(name, step));
    if (step.do === "outlive") await this.#outlive(step.id);
    if (step.do === "read") return shown(await this.#port().read(step.sequence));
    if (step.do === "readLast") return shown(await this.#port().readLast(`${name}.${step.subject}`));
    if (step.do === "facts") {
      const facts = await this.#port().facts();
      return facts === null ? null : { ...facts, created: this.#incarnations.numberOf(facts.created) };
    }
    return null;
  }

  #publish(publication: Publication): Promise<Answer> {
    return new Promise((resolve) => this.#port().publish(publication, (answer) => resolve(told(answer))));
  }

  /** Asks with a sequence that is never right, until the server no longer answers that it knows the id. */
  async #outlive(id: string): Promise<void> {
    const probe: Publication = {
      subject: `${this.#config.name}.probe`,
      payload: new Uint8Array(0),
      headers: { "Nats-Msg-Id": id, "Nats-Expected-Last-Sequence": "999999" },
    };
    for (;;) {
      const { kind } = await this.#publish(probe);
      if (kind === "refused") return;
      if (kind !== "stored") throw new Error(`the probe of ${id} was answered with ${kind}`);
    }
  }

  async #remove(sequence: number): Promise<boolean> {
    try {
      return await this.#manager().streams.deleteMessage(this.#config.name, sequence);
    } catch (fault) {
      if (fault instanceof JetStreamApiError) return false;
      throw fault;
    }
  }
}
