// Key-value buckets of a connection. Never asks the server what else its account may do, as the client would at first: a user
// that may use its buckets and nothing more is refused that.

import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsLink } from "./nats-connection.ts";

/** `domain`: another JetStream domain than the connection's own. */
export function bucketsOf({ nats }: NatsLink, domain?: string): Kvm {
  return new Kvm(jetstream(nats, { checkAPI: false, ...(domain === undefined ? {} : { domain }) }));
}
