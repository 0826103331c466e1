// When a worker, or a pipeline in it, that failed is started again, and when not any more. Pure: the time and
// the jitter are arguments. Never starts or ends anything.

import { limits } from "../limits.ts";

/** What is remembered of the failures of one worker or pipeline. */
export interface RestartRecord {
  /** Wall clock ms of those that still count towards the intensity, oldest first. */
  readonly failures: readonly number[];
  /** Failures since it was last good. */
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

export function afterFailure(record: RestartRecord, now: number, jitter: number): FailureVerdict {
  // Failures that lie ahead are of a clock that was put back since: they count, because nobody knows how old they are.
  const counted = record.failures.filter((at) => now - at < limits.restart_within_ms);
  const failures = [...counted, now].slice(-limits.restart_intensity);
  const notBefore = now + restartDelay(record.attempt, jitter);
  return {
    record: { failures, attempt: record.attempt + 1, notBefore },
    exhausted: failures.length >= limits.restart_intensity,
  };
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
}

/** For how long (ms) it has been silent beyond what it may; 0 when it does not hang. */
export function silence({ since, heard }: SignsOfLife, now: number): number {
  const waited = now - (heard ?? since);
  const allowed = heard === null ? limits.worker_start_ms_max : limits.worker_hang_ms;
  return waited > allowed ? waited : 0;
}

/** A pipeline of a worker that failed too often. */
export interface Suspect {
  readonly name: string;
  /** The revision that it runs. */
  readonly revision: string;
  /** The last one that ran well; null when none did. */
  readonly good: string | null;
}

export interface Escalation {
  /** Go back to their good revision. */
  readonly rollBack: readonly string[];
  /** Have none, and do not run any more. */
  readonly quarantine: readonly string[];
  /** Nothing in it is new, so no pipeline can be blamed: the worker as a whole is not started any more. */
  readonly whole: boolean;
}

/** What becomes of a worker's pipelines when it failed too often: what is new is blamed first. */
export function escalate(pipelines: readonly Suspect[]): Escalation {
  const blamed = pipelines.filter(({ revision, good }) => revision !== good);
  return {
    rollBack: blamed.filter(({ good }) => good !== null).map(({ name }) => name),
    quarantine: blamed.filter(({ good }) => good === null).map(({ name }) => name),
    whole: blamed.length === 0,
  };
}
