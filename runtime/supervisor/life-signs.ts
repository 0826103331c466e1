// What one look at the processes and heartbeats of one worker says: whether it lives, and which failures are
// new since the last look. Each failure is told once. Pure; it decides nothing about what follows.

import type { Heartbeat } from "../heartbeat.ts";
import type { ObservedWorker } from "./driver.ts";
import type { WorkerMemory } from "./memory.ts";
import type { Heard } from "./situation.ts";
import { isGood, neverFailed, silence } from "./restart.ts";
import { limits } from "../limits.ts";
import { isStartedAs } from "./worker-limits.ts";

export const unknownWorker: WorkerMemory = {
  restart: neverFailed,
  living: null,
  settled: [],
  doomed: {},
  lifeless: null,
  quarantine: null,
};

/** What there is to be seen of one worker. */
export interface Sight {
  readonly handles: readonly ObservedWorker[];
  readonly heard: Heard | undefined;
  /** Why the driver could not start it; undefined where it was not asked or could. */
  readonly refused: string | undefined;
  /** Since when heartbeats are listened for, wall clock ms. */
  readonly since: number;
  /** How late this look is, or one not long ago was, ms. */
  readonly late: number;
  /** Of how workers are started now, whatever their limits. */
  readonly revision: string;
}

export interface Failure {
  readonly reason: string;
  /** False where it was not even started: then nothing that it runs is to blame. */
  readonly blames: boolean;
}

export interface Looked {
  readonly memory: WorkerMemory;
  readonly failures: readonly Failure[];
}

/** True for one whose process is there, or may be. */
export function lives({ state }: ObservedWorker): boolean {
  return state !== "exited";
}

export function lookAt(before: WorkerMemory, sight: Sight, now: number): Looked {
  const seen = new Set(sight.handles.map(({ id }) => id));
  const living = sight.handles.filter(lives);
  const failures: Failure[] = sight.refused === undefined ? [] : [{ reason: sight.refused, blames: false }];
  const fail = (reason: string): void => void failures.push({ reason, blames: true });
  const settled = before.settled.filter((id) => seen.has(id));
  for (const each of sight.handles) {
    if (lives(each) || settled.includes(each.id)) continue;
    settled.push(each.id);
    fail(endText(each));
  }
  const doomed = Object.fromEntries(Object.entries(before.doomed).filter(([id]) => seen.has(id)));
  const doom = (id: string, reason: string): void => {
    if (doomed[id] !== undefined) return;
    doomed[id] = reason;
    if (!settled.includes(id)) settled.push(id);
  };
  for (const each of tooMany(living, sight.revision)) doom(each.id, "there is another one of that name");
  for (const each of living.filter(({ id }) => !settled.includes(id))) {
    const silent = hangs(each, sight, now);
    if (silent === 0) continue;
    fail(`no heartbeat for ${(silent / 1000).toFixed(1)} s`);
    doom(each.id, `no heartbeat for ${(silent / 1000).toFixed(1)} s`);
  }
  const lifeless = living.length > 0 ? null : (before.lifeless ?? now);
  const missing = living.length === 0 && before.living !== null && !seen.has(before.living);
  if (missing && !isHeard(sight, now)) fail("it is gone, and nobody knows how it ended");
  const stillLiving = missing && isHeard(sight, now) ? before.living : (living[0]?.id ?? null);
  const restart = living.some((each) => isWell(each, sight, now)) ? neverFailed : before.restart;
  return { memory: { ...before, settled, doomed, lifeless, living: stillLiving, restart }, failures };
}

/** A heartbeat came not long ago, so somebody is there whatever the driver says. */
export function isHeard({ heard }: Pick<Sight, "heard">, now: number): boolean {
  return heard !== undefined && now - heard.at <= limits.worker_hang_ms;
}

/** All but one of several of one name: the oldest of the present revision stays. */
function tooMany(living: readonly ObservedWorker[], revision: string): readonly ObservedWorker[] {
  const certain = living.filter(({ state }) => state !== "unknown");
  const rank = (each: ObservedWorker): number => (isStartedAs(each.revision, revision) ? 0 : 1);
  return certain
    .toSorted((a, b) => rank(a) - rank(b) || a.started - b.started || (a.id < b.id ? -1 : 1))
    .slice(1);
}

/** For how long it has been silent beyond what it may. Nobody can say of one that is `unknown`. */
function hangs(
  { state, started, slowness = 1 }: ObservedWorker,
  { heard, since, late }: Sight,
  now: number,
): number {
  if (state === "unknown") return 0;
  // A heartbeat of an earlier process of that name says nothing about this one.
  const own = heard !== undefined && heard.at >= started ? heard : null;
  const starts = own !== null && isStarting(own.beat);
  const from = Math.max(since, started);
  return silence({ since: from, heard: own?.at ?? null, starts, late, slowness }, now);
}

/** It has not come to what it was told to run, or not all of that is open. */
function isStarting({ assignment, pipelines }: Heartbeat): boolean {
  return assignment === null || pipelines.some(({ phase }) => phase === "starting");
}

/**
 * All that it runs has been as it is now for long enough: how long the process took to start tells nothing, and on a slow host
 * that would be longer than many a worker lives which fails with its first record.
 */
function isWell({ state, started }: ObservedWorker, { heard }: Sight, now: number): boolean {
  // A heartbeat of an earlier process of that name says nothing about this one.
  if (state !== "running" || heard === undefined || heard.at < started || !isHeard({ heard }, now))
    return false;
  const { pipelines } = heard.beat;
  return pipelines.length > 0 && pipelines.every(({ since }) => isGood(Math.max(since, started), now));
}

function endText({ exitCode, outOfMemory }: ObservedWorker): string {
  if (outOfMemory) return "it took more memory than it may";
  return exitCode === null ? "a signal ended it" : `it ended by itself with ${exitCode}`;
}
