// Whose a stream is, where a pipeline goes from host to host. Each turn of an owner is a term, and begins with a claim: a
// message without rows on a subject of its own in the very stream. It takes the place that a former owner expects to be free,
// so that nothing of that one is stored behind it, whether it is cut off, slow or stopped; and it says who has come. Never
// decides who may claim: terms are given elsewhere, each once.

import { WeirError } from "../../errors.ts";
import type { ChainIdentity, Tail } from "./chain.ts";
import { chainHeaders, expectedLast, termOf } from "./publication.ts";
import type { StreamEnd } from "./stream-target.ts";
import type { Answer, StoredMessage, StreamPort } from "./stream-port.ts";

/** Where the claims of a stream's owners go: one of its subjects that no row has. */
export function claimSubject(stream: string): string {
  return `weir.claim.${stream}`;
}

export function isClaim(message: StoredMessage, stream: string): boolean {
  return message.subject === claimSubject(stream);
}

/** What the end of a stream means for whoever has `term`: it is theirs, it is to be claimed, or it is lost to a later one. */
export function standingAt(
  { message }: Pick<StreamEnd, "message">,
  term: number,
): "ours" | "claim" | "outdated" {
  const there = message === null ? 0 : termOf(message);
  if (there === term) return "ours";
  return there > term ? "outdated" : "claim";
}

/** Another host has taken over. */
export function outdated({ message }: StreamEnd, stream: string, term: number): WeirError {
  const later = message === null ? "" : ` (term ${termOf(message)}, this was term ${term})`;
  return new WeirError(
    "WEIR_FENCED",
    `stream ${stream}: the pipeline was handed to another host${later}; what is unsent here stays here`,
    {
      // Its folder has rows that are nowhere else, so that nobody is to remove it as that of a copy.
      remedy:
        "Nothing is to be done; weir outbox export shows what stays, from the pipeline's folder in the state.",
    },
  );
}

/** Claims the stream behind `end`; nothing of the chain changes by it: the claim repeats what `tail` says. */
export function claimStream(
  port: StreamPort,
  identity: ChainIdentity,
  { facts }: StreamEnd,
  { number, epoch }: Tail,
): Promise<Answer> {
  const name = `claim-${identity.term}-${identity.epoch}-${facts.last}`;
  const headers = chainHeaders({ ...identity, epoch }, name, number);
  headers[expectedLast] = String(facts.last);
  const publication = { subject: claimSubject(port.name), payload: new Uint8Array(), headers };
  return new Promise((answered) => port.publish(publication, answered));
}
