// One process: wires sources, engines and sinks of any number of pipelines, starts them, and drains
// them. Composition root; the decisions are elsewhere.

import { availableParallelism, hostname } from "node:os";
import { type Clock, sleep } from "../clock.ts";
import type { Sink, SinkStats, SourceStats } from "../connect/connect.ts";
import { GroupRunner } from "../engine/group-runner.ts";
import { HomeRunner } from "../engine/home-runner.ts";
import type { LoadedPipeline, PipelineInput } from "../engine/loader.ts";
import type { EngineOutputs } from "../engine/output.ts";
import { poolThreads, threadsFor } from "../engine/placement.ts";
import { DecodePool } from "../engine/pool.ts";
import type { Runner } from "../engine/runner.ts";
import type { PipelineStatus } from "../engine/status.ts";
import { groupPlans, SourceGroup } from "../engine/source-group.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { BranchPlan, PipelinePlan, SinkSpec } from "../pipeline/pipeline.ts";
import { ChainSet } from "./chain-set.ts";
import type { OutboxStats } from "../state/outbox/outbox-stats.ts";
import { busyTime } from "./busy-time.ts";
import { Connections, type Links } from "./connections.ts";
import { drainTimeout } from "./drain-timeout.ts";
import { durableTask, openState, type State } from "./durable.ts";
import { openEach } from "./open-each.ts";
import {
  type OpenedSource,
  openSink,
  type JournalHome,
  openSource,
  publishedSubjects,
  type RowSink,
  type Surroundings,
} from "./open.ts";
import { ReferenceTask } from "./reference-task.ts";
import type { DeviceSettings } from "./settings.ts";
import { RunnerTask } from "./runner-task.ts";
import { SinkSet } from "./sink-set.ts";
import { IngestKeeper } from "./ingest-keeper.ts";
import { FirstLetters } from "./first-letters.ts";
import { ingestGroups, ingestPlans } from "./ingest-plan.ts";
import { homesOf, stateFolders } from "./state-folders.ts";
import { enterTerm } from "./turn-folders.ts";
import type { Task } from "./task.ts";
import { countedAlone, outputsOf, type Wired } from "./wired.ts";

export interface WorkerOptions {
  readonly settings: DeviceSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes row ids unique among runs. */
  readonly identity: string;
  /** This host's turn of its one pipeline, where that goes from host to host. */
  readonly term?: number | undefined;
  /** Nobody else had a turn since this host's own: what is kept of that goes on. */
  readonly resumesTurn?: boolean;
  /** What was kept of other steps is let go of; without it, the pipeline is refused then. */
  readonly forgetsChanged?: boolean;
  /** Its connections where others use them as well; it has its own when left out. */
  readonly connections?: Links;
  /** Told when nobody reads standard output any more: rows for it are dropped and counted from then on. */
  readonly readerGone?: () => void;
}

export interface WorkerStatus {
  readonly name: string;
  readonly pipeline: PipelineStatus;
  /** In the order of the file. */
  readonly sources: readonly (SourceStats & { readonly name: string })[];
  /** By branch. */
  readonly sinks: readonly (SinkStats & { readonly branch: string })[];
  readonly deadLetter: SinkStats | null;
  /** Why nothing new is taken just now, the disk of its state being full; absent while it is not. */
  readonly lacks_room?: string;
}

/** Opens a sink of a pipeline; `branch` is null for the dead letter. */
type OpenSink = (spec: RowSink, plan: PipelinePlan, branch: BranchPlan | null) => Promise<Sink>;

export class Worker {
  /** Why pipelines of it have failed, while others run on. */
  readonly failures: unknown[] = [];
  readonly #options: WorkerOptions;
  readonly #connections: Links;
  readonly #tasks: Task[] = [];
  /** The ends of those that run. */
  readonly #running: Promise<void>[] = [];
  readonly #references: ReferenceTask[] = [];
  readonly #states: State[] = [];
  readonly #wired = new Map<string, Wired>();
  readonly #firstLetters: FirstLetters;
  #keepers: readonly IngestKeeper[] = [];
  /** By how many threads they have. */
  readonly #pools = new Map<number, DecodePool>();
  #stopping = false;
  /** Rejects once `stop` was called. */
  readonly #stopped = Promise.withResolvers<never>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { settings, log, clock } = options;
    this.#firstLetters = new FirstLetters(log);
    this.#stopped.promise.catch(() => undefined);
    this.#connections = options.connections ?? new Connections(settings.connections, log, clock);
  }

  /**
   * Opens everything that the pipelines need, and runs each as soon as it is open. Waits for NATS as long as it takes: one that
   * waits for its server or stream holds up no other for long.
   */
  async open(pipelines: readonly LoadedPipeline[]): Promise<void> {
    const plans = pipelines.map(({ plan }) => plan!);
    const loaded = new Map(pipelines.map((each) => [each.plan!, each]));
    const { clock, log } = this.#options;
    const surroundings = {
      connections: this.#connections,
      clock,
      log,
      subjects: publishedSubjects(plans),
      stopped: this.#stopped.promise,
      readerGone: this.#options.readerGone,
    };
    const shared = plans.filter((_plan, index) => !pipelines[index]!.custom);
    const own = plans.filter((_plan, index) => pipelines[index]!.custom);
    const groups = [...groupPlans(shared), ...own.map((plan) => [plan])];
    await this.#keepIngest(groups);
    const members = groups.map((group) => group.map((plan) => loaded.get(plan)!));
    try {
      await openEach(members, (each) => this.#openUnlessStopped(each, surroundings), clock);
    } catch (error) {
      // Those that run already end in order, as far as that takes no time.
      for (const task of this.#tasks) task.stop();
      await Promise.race([Promise.all(this.#running), sleep(clock, limits.durable_flush_ms_max)]);
      throw error;
    }
  }

  /** Told to stop while it waited for a server, there is nothing to drain. */
  async #openUnlessStopped(members: readonly LoadedPipeline[], surroundings: Surroundings): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#openGroup(members, surroundings);
    } catch (error) {
      const isWait = error instanceof WeirError && error.code === "WEIR_NATS_UNAVAILABLE";
      if (!this.#stopping || !isWait) throw error;
    }
  }

  /** A connection of its whose server is not there now; null where all are. */
  get away(): string | null {
    return this.#connections.missing;
  }

  /** Resolves once every source has ended or `stop` was called. A pipeline that fails does not end the others. */
  async run(): Promise<void> {
    await Promise.all(this.#running);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Drains: nothing new is taken, what is in flight is finished. Rejects when that takes too long. */
  stop(): Promise<never> {
    this.#stopping = true;
    this.#stopped.reject(
      new WeirError("WEIR_NATS_UNAVAILABLE", "stopped before the places of its rows were its own"),
    );
    this.#connections.giveUp();
    for (const references of this.#references) void references.close();
    for (const task of this.#tasks) task.stop();
    return new Promise((_resolve, reject) => {
      this.#options.clock.after(limits.drain_ms_max, () => {
        reject(drainTimeout(this.status()));
      });
    });
  }

  /** How long (ms) its runners have worked, all together. */
  get busy_ms(): number {
    return this.#tasks.reduce((total, { runner }) => total + busyTime(runner), 0);
  }

  status(): WorkerStatus[] {
    return this.#tasks.flatMap((task) =>
      task.runner.status().map((pipeline): WorkerStatus => {
        const wired = this.#wired.get(pipeline.name)!;
        return {
          name: pipeline.name,
          pipeline,
          sources: task.sources.map((source, input) => ({
            name: wired.plan.inputs[input]!.spec.name,
            ...source.stats(),
          })),
          sinks: wired.sinks.map((sink, index) => ({
            branch: wired.plan.branches[index]!.name,
            ...(sink?.stats() ?? countedAlone(pipeline.branches[index]!.rows)),
          })),
          deadLetter: wired.deadLetter?.stats() ?? null,
          ...(task.lacksRoom == null ? {} : { lacks_room: task.lacksRoom }),
        };
      }),
    );
  }

  /** What each state folder's outbox holds. */
  outboxes(): readonly { readonly folder: string; readonly stats: OutboxStats }[] {
    return this.#states.map(({ folder, outbox }) => ({ folder, stats: outbox.stats() }));
  }

  async close(): Promise<void> {
    for (const keeper of this.#keepers) keeper.stop();
    for (const references of this.#references) await references.close();
    for (const task of this.#tasks) await task.close();
    for (const pool of this.#pools.values()) await pool.close();
    await this.#connections.close();
  }

  /** Has processes of their own write the journals that pipelines read. */
  async #keepIngest(groups: readonly (readonly PipelinePlan[])[]): Promise<void> {
    const { settings, clock, log, identity } = this.#options;
    const { state, asksIngest: asks } = settings;
    if (state === null) return;
    // An ingest that is asked has connections of its own.
    const connections = asks ? {} : settings.connections;
    const plans = ingestPlans(state, ingestGroups(groups, stateFolders(state)), connections, true);
    this.#keepers = plans.map((plan) => new IngestKeeper({ plan, clock, log, identity, asks }));
    for (const keeper of this.#keepers) await keeper.start();
  }

  /** Pipelines that share a source: in one task, or where state is kept in one for each folder that they have. */
  async #openGroup(members: readonly LoadedPipeline[], surroundings: Surroundings): Promise<void> {
    const { clock, log, settings, term, resumesTurn: resumes = false } = this.#options;
    const { state } = settings;
    if (state === null) return this.#openTask(members, surroundings);
    const plans = members.map(({ plan }) => plan!);
    if (term !== undefined) enterTerm(state, plans[0]!.name, { term, resumes }, log);
    for (const { folder, isNew, pipelines } of homesOf(plans, stateFolders(state))) {
      const opened = await openState({ state, home: folder, isNew, plans: pipelines, settings, clock, log });
      this.#states.push(opened);
      const here = members.filter(({ plan }) => pipelines.includes(plan!));
      try {
        await this.#openTask(here, surroundings, opened, { state, group: folder.name });
      } catch (error) {
        await opened.outbox.close();
        await opened.log.close();
        throw error;
      }
    }
  }

  async #openTask(
    members: readonly LoadedPipeline[],
    surroundings: Surroundings,
    state?: State,
    journals: JournalHome | null = null,
  ): Promise<void> {
    const plans = members.map(({ plan }) => plan!);
    const references = new ReferenceTask(surroundings.log, state?.folder);
    this.#references.push(references);
    await references.load(plans, surroundings);
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => undefined);
    const chains = state === undefined ? null : this.#chainsOf(state, surroundings, failure.reject);
    const open: OpenSink = (spec, plan, branch) =>
      chains === null ? openSink(spec, plan, branch, surroundings) : chains.sink(spec, plan, branch);
    const { term } = this.#options;
    const wired: Wired[] = [];
    const wire = async (): Promise<void> => {
      for (const plan of plans) wired.push(await this.#wire(plan, open));
    };
    // A turn begins with places of its own; its first record is one that comes after that, where others had it before.
    const begins = term !== undefined && state?.recovered.positions.size === 0;
    if (begins) await wire();
    if (begins) await chains?.claimed([failure.promise, this.#stopped.promise]);
    const start = begins && term > 1 ? "new" : "all";
    const opened: OpenedSource[] = [];
    for (const [input, { spec }] of plans[0]!.inputs.entries()) {
      const beginning = { resume: state?.positions[input], journals, start } as const;
      opened.push(await openSource(plans, spec, surroundings, beginning));
    }
    if (!begins) await wire();
    const all = wired.flatMap((each) => [...each.sinks, each.deadLetter]);
    const sinks = new SinkSet(all.filter((sink) => sink !== null));
    const outputs = new Map(wired.map((each) => [each.plan, outputsOf(each, sinks, this.#firstLetters)]));
    const headers = opened.map(({ header }) => header);
    // One that failed has not come as far as the others; they go on together, or not at all.
    const failed = (error: unknown): void => {
      this.#options.log.error(messageOf(error));
      if (state !== undefined) failure.reject(error);
    };
    const runner = await this.#openRunner(members, headers, outputs, failed);
    const sources = opened.map(({ source }) => source);
    const beginnings = begins ? sources.map((source) => source.begins?.() ?? null) : null;
    const parts = { plans, sources, runner, sinks, beginnings };
    const task =
      state === undefined || chains === null
        ? new RunnerTask(sources, runner, sinks, this.#options.clock)
        : await durableTask(
            state,
            { ...parts, senders: chains.senders, failure: failure.promise },
            this.#options,
          );
    this.#tasks.push(task);
    await references.start(runner);
    // Told so while it was being opened.
    if (this.#stopping) task.stop();
    this.#running.push(this.#ended(task));
  }

  /** Resolves once it has ended, be it with a fault. */
  async #ended(task: Task): Promise<void> {
    try {
      await task.run();
    } catch (error) {
      this.failures.push(error);
      this.#options.log.error(messageOf(error));
    }
  }

  #chainsOf(state: State, surroundings: Surroundings, failed: (error: WeirError) => void): ChainSet {
    const { outbox, epoch, recovered, condenses } = state;
    const host = this.#options.settings.host ?? hostname();
    const identity = { id: state.log.id, epoch };
    return new ChainSet({
      host,
      outbox,
      identity,
      surroundings,
      places: recovered.places,
      condenses,
      failed,
      term: this.#options.term,
    });
  }

  /** At home and in the pool, or in a thread of its own where operators of the user's are among the steps. */
  async #openRunner(
    members: readonly LoadedPipeline[],
    headers: readonly (readonly string[] | null)[],
    outputs: ReadonlyMap<PipelinePlan, EngineOutputs>,
    failed: (error: unknown) => void,
  ): Promise<Runner> {
    const { identity, clock } = this.#options;
    const plans = members.map(({ plan }) => plan!);
    const inputs = members.map(({ input }) => input);
    const [plan] = plans as [PipelinePlan];
    if (members[0]!.custom) {
      const [input] = inputs as [PipelineInput];
      return HomeRunner.open({ plan, input, headers, identity, outputs: outputs.get(plan)!, clock });
    }
    const group = new SourceGroup(plans, {
      headers,
      inParts: true,
      identity,
      outputs: (each) => outputs.get(each)!,
      failed: (_plan, error) => failed(error),
    });
    return new GroupRunner(group, { inputs, header: headers[0] ?? [], pool: this.#poolOf(plans) });
  }

  /** The pool of as many threads as these pipelines may have, which all sources share that may have so many. */
  #poolOf(plans: readonly PipelinePlan[]): DecodePool | null {
    const spare = poolThreads(availableParallelism());
    const threads = threadsFor(plans, this.#options.settings.threads, spare);
    if (threads === 0) return null;
    const pool = this.#pools.get(threads) ?? new DecodePool(threads);
    this.#pools.set(threads, pool);
    return pool;
  }

  async #wire(plan: PipelinePlan, open: OpenSink): Promise<Wired> {
    const openOrNull = (spec: SinkSpec | null, branch: BranchPlan | null): Promise<Sink> | null =>
      spec === null || spec.kind === "nothing" ? null : open(spec, plan, branch);
    const sinks: (Sink | null)[] = [];
    for (const branch of plan.branches) sinks.push(await openOrNull(branch.sink, branch));
    const deadLetter = await openOrNull(plan.spec.deadLetter?.sink ?? null, null);
    const wired = { plan, sinks, deadLetter };
    this.#wired.set(plan.name, wired);
    return wired;
  }
}
