// Whose a place is, where a pipeline goes from host to host. Each turn of an owner is a term, and begins with a claim: a
// message without rows in the very stream. In a stream of its own it has a subject of its own, and takes the place in the
// stream that a former owner expects to be free; in a lane it takes the place in the lane. So nothing of the former one is
// stored behind it, whether that one is cut off, slow or stopped; and it says who has come. Never decides who may claim: terms
// are given elsewhere, each once.

import { type Clock, sleep } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { backOff } from "../back-off.ts";
import type { ConnectorLog } from "../connector-log.ts";
import type { ChainIdentity, Tail } from "./chain.ts";
import { failureOf } from "./flight.ts";
import { chainHeaders, termOf } from "./publication.ts";
import type { StoredMessage, StreamPort } from "./stream-port.ts";

/** Where the claims of a stream's owners go: one of its subjects that no row has. */
export function claimSubject(stream: string): string {
  return `weir.claim.${stream}`;
}

export function isClaim(message: StoredMessage, stream: string): boolean {
  return message.subject === claimSubject(stream);
}

/** What the last message of a place means for whoever has `term`: the place is theirs, to be claimed, or lost to a later one. */
export function standingAt(last: StoredMessage | null, term: number): "ours" | "claim" | "outdated" {
  const there = last === null ? 0 : termOf(last);
  if (there === term) return "ours";
  return there > term ? "outdated" : "claim";
}

/** Another host has taken over. */
export function outdated(last: StoredMessage | null, place: string, term: number): WeirError {
  const later = last === null ? "" : ` (term ${termOf(last)}, this was term ${term})`;
  return new WeirError(
    "WEIR_FENCED",
    `${place}: the pipeline was handed to another host${later}; what is unsent here stays here`,
    {
      // Its folder has rows that are nowhere else, so that nobody is to remove it as that of a copy.
      remedy:
        "Nothing is to be done; weir outbox export shows what stays, from the pipeline's folder in the state.",
    },
  );
}

/** A place that is to be claimed, and who claims it. */
export interface Claimable {
  readonly port: StreamPort;
  readonly identity: ChainIdentity;
  /** What the claim goes to. */
  readonly subject: string;
  readonly clock: Clock;
  readonly log: ConnectorLog;
}

/** Claims for one chain. Tells once of a stream that takes none, and what is waited for until it does. */
export class Claims {
  readonly #options: Claimable;
  readonly #who: string;
  #isTold = false;

  constructor(options: Claimable) {
    this.#options = options;
    this.#who = `sink stream ${options.port.name}`;
  }

  /** Nothing is waited for any more: the place is this owner's, or a later one's. */
  settled(): void {
    this.#options.log.waits?.(this.#who, null);
  }

  /**
   * Claims the place where the server finds `expected`; nothing of the chain changes by it: the claim repeats what `tail` says.
   * Whether it was stored, the place tells, which is to be asked again; after a later `attempt` that was not, only after a pause.
   */
  async claim(
    expected: readonly [header: string, sequence: number],
    { number, epoch }: Tail,
    last: number,
    attempt: number,
  ): Promise<void> {
    const { port, identity, subject, clock } = this.#options;
    const name = `claim-${identity.term}-${identity.epoch}-${last}`;
    const headers = chainHeaders({ ...identity, epoch }, name, number);
    headers[expected[0]] = String(expected[1]);
    const publication = { subject, payload: new Uint8Array(), headers };
    const failure = failureOf(await new Promise((answered) => port.publish(publication, answered)));
    if (failure !== null && failure.kind !== "unsure") this.#tell(failure.reason);
    if (failure !== null && attempt > 0) await sleep(clock, backOff(attempt - 1, 1));
  }

  #tell(reason: string): void {
    const { subject, log } = this.#options;
    if (this.#isTold) return;
    this.#isTold = true;
    log.warn(
      `${this.#who}: cannot be claimed by its new owner, who tries for ever: ${reason}. The stream has to take ${subject} as well`,
    );
    log.waits?.(this.#who, `it is not claimed yet, and has to take ${subject}: ${reason}`);
  }
}
