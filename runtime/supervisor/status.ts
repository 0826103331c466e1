// What a supervisor knows, put together for whoever asks: each pipeline with what it runs as and how it fares, each
// worker with its process. Pure.

import { basename } from "node:path";
import type { PipelineBeat } from "../heartbeat.ts";
import { effectiveRevision } from "./accounting.ts";
import type { ObservedWorker } from "./driver.ts";
import { instancesOf } from "./instances.ts";
import { isHeard, lives } from "./life-signs.ts";
import type { Memory } from "./memory.ts";
import type { Reconciled } from "./reconcile.ts";
import type { Happening, Heard } from "./situation.ts";
import { type ScaleStatus, scaleStatus } from "./scaling.ts";
import type { RefusedFile, WantedPipeline } from "./wanted.ts";

export interface PipelineStatusLine {
  /** Its name; that of the file for one that is refused. */
  readonly name: string;
  /** The revision that is wanted, and the one that is run; null for none. */
  readonly wanted: string | null;
  readonly runs: string | null;
  /** `waiting`: its worker has not told yet. `drained`: nothing is to run here. `refused`: its file cannot be used, or may not be. */
  readonly state: PipelineBeat["phase"] | "waiting" | "drained" | "unplaced" | "quarantined" | "refused";
  /** Why it is not as wanted; null where it is. */
  readonly reason: string | null;
  readonly worker: string | null;
  readonly beat: PipelineBeat | null;
}

export interface WorkerStatusLine {
  readonly name: string;
  readonly id: string;
  readonly state: ObservedWorker["state"] | "hangs" | "quarantined";
  readonly started: number;
  readonly process: number | null;
  readonly memory_bytes: number | null;
  /** Starts since it last ran well. */
  readonly starts: number;
  readonly pipelines: readonly string[];
}

export interface SupervisorStatus {
  readonly host: string;
  readonly driver: string;
  /** Why the driver cannot say what runs; empty while it can. */
  readonly driver_fault: string;
  /** What the supervisor cannot write down, and why: a full disk; null while it can. */
  readonly unkept?: string | null;
  readonly since: number;
  readonly now: number;
  /** Nothing is to run for the time being: somebody drained this host. */
  readonly drained: boolean;
  readonly pipelines: readonly PipelineStatusLine[];
  readonly workers: readonly WorkerStatusLine[];
  /** By pipeline whose partitions share workers; a partition has a line of its own among `pipelines`. */
  readonly scales: Readonly<Record<string, ScaleStatus>>;
  /** What writes the journals of core NATS that pipelines ask for; null where nothing does. */
  readonly ingest?: Pick<ObservedWorker, "id" | "state" | "started"> | null;
  readonly happenings: readonly (Happening & { readonly at: number })[];
}

export interface Known {
  readonly host: string;
  readonly driver: string;
  readonly driverFault: string;
  readonly unkept?: string | null;
  readonly since: number;
  readonly now: number;
  readonly held: boolean;
  readonly wanted: readonly WantedPipeline[];
  readonly refused: readonly RefusedFile[];
  readonly workers: readonly ObservedWorker[] | null;
  readonly heard: ReadonlyMap<string, Heard>;
  readonly memory: Memory;
  readonly unplaced: Reconciled["unplaced"];
  /** What may not run now although it is wanted, and why: it goes to another host, or comes from one. */
  readonly going?: ReadonlyMap<string, string>;
  readonly told: SupervisorStatus["happenings"];
}

export function statusOf(known: Known): SupervisorStatus {
  const { host, driver, driverFault, since, now, wanted, workers, memory, told } = known;
  return {
    host,
    driver,
    driver_fault: driverFault,
    unkept: known.unkept ?? null,
    since,
    now,
    drained: known.held,
    pipelines: [
      ...wanted.flatMap((each) => instancesOf(each).map((name) => pipelineLine(name, each, known))),
      ...known.refused.flatMap((each) => refusedLine(each, wanted)),
    ],
    workers: (workers ?? []).map((each) => workerLine(each, known)),
    scales: Object.fromEntries(
      Object.entries(memory.scales).map(([name, each]) => [name, scaleStatus(each)] as const),
    ),
    happenings: [...told],
  };
}

/** Why not all that is wanted runs, a line each; what a worker says of itself it says in the same words. */
export function unready({ driver_fault, pipelines }: SupervisorStatus): readonly string[] {
  const missing = pipelines.filter(({ state }) => state !== "running" && state !== "stopped");
  const faults = missing.map(({ name, runs, wanted, state, reason }) => {
    const revision = runs ?? wanted;
    const what = revision === null ? name : `${name}@${revision}`;
    return `${what} is ${state}${reason === null ? "" : `: ${reason.split("\n", 1)[0]}`}`;
  });
  return driver_fault === "" ? faults : [`the driver fails: ${driver_fault}`, ...faults];
}

/** A file of which nothing runs. Where what it said before still does, that has a line of its own. */
function refusedLine(refused: RefusedFile, wanted: readonly WantedPipeline[]): PipelineStatusLine[] {
  if (wanted.some((each) => isOf(each, refused))) return [];
  const { file, name = basename(file), reason } = refused;
  const nothing = { wanted: null, runs: null, worker: null, beat: null };
  return [{ name, state: "refused", reason, ...nothing }];
}

/** Whether it was that pipeline which was refused, as it is asked for now. */
function isOf({ name, file }: WantedPipeline, refused: RefusedFile): boolean {
  return refused.name === undefined ? refused.file === file : refused.name === name;
}

function pipelineLine(name: string, pipeline: WantedPipeline, known: Known): PipelineStatusLine {
  const { revision } = pipeline;
  const memory = known.memory.pipelines[name];
  const worker = memory?.worker ?? null;
  const runs = memory === undefined ? null : effectiveRevision(memory);
  const line = { name, wanted: revision, runs, worker };
  const refused = memory?.refused[revision];
  const going = known.going?.get(name);
  if (going !== undefined) return { ...line, state: "waiting", reason: going, beat: null };
  if (memory !== undefined && runs === null)
    return { ...line, state: "quarantined", reason: refused ?? null, beat: null };
  const unplaced = known.unplaced.find((each) => each.name === name);
  if (unplaced !== undefined) return { ...line, state: "unplaced", reason: unplaced.reason, beat: null };
  const quarantine = worker === null ? null : (known.memory.workers[worker]?.quarantine ?? null);
  if (quarantine !== null) return { ...line, state: "quarantined", reason: quarantine.reason, beat: null };
  const beat = beatOf(name, runs, worker, known);
  const back = refused === undefined ? null : `revision ${revision} was rolled back: ${refused}`;
  const broken = known.refused.find((each) => isOf(pipeline, each))?.reason ?? null;
  const silent = known.held ? "drained" : "waiting";
  const why = beat === null ? lastFailure(worker, known) : beat.fault;
  return { ...line, state: beat?.phase ?? silent, reason: why ?? broken ?? back, beat };
}

/** Of a worker that is to be started again, or could not be: what was told of that last. */
function lastFailure(worker: string | null, { held, memory, told }: Known): string | null {
  if (held || worker === null || (memory.workers[worker]?.restart.attempt ?? 0) === 0) return null;
  return told.findLast(({ what, name }) => what === "failed" && name === worker)?.reason ?? null;
}

/** What its worker says of it, while the worker can be heard. */
function beatOf(
  name: string,
  revision: string | null,
  worker: string | null,
  { heard, workers, now }: Known,
): PipelineBeat | null {
  const last = worker === null ? undefined : heard.get(worker);
  const there = workers?.some((each) => each.name === worker && lives(each)) === true;
  if (last === undefined || !there || !isHeard({ heard: last }, now)) return null;
  return last.beat.pipelines.find((each) => each.name === name && each.revision === revision) ?? null;
}

function workerLine(worker: ObservedWorker, { heard, memory, now }: Known): WorkerStatusLine {
  const { id, name, started } = worker;
  const remembered = memory.workers[name];
  const last = heard.get(name);
  const audible = lives(worker) && last !== undefined && isHeard({ heard: last }, now);
  const state =
    remembered?.doomed[id] !== undefined && lives(worker)
      ? "hangs"
      : remembered?.quarantine != null && !lives(worker)
        ? "quarantined"
        : worker.state;
  return {
    name,
    id,
    state,
    started,
    process: audible ? last.beat.process : null,
    memory_bytes: audible ? last.beat.memory_bytes : null,
    starts: remembered?.restart.attempt ?? 0,
    pipelines: audible ? last.beat.pipelines.map((each) => each.name) : [],
  };
}
