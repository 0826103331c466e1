// The actions that one look leads to, worker by worker: who is told what, started, stopped, killed. Pure. A
// pipeline is handed from one worker to another only when the first is known not to run it any more.

import { type AssignmentKey, assignmentMark } from "../assignment.ts";
import { handlesByName } from "./accounting.ts";
import type { ObservedWorker } from "./driver.ts";
import { isHeard, lives, unknownWorker } from "./life-signs.ts";
import type { Memory, PipelineMemory, WorkerMemory } from "./memory.ts";
import type { Action, Desired, Observed, Target, Targets } from "./situation.ts";
import { isDue, neverFailed } from "./restart.ts";
import { limitedRevision } from "./worker-limits.ts";

export interface Acted {
  readonly actions: readonly Action[];
  readonly memory: Memory;
}

export function actionsFor(
  targets: Targets,
  desired: Desired,
  observed: Observed,
  memory: Memory,
  now: number,
): Acted {
  const planner = new Planner(desired, observed, memory, now);
  const names = new Set([...targets.keys(), ...planner.handles.keys(), ...observed.assigned.keys()]);
  for (const name of [...names].sort()) if (!observed.busy.has(name)) planner.worker(name, targets.get(name));
  return planner.result(names);
}

class Planner {
  readonly handles: ReadonlyMap<string, readonly ObservedWorker[]>;
  readonly #desired: Desired;
  readonly #observed: Observed;
  readonly #now: number;
  readonly #pipelines: Record<string, PipelineMemory>;
  readonly #workers: Record<string, WorkerMemory>;
  /** By pipeline, the workers that may run it now. */
  readonly #runners = new Map<string, Set<string>>();
  readonly #scales: Memory["scales"];
  /** Pipelines that some worker was told to run. */
  readonly #assigned: ReadonlySet<string>;
  readonly #actions: Action[] = [];

  constructor(desired: Desired, observed: Observed, memory: Memory, now: number) {
    this.#desired = desired;
    this.#observed = observed;
    this.#now = now;
    this.handles = handlesByName(observed.workers ?? []);
    this.#pipelines = { ...memory.pipelines };
    this.#workers = { ...memory.workers };
    this.#scales = memory.scales;
    this.#assigned = new Set([...observed.assigned.values()].flatMap((keys) => keys.map((key) => key.name)));
    for (const name of new Set([...this.handles.keys(), ...observed.heard.keys()])) this.#noteRunner(name);
  }

  result(names: ReadonlySet<string>): Acted {
    const workers = Object.entries(this.#workers).filter(([name]) => names.has(name));
    return {
      actions: this.#actions,
      memory: {
        pipelines: this.#pipelines,
        workers: Object.fromEntries(workers),
        scales: this.#scales,
      },
    };
  }

  /** `target`: what it is to run; absent for a worker that is not wanted. */
  worker(name: string, target: Target | undefined): void {
    const handles = this.handles.get(name) ?? [];
    // Nobody knows what it does: whatever is done now may be wrong.
    if (handles.some(({ state }) => state === "unknown")) return;
    const living = handles.filter(lives);
    const doomed = this.#memoryOf(name).doomed;
    for (const { id } of living) if (doomed[id] !== undefined) this.#end("kill", name, id, doomed[id]);
    const kept = living.find(({ id }) => doomed[id] === undefined);
    if (target === undefined) return this.#unwanted(name, handles, kept);
    const given = this.#assign(name, target.keys);
    if (living.length === 0) this.#start(name, handles, given, target);
    else if (kept !== undefined && kept.revision !== this.#revisionOf(target))
      this.#end("stop", name, kept.id, "workers are started in another way now");
  }

  #unwanted(name: string, handles: readonly ObservedWorker[], kept: ObservedWorker | undefined): void {
    if (kept !== undefined) return this.#end("stop", name, kept.id, "nothing is left for it to run");
    if (handles.some(lives)) return;
    for (const { id } of handles)
      this.#push({ kind: "remove", worker: name, id, reason: "it is not wanted any more" });
    if (this.#observed.assigned.has(name))
      this.#push({ kind: "forget", worker: name, reason: "it is not wanted any more" });
  }

  /** Tells it what to run, without what another worker may still run; returns that. */
  #assign(name: string, target: readonly AssignmentKey[]): readonly AssignmentKey[] {
    const given = target.filter((key) => this.#isFree(key.name, name));
    const before = this.#observed.assigned.get(name);
    const changed = before === undefined || assignmentMark(before) !== assignmentMark(given);
    if (changed && (given.length > 0 || before !== undefined)) {
      this.#push({
        kind: "assign",
        worker: name,
        pipelines: given,
        reason: assignReason(before ?? [], given),
      });
    }
    for (const key of given) {
      const known = this.#pipelines[key.name];
      if (known !== undefined && known.holder !== name)
        this.#pipelines[key.name] = { ...known, holder: name };
    }
    return given;
  }

  #start(
    name: string,
    handles: readonly ObservedWorker[],
    given: readonly AssignmentKey[],
    target: Target,
  ): void {
    if (given.length === 0 || this.#isQuarantined(name, target.keys)) return;
    const memory = this.#memoryOf(name);
    if (!isDue(memory.restart, this.#now) || this.#isSomebodyThere(name, memory)) return;
    for (const { id } of handles)
      this.#push({ kind: "remove", worker: name, id, reason: "it is started again" });
    const reason =
      memory.restart.attempt === 0
        ? "it is not there"
        : `start ${memory.restart.attempt + 1} after it failed`;
    const [revision, { limits }] = [this.#revisionOf(target), target];
    this.#push({ kind: "start", worker: name, revision, limits, reason });
  }

  #revisionOf({ limits }: Target): string {
    return limitedRevision(this.#desired.worker, limits);
  }

  /** Quarantine holds for the pipelines that it was put under for. */
  #isQuarantined(name: string, target: readonly AssignmentKey[]): boolean {
    const memory = this.#memoryOf(name);
    if (memory.quarantine === null) return false;
    if (memory.quarantine.mark === assignmentMark(target)) return true;
    this.#workers[name] = { ...memory, quarantine: null, restart: neverFailed };
    return false;
  }

  /** Heartbeats still come though the driver knows of no process. */
  #isSomebodyThere(name: string, { living, lifeless }: WorkerMemory): boolean {
    const heard = this.#observed.heard.get(name);
    if (heard === undefined || !isHeard({ heard }, this.#now)) return false;
    return living !== null || lifeless === null || heard.at > lifeless;
  }

  /** Notes what a worker may run: what it was told, what it says, and what it was told before it had heard. */
  #noteRunner(name: string): void {
    const heard = this.#observed.heard.get(name);
    const living = (this.handles.get(name) ?? []).some(lives);
    // One that has ended is not waited for, though it was heard a moment ago.
    if (!living && !this.#isSomebodyThere(name, this.#memoryOf(name))) return;
    const told = this.#observed.assigned.get(name) ?? [];
    for (const key of told) this.#mayRun(key.name, name);
    for (const each of heard?.beat.pipelines ?? []) this.#mayRun(each.name, name);
    if (heard === undefined && this.#isInherited(name))
      for (const pipeline of Object.keys(this.#pipelines))
        if (!this.#assigned.has(pipeline)) this.#mayRun(pipeline, name);
    if (living && heard?.beat.assignment === assignmentMark(told)) return;
    for (const [pipeline, { holder }] of Object.entries(this.#pipelines))
      if (holder === name) this.#mayRun(pipeline, name);
  }

  /**
   * It lived before this supervisor did: until it says what it runs, that may be something which was taken from it and given to
   * nobody yet, and which nobody remembers.
   */
  #isInherited(name: string): boolean {
    const handles = this.handles.get(name) ?? [];
    return handles.some((each) => lives(each) && each.started <= this.#observed.since);
  }

  #mayRun(pipeline: string, worker: string): void {
    const workers = this.#runners.get(pipeline);
    if (workers === undefined) this.#runners.set(pipeline, new Set([worker]));
    else workers.add(worker);
  }

  #isFree(pipeline: string, worker: string): boolean {
    const runners = this.#runners.get(pipeline);
    return runners === undefined || [...runners].every((each) => each === worker);
  }

  #memoryOf(name: string): WorkerMemory {
    return this.#workers[name] ?? unknownWorker;
  }

  /** That it ends from here on is no failure. */
  #end(kind: "stop" | "kill", name: string, id: string, reason: string): void {
    const memory = this.#memoryOf(name);
    if (!memory.settled.includes(id)) this.#workers[name] = { ...memory, settled: [...memory.settled, id] };
    this.#push({ kind, worker: name, id, reason });
  }

  #push(action: Action): void {
    this.#actions.push(action);
  }
}

function assignReason(before: readonly AssignmentKey[], after: readonly AssignmentKey[]): string {
  const changes: string[] = [];
  for (const { name, revision, attempt, term } of after) {
    const known = before.find((each) => each.name === name);
    if (known === undefined) changes.push(`adds ${name}`);
    else if (known.term !== term) changes.push(`${name} comes back to this host`);
    else if (known.revision !== revision) changes.push(`${name} becomes ${revision}`);
    else if (known.attempt !== attempt) changes.push(`starts ${name} again`);
  }
  for (const { name } of before)
    if (!after.some((each) => each.name === name)) changes.push(`removes ${name}`);
  return changes.join(", ");
}
