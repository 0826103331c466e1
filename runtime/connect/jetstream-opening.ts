// How reading a stream begins: as a new one, where its consumer stood, or behind a position of an earlier run. Makes the
// consumer and what keeps account of it; reads no message.

import { type JetStreamManager, RetentionPolicy, type StreamInfo } from "@nats-io/jetstream";
import type { Clock } from "../clock.ts";
import type { Framing } from "../codec/framing.ts";
import type { Plain } from "../state/plain.ts";
import { WeirError } from "../errors.ts";
import type { ConnectorLog } from "./connector-log.ts";
import {
  type ConsumerSpec,
  dropConsumer,
  dropDeserted,
  isPlacedAt,
  openConsumer,
  type OpenConsumer,
  standingOf,
} from "./jetstream-consumer.ts";
import { type Asker, insist, waitForStream } from "./jetstream-requests.ts";
import type { NatsLink } from "./nats-connection.ts";
import { factsOf, firstOf, storedTime, type StoredTime, streamFacts, unknownTime } from "./stream-facts.ts";
import { positionOf, StreamProgress } from "./stream-progress.ts";
import { resumeStream, type Resumption, type StreamEvent, type StreamPlace } from "./stream-resume.ts";
import { subscribeSubjectFault } from "./subject.ts";

export interface JetStreamSourceOptions {
  readonly link: NatsLink;
  readonly stream: string;
  /** Which of the stream's subjects; wildcards allowed. */
  readonly subject: string;
  /**
   * A durable consumer's name: the place in the stream survives a restart. Absent: starts at `start` each time. Where the
   * caller keeps positions, only streams that drop what is acknowledged have one.
   */
  readonly consumer?: string;
  /** Where a new consumer starts: the first message by default. */
  readonly start?: ConsumerSpec["start"];
  /** It looks on: nothing is acknowledged, whatever the stream does with what is. Has no durable consumer. */
  readonly looksOn?: boolean;
  /** Another JetStream domain. */
  readonly domain?: string;
  /** How many records a message holds; default: one. */
  readonly framing?: Framing;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
  readonly messagesMax?: number;
  readonly bytesMax?: number;
}

/** Refuses what is no subject that a consumer could read. */
export function checkSubject(asker: Asker, subject: string): void {
  const fault = subscribeSubjectFault(subject);
  if (fault === null) return;
  throw new WeirError("WEIR_CONFIG", `${asker.name}: subject ${JSON.stringify(subject)}: ${fault}`, {
    remedy: "Name one of the stream's subjects, or a pattern of them.",
  });
}

export interface Opening {
  readonly consumer: OpenConsumer;
  readonly progress: StreamProgress;
  /** As it is now for making consumers. */
  readonly spec: ConsumerSpec;
  /** What happened to the stream since it was last read. */
  readonly events: readonly StreamEvent[];
}

export interface Decision extends Resumption {
  /**
   * Where numbers mean something else from `start` on: when the message before it was stored, by which it is known that the stream
   * lost its end once more before anything came.
   */
  readonly before: StoredTime;
}

/** Where to go on behind what was read. `exact`: the time is that of the message at the place. */
export function decide(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  place: StreamPlace & StoredTime,
  exact: boolean,
): Promise<Decision> {
  const { name } = stream.config;
  return insist(asker, `read stream ${name}`, async () => {
    const resumption = resumeStream(place, await streamFacts(manager, stream, place, exact));
    const asks = exact && resumption.incarnation !== place.incarnation && resumption.start > 1;
    const before = asks ? await storedTime(manager, name, resumption.start - 1) : null;
    return { ...resumption, before: before ?? unknownTime };
  });
}

/**
 * `resume`: the position of an earlier run, null where there is none, undefined where nobody keeps positions. What was found of a
 * server before the connection was cut need not be so behind that: then it is looked for anew.
 */
export async function openStream(
  asker: Asker,
  manager: JetStreamManager,
  spec: ConsumerSpec,
  resume: Plain | null | undefined,
): Promise<Opening & { readonly stream: StreamInfo }> {
  const { link } = asker;
  for (;;) {
    const { cuts } = link;
    const stream = await waitForStream(asker, manager, spec.stream);
    const opening = await openFound(asker, manager, stream, spec, resume);
    if (link.cuts === cuts) return { ...opening, stream };
    if (opening.spec.durable === null) await dropConsumer(manager, spec.stream, opening.consumer.name);
  }
}

async function openFound(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  resume: Plain | null | undefined,
): Promise<Opening> {
  if (resume === undefined) return openAcknowledging(asker, manager, stream, spec, false);
  // What was read is in the caller's log, and the stream keeps it anyway: there is nothing to acknowledge.
  const isKept = stream.config.retention === RetentionPolicy.Limits;
  const isQueue = stream.config.retention === RetentionPolicy.Workqueue;
  // What is in a queue nobody else has read.
  const logged: ConsumerSpec = isKept
    ? { ...spec, durable: null }
    : isQueue
      ? { ...spec, start: "all" }
      : spec;
  const { durable } = logged;
  if (isQueue && durable !== null)
    await insist(asker, `read consumer ${durable}`, () => dropDeserted(asker, manager, spec, durable));
  if (resume !== null) return openBehind(asker, manager, stream, logged, resume);
  const isNext = isKept && spec.start === "new";
  const stood = isNext ? stream.state.last_seq : isKept ? await standing(asker, manager, spec) : null;
  if (stood === null) return openAcknowledging(asker, manager, stream, logged, true);
  const resumed = behind(stream, stood);
  const why = isNext
    ? "with what comes from now on"
    : `where its consumer ${spec.durable} stood; from now on the state folder says where`;
  asker.log.info(`${asker.name}: going on behind message ${stood}, ${why}`);
  const opening = await openAcknowledging(asker, manager, stream, { ...logged, start: resumed.start }, true);
  return { ...opening, events: resumed.events };
}

/** Up to where the durable consumer had come by which the same was read before positions were kept; null where none did. */
async function standing(asker: Asker, manager: JetStreamManager, spec: ConsumerSpec): Promise<number | null> {
  const { durable } = spec;
  if (durable === null) return null;
  const stood = await insist(asker, `read consumer ${durable}`, () =>
    standingOf(manager, spec.stream, durable),
  );
  return stood === null || stood.acknowledged === 0 ? null : stood.acknowledged;
}

/** Where to go on behind a message that a consumer of this very stream had reached: it is never older than its stream. */
function behind(stream: StreamInfo, sequence: number): Resumption {
  const { created } = stream;
  return resumeStream({ created, incarnation: 1, sequence }, { ...factsOf(stream), reused: null });
}

/** As a new one, or where its consumer stood. */
async function openAcknowledging(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  remembers: boolean,
): Promise<Opening> {
  let found: Resumption | null = null;
  const consumer = await openConsumer(asker, manager, stream, spec, (sequence) => {
    found = behind(stream, sequence);
    return found.start;
  });
  const { acks, floor } = consumer;
  // One that had acknowledged nothing does not tell where it began.
  const stood = floor === 0 ? null : (found as Resumption | null);
  const isPlaced = isPlacedAt(spec.start);
  const isNew = floor === 0 && isPlaced;
  const progress = new StreamProgress({
    stream: spec.stream,
    acks,
    remembers,
    created: stream.created,
    floor: isNew ? firstOf(stream) - 1 : floor,
    isPlaced,
    from: null,
  });
  if (stood !== null) progress.skipTo(stood.start - 1);
  return { consumer, progress, spec, events: stood?.events ?? [] };
}

async function openBehind(
  asker: Asker,
  manager: JetStreamManager,
  stream: StreamInfo,
  spec: ConsumerSpec,
  resume: Plain,
): Promise<Opening> {
  const from = positionOf(resume, spec.stream);
  if (from === null) {
    asker.log.warn(`${asker.name}: the last run read another stream; this one is read as a new one`);
    return openAcknowledging(asker, manager, stream, spec, true);
  }
  const isQueue = stream.config.retention === RetentionPolicy.Workqueue;
  const resumed = await decide(asker, manager, stream, from, !isQueue);
  const isRenewed = resumed.incarnation !== from.incarnation;
  // It may wait behind the end of the stream; a work queue keeps its messages without it.
  if (isQueue && isRenewed && spec.durable !== null) await dropConsumer(manager, spec.stream, spec.durable);
  const start = isQueue ? spec.start : resumed.start;
  const consumer = await openConsumer(asker, manager, stream, { ...spec, start }, (sequence) => sequence + 1);
  const { acks, floor } = consumer;
  const progress = new StreamProgress({
    stream: spec.stream,
    acks,
    remembers: true,
    created: from.created,
    floor,
    isPlaced: true,
    from,
  });
  if (isRenewed) progress.begin(stream.created, resumed, resumed.before);
  else progress.skipTo(resumed.start - 1);
  return { consumer, progress, spec, events: resumed.events };
}
