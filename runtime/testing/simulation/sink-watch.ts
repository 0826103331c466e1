// Holds each message that comes to the cloud against what its way of delivery promises of that moment: a subject, a key or a
// lane never goes back, and an id that its stream knows is never stored twice. What must be there in the end others judge.

import type { DeliveryKind } from "./shape.ts";
import type { KeptMessage, StreamModel } from "./stream-model.ts";
import type { Verdict } from "./verdict.ts";
import { unpackedStream } from "./workload.ts";

interface Copy {
  readonly message: KeptMessage;
  readonly created: string;
}

export class SinkWatch {
  readonly #delivery: DeliveryKind;
  readonly #verdict: Verdict;
  /** By stream and subject, the number of the last message. */
  readonly #floors = new Map<string, number>();
  /** By stream, chain and number. */
  readonly #copies = new Map<string, Copy>();

  constructor(delivery: DeliveryKind, verdict: Verdict) {
    this.#delivery = delivery;
    this.#verdict = verdict;
  }

  stored(stream: StreamModel, message: KeptMessage, now: number): void {
    if (stream.config.name === unpackedStream) return;
    if (this.#delivery === "message_id") this.#watchId(stream, message, now);
    else if (this.#delivery !== "exclusive") this.#watchSubject(stream, message);
  }

  /** What the stream has lost may come again. */
  lost(stream: StreamModel, messages: readonly KeptMessage[]): void {
    for (const message of messages) {
      const { subject } = message;
      const last = stream.readLast(subject);
      const isGone = last === null || messages.includes(last);
      this.#floors.set(placeOf(stream, subject), isGone ? 0 : numberOf(last));
      this.#copies.delete(placeOf(stream, entryName(message)));
    }
  }

  #watchSubject(stream: StreamModel, message: KeptMessage): void {
    const place = placeOf(stream, message.subject);
    const number = numberOf(message);
    const floor = this.#floors.get(place) ?? 0;
    if (number <= floor) this.#verdict.add("out_of_order", `${place}: number ${number} behind ${floor}`);
    this.#floors.set(place, number);
  }

  /** A copy is one too many as long as the server has to know the id. */
  #watchId(stream: StreamModel, message: KeptMessage, now: number): void {
    const place = placeOf(stream, entryName(message));
    const before = this.#copies.get(place);
    this.#copies.set(place, { message, created: stream.created });
    if (before === undefined || before.created !== stream.created) return;
    const isKnown = now - before.message.stored_ms < stream.config.duplicateWindow_ms;
    // One that the limits of the stream removed is forgotten when the server starts anew.
    const isThere = stream.read(before.message.sequence) === before.message;
    if (isKnown && isThere) this.#verdict.add("duplicated", `${place} within the duplicate window`);
  }
}

function placeOf({ config }: StreamModel, name: string): string {
  return `${config.name} ${name}`;
}

function numberOf({ headers }: KeptMessage): number {
  return Number(headers.get("weir-out-seq"));
}

/** Which entry of which chain it is, whatever its id says. */
function entryName({ headers }: KeptMessage): string {
  return `${headers.get("weir-chain")} ${headers.get("weir-out-seq")}`;
}
