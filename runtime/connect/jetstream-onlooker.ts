// A reader of a stream that nobody notices: a consumer of its own that acknowledges nothing and goes with it, from the next
// message on or over what is stored. Never touches another consumer, and refuses a stream from which reading takes away.

import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  type JetStreamManager,
  RetentionPolicy,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import type { Framing } from "../codec/framing.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Delivery, ReadLimits, Source } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { isCode, managerOf } from "./jetstream-requests.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import type { NatsLink } from "./nats-connection.ts";
import { firstOf } from "./stream-facts.ts";
import { type JetStreamPosition } from "./stream-progress.ts";

/** `new`: what comes from now on. Else what is stored: from a time on (ms), or the last so many messages. */
export type Looking = "new" | { readonly since: number } | { readonly last: number };

export interface OnlookerOptions {
  readonly link: NatsLink;
  readonly stream: string;
  /** Which of the stream's subjects; wildcards allowed. */
  readonly subject: string;
  readonly framing: Framing;
  readonly looking: Looking;
  readonly log: ConnectorLog;
  readonly clock: Clock;
}

/** Opens it; what is stored ends with what the stream holds now. */
export async function openOnlooker(options: OnlookerOptions): Promise<Source> {
  const { looking, stream, subject, link, framing, log, clock } = options;
  const manager = await managerOf(link, null);
  const info = await streamOf(manager, options);
  refuseQueue(info);
  const start = await startOf(manager, info, subject, looking);
  const source = jetstreamSource({ link, stream, subject, start, looksOn: true, framing, log, clock });
  await source.open();
  return looking === "new" ? source : new Stored(source, info.state.last_seq);
}

async function streamOf(manager: JetStreamManager, { stream, link }: OnlookerOptions): Promise<StreamInfo> {
  try {
    return await manager.streams.info(stream);
  } catch (cause) {
    const isMissing = isCode(cause, JetStreamApiCodes.StreamNotFound);
    throw new WeirError(
      "WEIR_NATS_UNAVAILABLE",
      isMissing
        ? `there is no stream ${stream} on ${link.name}`
        : `cannot read stream ${stream} on ${link.name}: ${messageOf(cause)}`,
      {
        remedy: "who publishes makes it, as weir feed --stream does; --nats says which server is meant",
        cause,
      },
    );
  }
}

/** What a work queue gives to one reader no other gets, and it has room for one consumer of a subject. */
function refuseQueue({ config }: StreamInfo): void {
  if (config.retention !== RetentionPolicy.Workqueue) return;
  throw new WeirError(
    "WEIR_USAGE",
    `stream ${config.name} is a work queue: what is read of it is taken from its consumer`,
    { remedy: "read records of a file in its place: --from readings.ndjson" },
  );
}

async function startOf(
  manager: JetStreamManager,
  info: StreamInfo,
  subject: string,
  looking: Looking,
): Promise<"new" | number | Date> {
  if (looking === "new") return "new";
  if ("since" in looking) return new Date(looking.since);
  return startOfLast(info, looking.last, (sequence) => messagesFrom(manager, info, subject, sequence));
}

/** The number behind which `last` messages of a subject are stored, all of them where there are fewer. */
export async function startOfLast(
  info: Pick<StreamInfo, "state">,
  last: number,
  messagesFrom: (sequence: number) => Promise<number>,
): Promise<number> {
  const first = firstOf(info as StreamInfo);
  let behind = info.state.last_seq + 1;
  let span = last;
  let low = Math.max(first, behind - span);
  // Most subjects are found near the end.
  while (low > first) {
    const found = await messagesFrom(low);
    if (found === last) return low;
    if (found > last) break;
    behind = low;
    span *= 2;
    low = Math.max(first, info.state.last_seq + 1 - span);
  }
  while (behind - low > 1) {
    const middle = Math.floor((low + behind) / 2);
    const found = await messagesFrom(middle);
    if (found === last) return middle;
    if (found > last) low = middle;
    else behind = middle;
  }
  return low;
}

/** How many messages of a subject are stored from a number on: what a consumer would be given. */
async function messagesFrom(
  manager: JetStreamManager,
  { config: { name: stream } }: StreamInfo,
  subject: string,
  sequence: number,
): Promise<number> {
  const { name, num_pending } = await manager.consumers.add(stream, {
    filter_subject: subject,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence,
    inactive_threshold: nanos(limits.jetstream_consumer_inactive_ms),
    mem_storage: true,
  });
  await manager.consumers.delete(stream, name);
  return num_pending;
}

/** A source that ends with what was stored when it was opened. */
class Stored implements Source {
  readonly #source: Source;
  readonly #last: number;
  #isOver = false;

  constructor(source: Source, last: number) {
    this.#source = source;
    this.#last = last;
  }

  open(): Promise<void> {
    return this.#source.open();
  }

  async read(wanted: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#isOver || this.#source.stats().lag === 0) return "end";
    const delivery = await this.#source.read(wanted);
    if (delivery === null || delivery === "end") return delivery;
    const { sequence } = delivery.position as JetStreamPosition;
    this.#isOver = sequence >= this.#last;
    return delivery;
  }

  commit(position: unknown): Promise<void> {
    return this.#source.commit(position);
  }

  stats(): ReturnType<Source["stats"]> {
    return this.#source.stats();
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
