// The consumer that a JetStream source reads: finds it or makes it, and makes it anew from a position when
// deliveries were lost. A consumer never comes back by redelivery here, because redelivered messages come
// late and between newer ones, where acknowledging a newer one would acknowledge them as well. So its
// successor starts at the position, and a bookmark consumer holds that position while there is neither.

import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  type ConsumerConfig,
  type ConsumerInfo,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { sleep } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { insist, isCode, type Asker } from "./jetstream-requests.ts";
import { firstFrom } from "./stream-facts.ts";

export interface ConsumerSpec {
  readonly stream: string;
  /** A durable consumer's name; null for one that the server forgets. */
  readonly durable: string | null;
  readonly filter: string;
  /** Where a new consumer starts: the first message, the next one, a stream sequence, or what was stored from a time on. */
  readonly start: "all" | "new" | number | Date;
  /** It looks on: nothing is acknowledged, whatever the stream does with what is. */
  readonly looksOn?: boolean;
}

/** `none`: nothing to acknowledge. `all`: acknowledging one acknowledges those before it. `explicit`: each by itself. */
export type Acks = "none" | "all" | "explicit";

export interface OpenConsumer {
  readonly name: string;
  readonly acks: Acks;
  /** The delivery sequence of the next message. */
  readonly nextDelivery: number;
  /** The stream sequence behind which it begins: all before it is acknowledged, or delivered where nothing is. */
  readonly floor: number;
  /** Messages that it has not delivered yet. */
  readonly pending: number;
}

const bookmarkSuffix = "-resume";

/** How a new consumer must acknowledge, by what its stream does with messages. */
function acksFor(stream: StreamInfo, { durable: name, looksOn = false }: ConsumerSpec): Acks {
  const { retention } = stream.config;
  const durable = name !== null;
  if (looksOn) return "none";
  if (retention === "workqueue") return "explicit";
  return durable || retention === "interest" ? "all" : "none";
}

function configOf(spec: ConsumerSpec, acks: Acks, start: ConsumerSpec["start"]): Partial<ConsumerConfig> {
  const durable = spec.durable === null ? {} : { durable_name: spec.durable };
  return {
    ...durable,
    filter_subject: spec.filter,
    ...startOf(start),
    ...(acks === "none"
      ? { ack_policy: AckPolicy.None }
      : {
          ack_policy: acks === "all" ? AckPolicy.All : AckPolicy.Explicit,
          ack_wait: nanos(
            acks === "all" ? limits.jetstream_ack_wait_replayed_ms : limits.jetstream_ack_wait_ms,
          ),
          max_ack_pending: limits.jetstream_ack_pending_max,
        }),
    ...(spec.durable === null
      ? { inactive_threshold: nanos(limits.jetstream_consumer_inactive_ms), mem_storage: true }
      : {}),
  };
}

function startOf(start: ConsumerSpec["start"]): Partial<ConsumerConfig> {
  if (start === "all") return { deliver_policy: DeliverPolicy.All };
  if (start === "new") return { deliver_policy: DeliverPolicy.New };
  if (typeof start !== "number")
    return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.toISOString() };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, start) };
}

/** Whether it is known, before the first message comes, behind which one a new consumer starts. */
export function isPlacedAt(start: ConsumerSpec["start"]): boolean {
  return start !== "new" && !(start instanceof Date);
}

function opened(info: ConsumerInfo): OpenConsumer {
  const policy = info.config.ack_policy;
  const { stream_seq: reached } = policy === AckPolicy.None ? info.delivered : info.ack_floor;
  return {
    name: info.name,
    acks: policy === AckPolicy.None ? "none" : policy === AckPolicy.All ? "all" : "explicit",
    nextDelivery: info.delivered.consumer_seq + 1,
    // A consumer that has delivered nothing yet says 0 on some servers, wherever it starts.
    floor: Math.max(reached, (info.config.opt_start_seq ?? 1) - 1),
    pending: info.num_pending,
  };
}

async function infoOf(
  manager: JetStreamManager,
  stream: string,
  consumer: string,
): Promise<ConsumerInfo | null> {
  try {
    return await manager.consumers.info(stream, consumer);
  } catch (fault) {
    if (isCode(fault, JetStreamApiCodes.ConsumerNotFound)) return null;
    throw fault;
  }
}

async function remove(manager: JetStreamManager, stream: string, consumer: string): Promise<void> {
  try {
    await manager.consumers.delete(stream, consumer);
  } catch (fault) {
    if (!isCode(fault, JetStreamApiCodes.ConsumerNotFound)) throw fault;
  }
}

/** Refuses a consumer of this name that was made for something else; it is never altered. */
function checkExisting(asker: Asker, spec: ConsumerSpec, { name, config }: ConsumerInfo): void {
  const filter = config.filter_subject ?? "";
  const found =
    config.deliver_subject !== undefined
      ? "is a push consumer"
      : config.ack_policy === AckPolicy.None
        ? "acknowledges nothing"
        : filter !== spec.filter && filter !== ""
          ? `reads ${filter}, not ${spec.filter}`
          : null;
  if (found === null) return;
  throw new WeirError("WEIR_CONFIG", `${asker.name}: consumer ${name} of stream ${spec.stream} ${found}`, {
    remedy: "Choose another consumer name, or delete that consumer.",
  });
}

/** Where to go on behind a message of the stream. */
export type GoOn = (sequence: number) => number;

/** The consumer to read from, made when there is none. Waits for the server as long as it takes. */
export function openConsumer(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  goOn: GoOn,
): Promise<OpenConsumer> {
  return insist(asker, `open a consumer of stream ${spec.stream}`, async () => {
    const { durable } = spec;
    const existing = durable === null ? null : await infoOf(manager, spec.stream, durable);
    if (durable === null || existing === null) return create(manager, stream, spec, goOn);
    checkExisting(asker, spec, existing);
    if (existing.config.ack_policy !== AckPolicy.All) return opened(existing);
    const { floor } = opened(existing);
    const start = typeof spec.start === "number" ? spec.start : goOn(floor);
    const isReached = typeof spec.start === "number" ? start === floor + 1 : start > floor;
    if (existing.num_ack_pending === 0 && isReached) return opened(existing);
    return replace(manager, spec, durable, start);
  });
}

async function create(
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  goOn: GoOn,
): Promise<OpenConsumer> {
  const acks = acksFor(stream, spec);
  // A bookmark without its consumer: the last attempt to replace it ended in between.
  const bookmark =
    spec.durable === null ? null : await infoOf(manager, spec.stream, spec.durable + bookmarkSuffix);
  const marked = bookmark?.config.opt_start_seq;
  const start = typeof spec.start !== "number" && marked !== undefined ? goOn(marked - 1) : spec.start;
  // A work queue delivers whatever it still holds; the server allows nothing else.
  const config = configOf(spec, acks, acks === "explicit" ? "all" : start);
  const info = await manager.consumers.add(spec.stream, config);
  if (bookmark !== null) await remove(manager, spec.stream, bookmark.name);
  return opened(info);
}

async function replace(
  manager: JetStreamManager,
  spec: ConsumerSpec,
  durable: string,
  start: number,
): Promise<OpenConsumer> {
  const bookmark = configOf({ ...spec, durable: durable + bookmarkSuffix }, "all", start);
  await remove(manager, spec.stream, durable + bookmarkSuffix);
  await manager.consumers.add(spec.stream, bookmark);
  await remove(manager, spec.stream, durable);
  const info = await manager.consumers.add(spec.stream, configOf(spec, "all", start));
  await remove(manager, spec.stream, durable + bookmarkSuffix);
  return opened(info);
}

/** What a consumer was, and where it is to go on. */
export interface Reopening {
  readonly current: OpenConsumer;
  /** Where a successor begins. */
  readonly start: number;
  /** The furthest message that it delivered, as far as that is known. */
  readonly received: number;
  /** The stream's numbers mean something else now: a consumer that survived may wait at a place that is never reached. */
  readonly isRenewed: boolean;
  /** It was moved past messages that are still there, and would never deliver them. */
  readonly isMoved: boolean;
}

/**
 * The consumer after a cut: the same one when it has delivered exactly what was received, else a successor
 * that starts at `start`. A consumer with explicit acknowledgements redelivers by itself.
 */
export function reopenConsumer(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  { current, start, received, isRenewed, isMoved }: Reopening,
): Promise<OpenConsumer> {
  return insist(asker, `resume the consumer of stream ${spec.stream}`, async () => {
    const existing = await infoOf(manager, spec.stream, current.name);
    const isUnharmed =
      existing !== null &&
      existing.delivered.consumer_seq + 1 === current.nextDelivery &&
      existing.delivered.stream_seq <= received;
    const isStill = !isRenewed && !isMoved;
    if (existing !== null && isStill && (isUnharmed || current.acks === "explicit")) return opened(existing);
    if (spec.durable !== null && current.acks === "all") return replace(manager, spec, spec.durable, start);
    if (existing !== null) await remove(manager, spec.stream, current.name);
    return create(manager, stream, { ...spec, start }, (sequence) => sequence + 1);
  });
}

/**
 * Removes a work queue's consumer that nobody reads, where messages are out that a run before this one did not acknowledge, or
 * where it was moved past some: a new consumer delivers them at once and in order, the old one only after its wait and behind
 * newer ones, or never. The queue keeps its messages without it. Who read it before may be about to end, or have a request there
 * that nobody waits for any more: so it is looked at for as long as a request can last before it is believed that somebody else
 * reads it.
 */
export async function dropDeserted(
  { clock }: Pick<Asker, "clock">,
  manager: JetStreamManager,
  { stream, filter }: ConsumerSpec,
  name: string,
): Promise<void> {
  const until = clock.elapsed() + limits.jetstream_pull_expires_ms + limits.jetstream_pull_grace_ms;
  for (;;) {
    const info = await infoOf(manager, stream, name);
    if (info === null) return;
    // Who may not look into the stream reads on as before.
    const first = await firstFrom(manager, stream, filter, 1).catch(() => null);
    const isMoved = first !== null && first <= info.ack_floor.stream_seq;
    if (!isMoved && info.num_ack_pending === 0) return;
    if (info.num_waiting === 0) return remove(manager, stream, name);
    if (clock.elapsed() >= until) return;
    await sleep(clock, limits.jetstream_deserted_look_ms);
  }
}

/** How far a server has brought a consumer. */
export interface ConsumerStanding {
  /** The stream sequence up to which its messages are acknowledged. */
  readonly acknowledged: number;
  /** The stream sequence behind which it goes on, and the delivery sequence of what comes then. */
  readonly reached: number;
  readonly nextDelivery: number;
  readonly pending: number;
}

/** Null where there is no such consumer. */
export async function standingOf(
  manager: JetStreamManager,
  stream: string,
  consumer: string,
): Promise<ConsumerStanding | null> {
  const info = await infoOf(manager, stream, consumer);
  if (info === null) return null;
  return {
    acknowledged: info.ack_floor.stream_seq,
    reached: info.delivered.stream_seq,
    nextDelivery: info.delivered.consumer_seq + 1,
    pending: info.num_pending,
  };
}

/** Lets the server forget a consumer that was made for this source only. */
export async function dropConsumer(manager: JetStreamManager, stream: string, name: string): Promise<void> {
  await remove(manager, stream, name).catch(() => {});
}
