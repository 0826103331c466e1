// Key-value buckets of a connection. Never asks the server what else its account may do, as the client would at first: a user
// that may use its buckets and nothing more is refused that.

import { jetstream, JetStreamApiCodes } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { isCode, managerOf } from "./jetstream-requests.ts";
import type { NatsLink } from "./nats-connection.ts";

/** `domain`: another JetStream domain than the connection's own. */
export function bucketsOf({ nats }: NatsLink, domain?: string): Kvm {
  return new Kvm(jetstream(nats, { checkAPI: false, ...(domain === undefined ? {} : { domain }) }));
}

/** Whether somebody has made the bucket. */
export async function isBucket(link: NatsLink, name: string): Promise<boolean> {
  try {
    await (await managerOf(link, null)).streams.info(`KV_${name}`);
    return true;
  } catch (fault) {
    if (isCode(fault, JetStreamApiCodes.StreamNotFound)) return false;
    throw fault;
  }
}

/** Whether an entry was not written because it is another one by now; a bucket that has no more room, say, is another matter. */
export function isOutdated(fault: unknown): boolean {
  const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
  return isCode(fault, StreamWrongLastSequence) || isCode(fault, StreamWrongLastSequenceUnknown);
}
