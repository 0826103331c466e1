// All entries that a key-value bucket has now, in one go, by a consumer that goes with the scan: the client's own watch leaves
// its consumer to the server for five minutes, and a control centre looks every two seconds. Follows nothing and changes nothing.

import { DeliverPolicy, jetstream, type JsMsg } from "@nats-io/jetstream";
import { wallClock } from "../clock.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What stands under a key. */
export interface BucketEntry {
  /** The bucket's own number of it. */
  readonly revision: number;
  /** For how long (ms) it had stood there when the scan began, by the server's clock alone. */
  readonly age_ms: number;
  /** Throws where it is no JSON. */
  json(): unknown;
}

/**
 * By key, of those that `keys` stands for; what was deleted is not there. Rejects where not all of it comes. That is told by
 * the keys themselves: an entry that is written anew while others are told leaves its place among what is still to come, and
 * comes behind it.
 */
export async function entriesOf(
  link: NatsLink,
  bucket: string,
  keys = ">",
): Promise<Map<string, BucketEntry>> {
  const found = new Map<string, BucketEntry>();
  const stream = `KV_${bucket}`;
  const prefix = `$KV.${bucket}.`;
  const subjects = prefix + keys;
  const { state } = await (await managerOf(link, null)).streams.info(stream, { subjects_filter: subjects });
  const missing = new Set(Object.keys(state.subjects ?? {}));
  if (missing.size === 0) return found;
  const timeout = limits.nats_request_ms_max;
  const { consumers } = jetstream(link.nats, { checkAPI: false, timeout });
  const consumer = await consumers.getPushConsumer(stream, {
    filter_subjects: subjects,
    deliver_policy: DeliverPolicy.LastPerSubject,
  });
  try {
    // A consumer is made now, and the server says when that is.
    const began = Date.parse((await consumer.info(true)).created);
    const messages = await consumer.consume();
    const stop = (): void => messages.stop();
    let endWait = wallClock.after(timeout, stop);
    for await (const message of messages) {
      endWait();
      const key = message.subject.slice(prefix.length);
      if (isThere(message)) found.set(key, entryIn(message, began));
      else found.delete(key);
      missing.delete(message.subject);
      if (missing.size === 0) break;
      endWait = wallClock.after(timeout, stop);
    }
    endWait();
    stop();
    // Half of what is there would look as if the rest was deleted.
    if (missing.size > 0) throw brokenOff(bucket);
    return found;
  } finally {
    void consumer.delete().catch(() => undefined);
  }
}

function isThere({ headers }: JsMsg): boolean {
  const operation = headers?.get("KV-Operation") ?? "";
  return operation !== "DEL" && operation !== "PURGE";
}

function entryIn(message: JsMsg, began: number): BucketEntry {
  const age_ms = Math.max(0, began - message.time.getTime());
  return { revision: message.seq, age_ms, json: () => message.json() };
}

function brokenOff(bucket: string): WeirError {
  return new WeirError(
    "WEIR_NATS_UNAVAILABLE",
    `the server did not tell all that is in the bucket ${bucket}: it fell silent, or the connection was closed`,
    { remedy: "see that it can be reached, and ask again" },
  );
}

/** What stands in an entry; undefined where that is no JSON. */
export function jsonOf(entry: Pick<BucketEntry, "json">): unknown {
  try {
    return entry.json();
  } catch {
    return undefined;
  }
}
