// The port of a chain on the model of a stream, over a link on which things go wrong.

import type {
  Answer,
  Publication,
  StoredMessage,
  StreamFacts,
  StreamPort,
} from "../../connect/chain/stream-port.ts";
import type { LinkModel } from "./link-model.ts";

export class StreamPortModel implements StreamPort {
  readonly name: string;
  /** Published and not answered. */
  inFlight = 0;
  readonly #link: LinkModel;
  /** Told of each publish when the life sends it. */
  readonly #publishes: (publication: Publication) => void;

  constructor(
    name: string,
    link: LinkModel,
    publishes: (publication: Publication) => void = () => undefined,
  ) {
    this.name = name;
    this.#link = link;
    this.#publishes = publishes;
  }

  publish(publication: Publication, answered: (answer: Answer) => void): void {
    const link = this.#link;
    if (!link.life.alive) return;
    this.inFlight++;
    this.#publishes(publication);
    // Who sends may use the memory again, and what is delayed is as it was when it was sent.
    const sent = {
      ...publication,
      payload: new Uint8Array(publication.payload),
      headers: { ...publication.headers },
    };
    link.send<Answer>(
      "publish",
      () => link.wire.server.publish(sent),
      (answer) => {
        this.inFlight--;
        answered(answer ?? { kind: "lost" });
      },
    );
  }

  watch(cut: () => void): void {
    this.#link.onCut(cut);
  }

  facts(): Promise<StreamFacts | null> {
    return this.#link.ask("facts", () => this.#link.wire.server.stream(this.name)?.facts() ?? null);
  }

  read(sequence: number): Promise<StoredMessage | null> {
    return this.#link.ask("read", () => this.#link.wire.server.stream(this.name)?.read(sequence) ?? null);
  }

  readLast(subject: string): Promise<StoredMessage | null> {
    return this.#link.ask(
      "read last",
      () => this.#link.wire.server.stream(this.name)?.readLast(subject) ?? null,
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
