// What a stream's server says of a stream, as far as it matters for going on in it. Only reads; decides nothing.

import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { StreamFacts, StreamPlace } from "./stream-resume.ts";
import { includes } from "./subject.ts";

/** When a stream stored a message: ms since the epoch, and the nanoseconds beyond. All 0 where it is not known. */
export interface StoredTime {
  readonly stored: number;
  readonly stored_ns: number;
}

export const unknownTime: StoredTime = { stored: 0, stored_ns: 0 };

/** Below 0 where `a` is before `b`. */
export function compareTimes(a: StoredTime, b: StoredTime): number {
  return a.stored - b.stored || a.stored_ns - b.stored_ns;
}

/** Reads `2026-03-01T12:00:00.123456789Z`; servers leave out zeros at the end. */
export function parseStored(text: string): StoredTime {
  const [seconds = "", behind = ""] = text.replace(/Z$/, "").split(".");
  const fraction = behind.padEnd(9, "0");
  const ms = Date.parse(`${seconds}.${fraction.slice(0, 3)}Z`);
  return { stored: ms, stored_ns: Number(fraction.slice(3, 9)) };
}

/**
 * The facts of a stream for one that read it up to `place`, and nothing that was stored later. `exact`: the time is that of
 * the message at the place.
 */
export async function streamFacts(
  manager: JetStreamManager,
  stream: StreamInfo,
  place: StreamPlace & StoredTime,
  exact: boolean,
): Promise<StreamFacts> {
  const { created, first, last } = factsOf(stream);
  const facts: StreamFacts = { created, first, last, reused: null };
  if (created !== place.created || place.stored === 0) return facts;
  const timeOf = (sequence: number): Promise<StoredTime | null> =>
    storedTime(manager, stream.config.name, sequence);
  if (place.sequence > last) return { ...facts, reused: await firstAfter(place, first, last, timeOf) };
  const kept = place.sequence < first ? null : await timeOf(place.sequence);
  const order = kept === null ? 0 : compareTimes(kept, place);
  if (order === 0 || (order < 0 && !exact)) return facts;
  const reused = await firstAfter(place, first, place.sequence, timeOf);
  // With a clock that was set back, times do not tell where the numbers were given anew; that they were is certain.
  return { ...facts, reused: reused ?? place.sequence };
}

/** When a message was stored; null where there is none. */
export async function storedTime(
  manager: JetStreamManager,
  stream: string,
  sequence: number,
): Promise<StoredTime | null> {
  const message = await manager.streams.getMessage(stream, { seq: sequence });
  return message === null ? null : parseStored(message.timestamp);
}

/** The first message of a subject, or of a pattern, that a stream has from `sequence` on; null where there is none. */
export async function firstFrom(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  sequence: number,
): Promise<number | null> {
  const asked = { seq: Math.max(1, sequence), next_by_subj: subject };
  return (await manager.streams.getMessage(stream, asked))?.seq ?? null;
}

/** The first message from `first` to `last` that was stored after `time`; null where there is none. */
async function firstAfter(
  time: StoredTime,
  first: number,
  last: number,
  timeOf: (sequence: number) => Promise<StoredTime | null>,
): Promise<number | null> {
  let low = first;
  let high = last + 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    let found = middle;
    let stored = await timeOf(found);
    // Messages that were deleted one by one leave holes.
    while (stored === null && found + 1 < high) stored = await timeOf(++found);
    if (stored === null || compareTimes(stored, time) > 0) high = middle;
    else low = found + 1;
  }
  return low > last ? null : low;
}

/** What the stream's own state tells. */
export function factsOf(stream: StreamInfo): Omit<StreamFacts, "reused"> {
  return { created: stream.created, first: firstOf(stream), last: stream.state.last_seq };
}

/** The stream's first message; the next one where it holds none, which some servers say as 0. */
export function firstOf({ state }: StreamInfo): number {
  return state.messages === 0 ? state.last_seq + 1 : state.first_seq;
}

/** True when every message of the stream is one that the filter takes, so that a number that is missing was one of ours. */
export function takesAll({ config }: StreamInfo, filter: string): boolean {
  // A mirror has the numbers of another stream, of which it may leave out some; of what sources bring, subjects say nothing.
  const { subjects, sources, mirror } = config as Partial<StreamInfo["config"]>;
  if (mirror !== undefined) return false;
  if (filter === ">") return true;
  const isOwn = (sources ?? []).length === 0;
  const isKnown = subjects !== undefined && subjects.length > 0;
  return isOwn && isKnown && subjects.every((subject) => includes(filter, subject));
}
