// Entries that were sent and are not confirmed, in the order of their numbers: turns the answers, which come in any order,
// into the events of a target. Says once how it ended, and only when nothing is unanswered, so that whoever asks for the tail
// then is not overtaken by what is still on its way. Publishes nothing.

import type { Refusal, TargetEvents } from "./chain.ts";
import type { Answer } from "./stream-port.ts";

/** Why an entry was not stored, or may not have been. */
export type Failure = Refusal | { readonly kind: "unsure"; readonly reason: string };

/** One entry on its way. */
export interface Sent {
  readonly number: number;
  state: "waiting" | "asked" | "stored" | "failed";
}

/** The server's codes for an entry that another state of the stream was expected for: ask it for the tail. */
const unexpected: ReadonlySet<number> = new Set([
  // "wrong last sequence", …
  10_071,
  // … or the message before it was another one, …
  10_070,
  // … the same of a cluster that is busy with the subject, …
  10_164,
  // … and an id of which it does not know yet whether it will be stored.
  10_158,
]);

/** "message size exceeds maximum allowed" of the stream, and headers that are too large. */
const tooLarge: ReadonlySet<number> = new Set([10_054, 10_097]);

/** Null for a message that is stored. `subject`: its own, where there is one that somebody would know again. */
export function failureOf(answer: Answer, subject = "the row"): Failure | null {
  switch (answer.kind) {
    case "stored":
      return null;
    case "absent":
      return { kind: "later", reason: `no stream takes ${subject}, or JetStream is away` };
    case "lost":
      return { kind: "unsure", reason: "no answer" };
    case "refused":
      if (unexpected.has(answer.code)) return { kind: "unsure", reason: answer.reason };
      if (tooLarge.has(answer.code)) return { kind: "never", reason: "oversize" };
      return { kind: "later", reason: answer.reason };
  }
}

export class Flight {
  readonly #events: TargetEvents;
  #sent: Sent[] = [];
  /** Those in front of it are confirmed. */
  #head = 0;
  #asked = 0;
  #confirmed = 0;
  #settled = 0;
  /** The oldest that failed, and why. */
  #failed: { readonly number: number; readonly failure: Failure } | null = null;
  #doubt: string | null = null;
  #concluded = true;

  constructor(events: TargetEvents) {
    this.#events = events;
  }

  /** Entries that are not confirmed. */
  get size(): number {
    return this.#sent.length - this.#head;
  }

  /** Something failed: nothing more is to be sent. */
  get isBroken(): boolean {
    return this.#failed !== null || this.#doubt !== null;
  }

  /** How many more entries may be on their way where `most` may be at once. */
  room(most: number): number {
    return this.isBroken ? 0 : Math.max(0, most - this.size);
  }

  /** The last number that was confirmed since `begin`, or what that was given. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** How many were confirmed since `begin`. */
  get settled(): number {
    return this.#settled;
  }

  /** Forgets all, and says nothing until `begin`. */
  clear(): void {
    this.#sent = [];
    this.#head = 0;
    this.#asked = 0;
    this.#failed = null;
    this.#doubt = null;
    this.#concluded = true;
  }

  /** The other side has all up to `number`. False where that became doubtful since `clear`: it is to be asked again. */
  begin(number: number): boolean {
    if (this.#doubt !== null) return false;
    this.#confirmed = number;
    this.#settled = 0;
    this.#concluded = false;
    return true;
  }

  /** The next entry, which waits to be published. */
  add(number: number): Sent {
    const sent: Sent = { number, state: "waiting" };
    this.#sent.push(sent);
    return sent;
  }

  /** It was published, or something about it was asked, and will be answered. */
  ask(sent: Sent): void {
    sent.state = "asked";
    this.#asked++;
  }

  /** It was answered, and is to be published after all. */
  take(sent: Sent): void {
    this.#answered(sent, "waiting");
    this.#conclude();
  }

  stored(...sent: readonly Sent[]): void {
    for (const each of sent) this.#answered(each, "stored");
    this.#confirm();
    this.#conclude();
  }

  failed(sent: Sent, failure: Failure): void {
    this.#answered(sent, "failed");
    if (this.#failed === null || sent.number < this.#failed.number)
      this.#failed = { number: sent.number, failure };
    this.#conclude();
  }

  /** Nothing failed, but the other side may not be what it is taken for. */
  doubt(reason: string): void {
    this.#doubt = reason;
    this.#conclude();
  }

  #answered(sent: Sent, state: Sent["state"]): void {
    if (sent.state === "asked") this.#asked--;
    sent.state = state;
  }

  #confirm(): void {
    const from = this.#head;
    while (this.#sent[this.#head]?.state === "stored") this.#head++;
    if (this.#head === from) return;
    this.#confirmed = this.#sent[this.#head - 1]!.number;
    this.#settled += this.#head - from;
    if (this.#head > 256 && this.#head * 2 > this.#sent.length) {
      this.#sent = this.#sent.slice(this.#head);
      this.#head = 0;
    }
    this.#events.confirmed(this.#confirmed);
  }

  #conclude(): void {
    if (!this.isBroken || this.#asked > 0 || this.#concluded) return;
    this.#concluded = true;
    const failed = this.#failed;
    if (failed === null || failed.failure.kind === "unsure")
      this.#events.unsure(failed?.failure.reason ?? this.#doubt ?? "");
    else this.#events.refused(failed.number, failed.failure);
  }
}
