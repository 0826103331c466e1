// What has to be done on this host so that what is wanted is what runs: one look at what is wanted, at what is
// there and at what is remembered, and the actions that follow, each with its reason. Pure; carried out by others.

import type { AssignmentKey } from "../assignment.ts";
import { account, effectiveRevision } from "./accounting.ts";
import type { Memory, PipelineMemory } from "./memory.ts";
import { type Packable, packIntoWorkers } from "./pack.ts";
import type { Placement } from "./place.ts";
import { neverFailed } from "./restart.ts";
import { rescale } from "./scaling.ts";
import type { Action, Desired, Happening, Observed, Target, Targets } from "./situation.ts";
import { actionsFor } from "./worker-actions.ts";
import { ownLimits, sharedCapacity } from "./worker-limits.ts";
import { isOwnWorker } from "./worker-names.ts";

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
