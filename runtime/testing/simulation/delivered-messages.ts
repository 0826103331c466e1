// What a stream of the cloud was given, in order, by its incarnations; without what it lost with its power. Judges nothing.

import type { KeptMessage, StreamModel } from "./stream-model.ts";

export class DeliveredMessages {
  /** By incarnation. */
  readonly #stored = new Map<string, KeptMessage[]>();
  /** What is gone: whoever read it before it went may be given its rows once more. */
  readonly gone: KeptMessage[] = [];
  /** The stream as it was when it was given something last. */
  #stream: StreamModel | null = null;

  get stream(): StreamModel | null {
    return this.#stream;
  }

  stored(stream: StreamModel, message: KeptMessage): void {
    this.#stream = stream;
    const known = this.#stored.get(stream.created);
    if (known === undefined) this.#stored.set(stream.created, [message]);
    else known.push(message);
  }

  /** `isUndone`: as if it had never been stored. Otherwise somebody removed the stream. */
  lost(stream: StreamModel, messages: readonly KeptMessage[], isUndone: boolean): void {
    this.gone.push(...messages);
    if (!isUndone) return;
    const gone = new Set(messages);
    const kept = (this.#stored.get(stream.created) ?? []).filter((message) => !gone.has(message));
    this.#stored.set(stream.created, kept);
  }

  get incarnations(): readonly (readonly KeptMessage[])[] {
    return [...this.#stored.values()];
  }
}
