// A host in memory for tests of the supervisor's decisions: processes that crash, hang and end, heartbeats that do
// not come, a driver that does not know, and a supervisor that forgets. It also sees what must never happen.

import { type AssignmentKey, assignmentMark } from "../assignment.ts";
import type { Heartbeat, PipelineBeat } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import type { ObservedWorker } from "./driver.ts";
import { type Memory, memoryText, noMemory, parseMemory } from "./memory.ts";
import { scaleTiming } from "./scale.ts";
import { reconcile } from "./reconcile.ts";
import type { Action, Desired, DesiredPipeline, Happening, Heard } from "./situation.ts";

interface Running extends AssignmentKey {
  readonly since: number;
  /** Of a partition: what it has read, and the share of the last step in which it worked. */
  records: number;
  busy: number;
}

export interface SimulatedProcess {
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  readonly started: number;
  state: "running" | "hung" | "exited";
  exitCode: number | null;
  /** What it runs: it reads its assignment a little after that was written. */
  running: readonly Running[];
  carriedOut: string | null;
  heard: Heard | null;
}

/** Random numbers that are the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const worker = "workers-1";

/** How often the supervisor looks. */
const look_ms = 500;

export class SimulatedHost {
  now: number = 1_000_000;
  desired: Desired;
  memory: Memory = noMemory;
  readonly processes: SimulatedProcess[] = [];
  readonly assigned: Map<string, readonly AssignmentKey[]> = new Map<string, readonly AssignmentKey[]>();
  /** `name@revision` that end their worker, and those that fail alone. */
  readonly crashing: Set<string> = new Set();
  readonly failing: Set<string> = new Set();
  /** Those that never open. */
  readonly unready: Set<string> = new Set();
  /** Names of workers whose heartbeats do not come through. */
  readonly cut: Set<string> = new Set();
  /** Names of workers of which the driver does not know what they do; null: it does not answer at all. */
  unknown: ReadonlySet<string> | null = new Set();
  readonly faults: string[] = [];
  readonly happenings: Happening[] = [];
  starts: number = 0;
  /** Records a second that come to each partition, and that one worker can handle. */
  incoming: number = 0;
  readonly power: number = 1_000;
  memoryFree: number = 2 ** 40;
  /** By partition, the records that wait. */
  readonly lag: Map<string, number> = new Map<string, number>();
  #heardSince = 0;
  #heard = new Map<string, Heard>();
  readonly #random: () => number;

  constructor(pipelines: readonly DesiredPipeline[], random: () => number) {
    const host = { processors: 64, memory_bytes: 2 ** 40, count: 1_000 };
    // Decided within seconds, so that a test need not let minutes pass.
    const scaling = { ...scaleTiming, every_ms: 1_000, down_ms: 10_000, blocked_ms: 20_000 };
    this.desired = { pipelines, worker, limits: {}, host, scaling };
    this.#random = random;
    this.#heardSince = this.now;
  }

  /** Lets time pass, with all that happens in it, from look to look; these can be rare while nothing is amiss. */
  pass(ms: number, every: number = look_ms): void {
    for (let left = ms; left > 0; left -= every) {
      const passed = Math.min(every, left);
      this.now += passed;
      for (const { name, partitionOf } of this.desired.pipelines) {
        if (partitionOf !== undefined)
          this.lag.set(name, (this.lag.get(name) ?? 0) + (this.incoming * passed) / 1000);
      }
      for (const each of this.processes) {
        this.#work(each, (this.power * passed) / 1000);
        this.#live(each);
      }
      this.#checkPipelines();
      this.look();
    }
  }

  /** One look of the supervisor, whose actions are carried out at once; says what they were. */
  look(): readonly Action[] {
    const { actions, memory, happenings } = reconcile(
      this.desired,
      {
        workers: this.unknown === null ? null : this.processes.map((each) => this.#observed(each)),
        heard: this.#heard,
        assigned: this.assigned,
        busy: new Set(),
        refused: new Map(),
        since: this.#heardSince,
        late: 0,
        memoryFree: this.memoryFree,
      },
      this.memory,
      this.now,
      this.#random,
    );
    this.memory = memory;
    this.happenings.push(...happenings);
    for (const action of actions) this.#carryOut(action);
    return actions;
  }

  /** The supervisor is killed and starts again; with `file`, its memory is there again. */
  restartSupervisor(file: boolean): void {
    const kept = parseMemory(memoryText(this.memory));
    if (kept === null) this.faults.push("its memory cannot be read again");
    this.memory = file && kept !== null ? kept : noMemory;
    this.#heard = new Map();
    this.#heardSince = this.now;
  }

  alive(): readonly SimulatedProcess[] {
    return this.processes.filter(({ state }) => state !== "exited");
  }

  /** By pipeline, the revisions of it that run. */
  running(): ReadonlyMap<string, readonly string[]> {
    const running = new Map<string, string[]>();
    for (const { running: pipelines } of this.alive()) {
      for (const { name, revision } of pipelines) running.set(name, [...(running.get(name) ?? []), revision]);
    }
    return running;
  }

  end(process: SimulatedProcess, exitCode: number | null): void {
    process.state = "exited";
    process.exitCode = exitCode;
  }

  /** Its partitions take turns until there is nothing left to do, or no time. */
  #work({ state, running }: SimulatedProcess, able: number): void {
    let left = state === "running" ? able : 0;
    for (const each of running) {
      const waiting = this.lag.get(each.name) ?? 0;
      const done = Math.min(waiting, left);
      left -= done;
      this.lag.set(each.name, waiting - done);
      each.records += done;
      each.busy = able > 0 ? done / able : 0;
    }
  }

  #live(process: SimulatedProcess): void {
    if (process.state !== "running") return;
    const told = this.assigned.get(process.name);
    if (told !== undefined && assignmentMark(told) !== process.carriedOut && this.#random() < 0.7) {
      process.running = told.map(
        (key) =>
          process.running.find((each) => assignmentMark([each]) === assignmentMark([key])) ?? {
            ...key,
            since: this.now,
            records: 0,
            busy: 0,
          },
      );
      process.carriedOut = assignmentMark(told);
    }
    if (
      process.running.some(({ name, revision }) => this.crashing.has(`${name}@${revision}`)) &&
      this.#random() < 0.8
    )
      return this.end(process, 1);
    if (!this.cut.has(process.name))
      this.#heard.set(process.name, { at: this.now, beat: this.#beat(process) });
    process.heard = this.#heard.get(process.name) ?? null;
  }

  #beat(process: SimulatedProcess): Heartbeat {
    const pipelines = process.running.map(
      ({ name, revision, attempt, since, records, busy }): PipelineBeat => {
        const key = `${name}@${revision}`;
        const isUnready = this.unready.has(key);
        const phase = this.failing.has(key) ? "failed" : isUnready ? "starting" : "running";
        const lag = this.lag.get(name) ?? null;
        const beat = { ...silentBeat, name, revision, attempt, since, records, busy, lag, phase } as const;
        return isUnready ? { ...beat, unready_ms: this.now - since } : beat;
      },
    );
    return {
      host: "h",
      worker: process.name,
      process: 1,
      at: this.now,
      started: process.started,
      phase: "running",
      assignment: process.carriedOut,
      memory_bytes: 0,
      processor_s: 0,
      pipelines,
    };
  }

  #observed({ id, name, revision, started, state, exitCode }: SimulatedProcess): ObservedWorker {
    const seen = this.unknown?.has(name) === true ? "unknown" : state === "exited" ? "exited" : "running";
    return { id, name, revision, started, state: seen, exitCode, outOfMemory: false };
  }

  #carryOut(action: Action): void {
    const { kind, worker: name } = action;
    if (kind === "assign") this.assigned.set(name, action.pipelines);
    else if (kind === "forget") this.assigned.delete(name);
    else if (kind === "start") this.#start(name, action.revision);
    else this.#end(kind, action.id, action.reason);
  }

  #start(name: string, revision: string): void {
    if (this.alive().some((each) => each.name === name)) this.faults.push(`${name} is started twice`);
    if (this.processes.some((each) => each.name === name)) this.faults.push(`${name} is there already`);
    this.processes.push({
      id: `p${++this.starts}`,
      name,
      revision,
      started: this.now,
      state: "running",
      exitCode: null,
      running: [],
      carriedOut: null,
      heard: null,
    });
  }

  #end(kind: "stop" | "kill" | "remove", id: string, reason: string): void {
    const process = this.processes.find((each) => each.id === id);
    if (process === undefined) return void this.faults.push(`${kind} of ${id}, which is not there`);
    if (kind === "remove") {
      if (process.state !== "exited") this.faults.push(`${process.name} is removed while it lives`);
      this.processes.splice(this.processes.indexOf(process), 1);
      return;
    }
    this.#checkEnd(kind, process, reason);
    this.end(process, kind === "stop" ? 0 : null);
  }

  /** A worker that is well, heard of and has something to run is left alone. */
  #checkEnd(kind: "stop" | "kill", process: SimulatedProcess, reason: string): void {
    const lately = process.heard !== null && this.now - process.heard.at <= limits.worker_hang_ms;
    const well = process.state === "running" && lately && !this.cut.has(process.name);
    const wanted =
      process.revision === this.desired.worker && (this.assigned.get(process.name) ?? []).length > 0;
    if (kind === "kill" && well) this.faults.push(`${process.name} is well and killed: ${reason}`);
    if (kind === "stop" && well && wanted && !/nothing is left/.test(reason))
      this.faults.push(`${process.name} is well and stopped: ${reason}`);
  }

  #checkPipelines(): void {
    for (const [name, revisions] of this.running())
      if (revisions.length > 1) this.faults.push(`${name} runs ${revisions.length} times`);
  }
}

const silentBeat = {
  fault: null,
  rows: 0,
  held: 0,
  pending: 0,
  dropped: 0,
  watermark: null,
  true_rate: null,
} as const;
