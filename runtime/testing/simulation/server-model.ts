// A nats-server with its streams, as the other side sees it: up or down, killed without a loss, or cut from its power with
// the loss of what it had not written to the disk yet. Knows nothing of connections.

import type { Publication } from "../../connect/chain/stream-port.ts";
import {
  type DefiniteAnswer,
  type KeptMessage,
  StreamModel,
  type StreamModelConfig,
} from "./stream-model.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** "insufficient storage resources available" */
const noRoom = 10_047;

/** How often 2.9.10 writes what it stored to the disk for good. */
const sync_ms = 60_000;

/** Told of everything that is stored and lost. */
export interface ServerWitness {
  stored?(stream: StreamModel, message: KeptMessage): void;
  /** `isUndone`: as if it had never been stored, and said to be. Otherwise somebody removed the stream. */
  lost?(stream: StreamModel, messages: readonly KeptMessage[], isUndone: boolean): void;
}

export class ServerModel {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #witness: ServerWitness;
  readonly #streams = new Map<string, StreamModel>();
  readonly #changed = new Set<() => void>();
  readonly #awaiting = new Set<() => void>();
  /** It has no room for what is published. */
  refuses = false;
  #up = true;
  #incarnations = 0;

  constructor(name: string, scheduler: Scheduler, witness: ServerWitness = {}) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#witness = witness;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Calls `task` whenever the server comes or goes; the returned function ends that. */
  watch(task: () => void): () => void {
    this.#changed.add(task);
    return () => void this.#changed.delete(task);
  }

  /** The same whenever a message is stored. */
  watchStored(task: () => void): () => void {
    this.#awaiting.add(task);
    return () => void this.#awaiting.delete(task);
  }

  stream(name: string): StreamModel | null {
    return this.#streams.get(name) ?? null;
  }

  /** Makes a stream that is not there; where it is it stays as it is. */
  create(config: StreamModelConfig): StreamModel {
    const known = this.#streams.get(config.name);
    if (known !== undefined) return known;
    const stream = new StreamModel(config, `${this.name}-${++this.#incarnations}`);
    this.#streams.set(config.name, stream);
    return stream;
  }

  /** Somebody deletes a stream and makes it anew. */
  recreate(name: string): void {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    this.#witness.lost?.(stream, [...stream.messages], false);
    this.#streams.delete(name);
    this.create(stream.config);
    this.#scheduler.note(`${this.name}: recreated`, name);
  }

  /** What the stream that takes the subject says to a publish. */
  publish(publication: Publication): DefiniteAnswer | { readonly kind: "absent" } {
    for (const stream of this.#streams.values()) {
      if (!stream.takes(publication.subject)) continue;
      if (this.refuses)
        return { kind: "refused", code: noRoom, reason: "insufficient storage resources available" };
      const answer = stream.publish(publication, this.#scheduler.now);
      if (answer.kind === "stored" && !answer.duplicate) {
        const message = stream.read(answer.sequence);
        if (message !== null) this.#witness.stored?.(stream, message);
        for (const task of this.#awaiting) task();
      }
      return answer;
    }
    return { kind: "absent" };
  }

  /** It is killed; what it stored is with the system still. */
  kill(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#scheduler.note(`${this.name}: killed`);
    this.#tell();
  }

  /** Its machine loses the power: of what was stored since the last sync, some of the end is gone. */
  losePower(random: Random): void {
    if (!this.#up) return;
    this.#up = false;
    const synced = Math.floor(this.#scheduler.now / sync_ms) * sync_ms;
    for (const stream of this.#streams.values()) {
      const { last } = stream.facts();
      let durable = last;
      for (const { sequence, stored_ms } of stream.messages)
        if (stored_ms >= synced) durable = Math.min(durable, sequence - 1);
      const kept = random.between(durable, last);
      const lost: KeptMessage[] = [];
      for (const message of stream.messages) if (message.sequence > kept) lost.push(message);
      stream.loseTail(kept);
      this.#witness.lost?.(stream, lost, true);
      this.#scheduler.note(`${this.name}: lost power`, lost.length);
    }
    this.#tell();
  }

  start(): void {
    if (this.#up) return;
    this.#up = true;
    for (const stream of this.#streams.values()) stream.restart();
    this.#scheduler.note(`${this.name}: started`);
    this.#tell();
  }

  #tell(): void {
    for (const task of this.#changed) task();
  }
}
