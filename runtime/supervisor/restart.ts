// When a worker, or a pipeline in it, that failed is started again, and when not any more. Pure: the time and
// the jitter are arguments. Never starts or ends anything.

import { limits } from "../limits.ts";

/** What is remembered of the failures of one worker or pipeline. */
export interface RestartRecord {
  /** Wall clock ms of those since it was last good, oldest first. */
  readonly failures: readonly number[];
  /** Starts that were needed since then, those included that did not come about. */
  readonly attempt: number;
  /** It is not started before; 0 where nothing holds it back. */
  readonly notBefore: number;
}

export const neverFailed: RestartRecord = { failures: [], attempt: 0, notBefore: 0 };

/** ms before start number `attempt` after a failure (0 is the first); `jitter` is in [0, 1). */
export function restartDelay(attempt: number, jitter: number): number {
  const { restart_back_off_ms_min: shortest, restart_back_off_ms_max: longest } = limits;
  const ceiling = Math.min(longest, shortest * 2 ** Math.min(attempt, 30));
  return Math.round(Math.max(shortest, ceiling * (0.5 + jitter / 2)));
}

export interface FailureVerdict {
  readonly record: RestartRecord;
  /** True when it failed too often in too short a time to be started again as it is. */
  readonly exhausted: boolean;
}

/**
 * Failing fast is too often by the intensity; failing each time that it is started is so in the end, because
 * the longest back-off keeps it below that for ever.
 */
export function afterFailure(record: RestartRecord, now: number, jitter: number): FailureVerdict {
  const failures = [...record.failures, now];
  // Times that lie ahead are of a clock that was put back since: they count, because nobody knows how old they are.
  const lately = failures.filter((at) => now - at < limits.restart_within_ms);
  return {
    record: { ...afterRefusal(record, now, jitter), failures },
    exhausted: lately.length >= limits.restart_intensity || failures.length >= limits.restart_in_a_row_max,
  };
}

/** The same where it was not even started: there is a wait, and nothing to blame. */
export function afterRefusal(record: RestartRecord, now: number, jitter: number): RestartRecord {
  const notBefore = now + restartDelay(record.attempt, jitter);
  return { ...record, attempt: record.attempt + 1, notBefore };
}

/** True when it may be started. A time too far ahead is of a clock that was put back since. */
export function isDue({ notBefore }: RestartRecord, now: number): boolean {
  return now >= notBefore || notBefore - now > limits.restart_back_off_ms_max;
}

/** It has run since `since` without a failure: whether that is long enough to forget those before. */
export function isGood(since: number, now: number): boolean {
  return now - since >= limits.restart_good_ms;
}

/** What is known of the life of a worker whose process is there. */
export interface SignsOfLife {
  /** Wall clock ms at which its process was started, or since when this supervisor watches it, whichever is later. */
  readonly since: number;
  /** Of its last heartbeat; null before the first. */
  readonly heard: number | null;
  /** That said that what it is to run is not open yet. */
  readonly starts: boolean;
  /** How late the supervisor itself was lately, ms: where it has to wait for a processor, workers have to as well. */
  readonly late: number;
  /** How many times as long as a process of this host it takes for everything. */
  readonly slowness: number;
}

/** For how long (ms) it has been silent beyond what it may; 0 when it does not hang. */
export function silence({ since, heard, starts, late, slowness }: SignsOfLife, now: number): number {
  const leeway = lateFactor * late;
  // It answers before it loads what it runs, which leaves it no time to answer where the processor is others' as well.
  if ((heard === null || starts) && now - since <= limits.worker_start_ms_max * slowness + leeway) return 0;
  const waited = now - (heard ?? since);
  return waited > limits.worker_hang_ms * slowness + leeway ? waited : 0;
}

/** A worker has more to do than a supervisor, and waits longer. */
const lateFactor = 3;

/** A pipeline of a worker that failed too often. */
export interface Suspect {
  readonly name: string;
  /** The revision that it runs. */
  readonly revision: string;
  /** The last one that ran well; null when none did. */
  readonly good: string | null;
}

export interface Escalation {
  /** Each gets a worker of its own, so that it is seen which of them it is. */
  readonly apart: readonly string[];
  /** Goes back to its good revision; null for none. */
  readonly rollBack: string | null;
  /** Has none, and does not run any more; null for none. */
  readonly quarantine: string | null;
  /** It is alone and nothing in it is new: its worker is not started any more. */
  readonly whole: boolean;
}

const noEscalation: Escalation = { apart: [], rollBack: null, quarantine: null, whole: false };

/** What becomes of a worker's pipelines when it failed too often: what is new is blamed first. */
export function escalate(pipelines: readonly Suspect[]): Escalation {
  const recent = pipelines.filter(({ revision, good }) => revision !== good);
  const blamed = recent.length > 0 ? recent : pipelines;
  if (blamed.length > 1) return { ...noEscalation, apart: blamed.map(({ name }) => name) };
  const [only] = blamed;
  if (only === undefined || recent.length === 0) return { ...noEscalation, whole: true };
  return only.good === null
    ? { ...noEscalation, quarantine: only.name }
    : { ...noEscalation, rollBack: only.name };
}
