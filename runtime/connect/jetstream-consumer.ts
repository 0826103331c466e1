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
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { insist, isCode, type Asker } from "./jetstream-requests.ts";

export interface ConsumerSpec {
  readonly stream: string;
  /** A durable consumer's name; null for one that the server forgets. */
  readonly durable: string | null;
  readonly filter: string;
  /** Where a new consumer starts: the first message, the next one, or a stream sequence. */
  readonly start: "all" | "new" | number;
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
function acksFor(stream: StreamInfo, durable: boolean): Acks {
  const { retention } = stream.config;
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
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, start) };
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

/** The consumer to read from, made when there is none. Waits for the server as long as it takes. */
export function openConsumer(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
): Promise<OpenConsumer> {
  return insist(asker, `open a consumer of stream ${spec.stream}`, async () => {
    const { durable } = spec;
    const existing = durable === null ? null : await infoOf(manager, spec.stream, durable);
    if (durable === null || existing === null) return create(asker, manager, stream, spec);
    checkExisting(asker, spec, existing);
    const { floor } = opened(existing);
    const start = typeof spec.start === "number" ? spec.start : floor + 1;
    const isWhereItShouldBe = existing.num_ack_pending === 0 && start === floor + 1;
    if (existing.config.ack_policy !== AckPolicy.All || isWhereItShouldBe) return opened(existing);
    return replace(asker, manager, spec, durable, start);
  });
}

async function create(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
): Promise<OpenConsumer> {
  const acks = acksFor(stream, spec.durable !== null);
  // A bookmark without its consumer: the last attempt to replace it ended in between.
  const bookmark =
    spec.durable === null ? null : await infoOf(manager, spec.stream, spec.durable + bookmarkSuffix);
  const start = bookmark?.config.opt_start_seq ?? spec.start;
  const from = typeof start === "number" ? await within(asker, manager, spec, start) : start;
  // A work queue delivers whatever it still holds; the server allows nothing else.
  const config = configOf(spec, acks, acks === "explicit" ? "all" : from);
  const info = await manager.consumers.add(spec.stream, config);
  if (bookmark !== null) await remove(manager, spec.stream, bookmark.name);
  return opened(info);
}

/** The start, or the stream's first message when the stream ends before it: a consumer would wait there in silence. */
async function within(
  asker: Asker,
  manager: JetStreamManager,
  spec: ConsumerSpec,
  start: number,
): Promise<number> {
  const { state } = await manager.streams.info(spec.stream);
  if (start <= state.last_seq + 1) return start;
  asker.log.warn(
    `${asker.name}: the stream ends at ${state.last_seq}, before position ${start - 1}: it was made anew or lost its end; reading it from its start`,
  );
  return state.first_seq;
}

async function replace(
  asker: Asker,
  manager: JetStreamManager,
  spec: ConsumerSpec,
  durable: string,
  start: number,
): Promise<OpenConsumer> {
  const from = await within(asker, manager, spec, start);
  const bookmark = configOf({ ...spec, durable: durable + bookmarkSuffix }, "all", from);
  await remove(manager, spec.stream, durable + bookmarkSuffix);
  await manager.consumers.add(spec.stream, bookmark);
  await remove(manager, spec.stream, durable);
  const info = await manager.consumers.add(spec.stream, configOf(spec, "all", from));
  await remove(manager, spec.stream, durable + bookmarkSuffix);
  return opened(info);
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
  current: OpenConsumer,
  start: number,
): Promise<OpenConsumer> {
  return insist(asker, `resume the consumer of stream ${spec.stream}`, async () => {
    const existing = await infoOf(manager, spec.stream, current.name);
    const isUnharmed = existing !== null && existing.delivered.consumer_seq + 1 === current.nextDelivery;
    if (existing !== null && (isUnharmed || current.acks === "explicit")) return opened(existing);
    if (spec.durable !== null && current.acks === "all")
      return replace(asker, manager, spec, spec.durable, start);
    if (existing !== null) await remove(manager, spec.stream, current.name);
    return create(asker, manager, stream, { ...spec, start: current.acks === "explicit" ? "all" : start });
  });
}

/** Lets the server forget a consumer that was made for this source only. */
export async function dropConsumer(manager: JetStreamManager, stream: string, name: string): Promise<void> {
  await remove(manager, stream, name).catch(() => {});
}
