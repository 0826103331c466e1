// What has to be done on this host so that what is wanted is what runs: one look at what is wanted, at what is
// there and at what is remembered, and the actions that follow, each with its reason. Pure; carried out by others.

import type { AssignmentKey } from "../assignment.ts";
import type { Heartbeat } from "../heartbeat.ts";
import { account, effectiveRevision } from "./accounting.ts";
import type { Capacity } from "./capacity.ts";
import type { ObservedWorker, WorkerLimits } from "./driver.ts";
import type { Memory, PipelineMemory } from "./memory.ts";
import { type Packable, packIntoWorkers } from "./pack.ts";
import type { Placement } from "./place.ts";
import { neverFailed } from "./restart.ts";
import type { ScaleTiming } from "./scale.ts";
import { rescale } from "./scaling.ts";
import { actionsFor } from "./worker-actions.ts";
import { ownLimits, sharedCapacity } from "./worker-limits.ts";
import { isOwnWorker } from "./worker-names.ts";

/** One pipeline that is wanted on this host, or one partition of it. */
export interface DesiredPipeline extends Omit<Packable, "among"> {
  /** Of its text. */
  readonly revision: string;
  /** The pipeline that it is a partition of, and the most workers that its partitions may have. */
  readonly partitionOf?: { readonly pipeline: string; readonly most: number };
  /** Which turn of it this host's is, where it goes from host to host. */
  readonly term?: number | undefined;
}

export interface Desired {
  readonly pipelines: readonly DesiredPipeline[];
  /** Of how workers are started here: their command and surroundings. */
  readonly worker: string;
  /** How far each of them may go; one with a pipeline of its own as far as that is expected to. */
  readonly limits: WorkerLimits;
  /** What all workers may take together. */
  readonly host: Capacity;
  /** How fast partitions are given more workers, or fewer; as usual when left out. */
  readonly scaling?: ScaleTiming;
}

/** A heartbeat, and when it came by the supervisor's own clock. */
export interface Heard {
  readonly at: number;
  readonly beat: Heartbeat;
}

export interface Observed {
  /** Null when the driver could not say: then nothing is started and nothing is ended. */
  readonly workers: readonly ObservedWorker[] | null;
  /** By worker, the last one. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** By worker, what its assignment says. */
  readonly assigned: ReadonlyMap<string, readonly AssignmentKey[]>;
  /** Workers for which an action is being carried out. */
  readonly busy: ReadonlySet<string>;
  /** By worker, why the driver could not start it since the last look. */
  readonly refused: ReadonlyMap<string, string>;
  /** Since when this supervisor listens for heartbeats, wall clock ms. */
  readonly since: number;
  /** How late this look is, or one not long ago was, ms. */
  readonly late: number;
  /** Bytes of this host's memory that nobody has taken. */
  readonly memoryFree: number;
}

export type Action =
  | {
      readonly kind: "assign";
      readonly worker: string;
      readonly pipelines: readonly AssignmentKey[];
      readonly reason: string;
    }
  | {
      readonly kind: "start";
      readonly worker: string;
      readonly revision: string;
      readonly limits: WorkerLimits;
      readonly reason: string;
    }
  | { readonly kind: "stop"; readonly worker: string; readonly id: string; readonly reason: string }
  | { readonly kind: "kill"; readonly worker: string; readonly id: string; readonly reason: string }
  /** Its exit and its output are forgotten. */
  | { readonly kind: "remove"; readonly worker: string; readonly id: string; readonly reason: string }
  /** Its assignment is forgotten. */
  | { readonly kind: "forget"; readonly worker: string; readonly reason: string };

/** Something that changed and that somebody may want to know. */
export interface Happening {
  readonly what:
    | "failed"
    | "rolled_back"
    | "quarantined"
    | "good"
    | "apart"
    | "moved"
    | "scaled"
    | "released"
    | "deployed"
    | "removed"
    | "doubled"
    | "refused";
  /** A worker or a pipeline. */
  readonly name: string;
  readonly reason: string;
  /** Of a pipeline: the revision that it is about, and the one that runs in its place. */
  readonly revision?: string;
  readonly instead?: string;
}

export interface Reconciled {
  /** In order for each worker; those of different workers do not wait for each other. */
  readonly actions: readonly Action[];
  readonly happenings: readonly Happening[];
  /** Pipelines for which there is no room, and why. */
  readonly unplaced: Placement["unplaced"];
  readonly memory: Memory;
}

/** `jitter` gives numbers in [0, 1). */
export function reconcile(
  desired: Desired,
  observed: Observed,
  before: Memory,
  now: number,
  jitter: () => number,
): Reconciled {
  const known = withDesired(before, desired, observed);
  if (observed.workers === null) return { actions: [], happenings: [], unplaced: [], memory: known };
  const counted = account(desired, observed, known, now, jitter);
  const rescaled = rescale(desired, observed, counted.memory, now);
  const placed = place(desired, { ...counted.memory, scales: rescaled.scales });
  const acted = actionsFor(placed.targets, desired, observed, placed.memory, now);
  return {
    actions: acted.actions,
    happenings: [...counted.happenings, ...rescaled.happenings, ...placed.happenings],
    unplaced: placed.unplaced,
    memory: acted.memory,
  };
}

/** The memory of what is wanted, no more and no less; what is not remembered is adopted from assignments. */
function withDesired(memory: Memory, desired: Desired, { assigned }: Observed): Memory {
  const holders = new Map<string, { readonly worker: string; readonly key: AssignmentKey }>();
  for (const [worker, keys] of assigned) for (const key of keys) holders.set(key.name, { worker, key });
  const pipelines: Record<string, PipelineMemory> = {};
  for (const { name, revision, term } of desired.pipelines) {
    const known = memory.pipelines[name];
    const held = holders.get(name);
    if (known?.wanted === revision && known.term === term) pipelines[name] = known;
    else if (known !== undefined) pipelines[name] = { ...known, ...fresh, wanted: revision, term };
    else {
      const adopted = held?.key.revision === revision ? held.key.attempt : fresh.attempt;
      const worker = held?.worker ?? null;
      pipelines[name] = {
        ...fresh,
        wanted: revision,
        term,
        good: null,
        attempt: adopted,
        worker,
        holder: worker,
      };
    }
  }
  return { ...memory, pipelines };
}

const fresh = { refused: {}, restart: neverFailed, attempt: 1, judged: 0, apart: false } as const;

/** What one worker is to run, and how far it may go. */
export interface Target {
  readonly keys: readonly AssignmentKey[];
  readonly limits: WorkerLimits;
}

export type Targets = ReadonlyMap<string, Target>;

function place(
  { pipelines, host, limits }: Desired,
  memory: Memory,
): Pick<Reconciled, "memory" | "happenings" | "unplaced"> & { readonly targets: Targets } {
  const running = pipelines.flatMap((each): Packable[] => {
    const known = memory.pipelines[each.name]!;
    if (effectiveRevision(known) === null) return [];
    const { partitionOf } = each;
    const among = partitionOf && {
      pipeline: partitionOf.pipeline,
      workers: memory.scales[partitionOf.pipeline]?.state.workers ?? 1,
    };
    const packable = among === undefined ? each : { ...each, among };
    return [known.apart ? { ...packable, isolation: "worker" } : packable];
  });
  const before = new Map<string, string>();
  for (const [name, { worker }] of Object.entries(memory.pipelines))
    if (worker !== null) before.set(name, worker);
  const { where, moves, unplaced } = packIntoWorkers(running, before, {
    host,
    worker: sharedCapacity(limits),
  });
  const targets = new Map<string, Target & { readonly keys: AssignmentKey[] }>();
  const placed: Record<string, PipelineMemory> = {};
  for (const { name, demand } of pipelines) {
    const known = memory.pipelines[name]!;
    const worker = where.get(name) ?? null;
    const revision = effectiveRevision(known);
    placed[name] = worker === known.worker ? known : { ...known, worker };
    if (worker === null || revision === null) continue;
    const { attempt, term } = known;
    const key = { name, revision, attempt, ...(term === undefined ? {} : { term }) };
    const others = targets.get(worker);
    const own = isOwnWorker(worker) ? ownLimits(limits, demand) : limits;
    if (others === undefined) targets.set(worker, { keys: [key], limits: own });
    else others.keys.push(key);
  }
  const happenings = moves
    .filter(({ from }) => from !== null)
    .map(({ name, to, reason }): Happening => ({ what: "moved", name, reason: `to ${to}: ${reason}` }));
  const scales = withWhatIsThere(memory.scales, running, where);
  return { targets, memory: { ...memory, pipelines: placed, scales }, happenings, unplaced };
}

/** A host that is smaller than it was thought to be gives fewer workers than were to be. */
function withWhatIsThere(
  scales: Memory["scales"],
  running: readonly Packable[],
  where: Placement["where"],
): Memory["scales"] {
  const workers = new Map<string, Set<string>>();
  for (const { name, isolation, among } of running) {
    const worker = where.get(name);
    if (among === undefined || isolation === "worker" || worker === undefined) continue;
    const others = workers.get(among.pipeline);
    if (others === undefined) workers.set(among.pipeline, new Set([worker]));
    else others.add(worker);
  }
  return Object.fromEntries(
    Object.entries(scales).map(([name, known]) => {
      const count = workers.get(name)?.size ?? known.state.workers;
      const fewer = count < known.state.workers;
      return [name, fewer ? { ...known, state: { ...known.state, workers: count, trial: null } } : known];
    }),
  );
}
