// One life of a worker in the simulation: the real log, outbox, engine, senders and task, wired as a worker wires them, on a
// disk and connections of the model. Ends with the life, or with what the task ends with.

import type { Part } from "../../state/outbox/edit.ts";
import type { ChainIdentity, Place } from "../../connect/chain/chain.ts";
import { ChainSender } from "../../connect/chain/chain-sender.ts";
import type { Publication } from "../../connect/chain/stream-port.ts";
import type { Sink, Source } from "../../connect/connect.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { journalSource } from "../../connect/journal/journal-source.ts";
import { condenserOf, formName, formsOf } from "../../engine/condenser.ts";
import { GroupRunner } from "../../engine/group-runner.ts";
import { SourceGroup } from "../../engine/source-group.ts";
import type { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { BranchPlan, PipelinePlan } from "../../pipeline/pipeline.ts";
import { openCommitLog } from "../../state/log/commit-log.ts";
import type { Disk } from "../../state/log/disk.ts";
import { Outbox, type OutboxOptions } from "../../state/outbox/outbox.ts";
import type { Plain } from "../../state/plain.ts";
import { type Recovered, recoveredFrom } from "../../worker/commit-body.ts";
import { ChainAccount } from "../../worker/chain-account.ts";
import { DurableTask, type Sender } from "../../worker/durable-task.ts";
import { outboxSink } from "../../worker/outbox-sink.ts";
import { SinkSet } from "../../worker/sink-set.ts";
import type { GivenRecords } from "./given-records.ts";
import { chainsOf, type Job, laneOf, streamOf, targetOf } from "./job.ts";
import { type Life, patient } from "./life.ts";
import { LinkModel } from "./link-model.ts";
import type { Random } from "./random.ts";
import { reserveWatched } from "./reserve-watch.ts";
import type { Seams } from "./seams.ts";
import { SourceModel } from "./source-model.ts";
import { StreamPortModel } from "./stream-port-model.ts";
import { TurnWatch } from "./turn-watch.ts";

/** Share of publishes at which it is looked how much waits. */
const boundsLooked = 0.05;
/** Rows of one batch more than there is room for, as whoever feeds asks for room afterwards. */
const batch_bytes_max = 24_000;
const reserve_bytes = 8_192;
/** Sinks count nothing here: what arrived is looked at where it arrives. */
const uncounted = { rows: 0, bytes: 0, pending: 0, dropped: {} };

export interface IncarnationOptions {
  readonly life: Life;
  readonly disk: Disk;
  /** Where the ingest of the host writes what this one reads; null where there is none. */
  readonly journal: Disk | null;
  readonly job: Job;
  readonly random: Random;
  readonly given: GivenRecords;
  /** By chain, what former lives dropped or gave to another chain. */
  readonly gone: Map<string, Part[]>;
  readonly seams: Seams;
  readonly witness: Witness;
}

/** Told of what a life does that somebody outside can see. */
export interface Witness {
  recovered(): void;
  published(stream: string, publication: Publication): void;
  acknowledged(source: number, position: Plain): void;
  /** Something that must never be. */
  wrong(what: string): void;
}

export class Incarnation {
  readonly #options: IncarnationOptions;
  readonly #plans: readonly PipelinePlan[];
  readonly #chains: readonly string[];
  /** By source, where the batch that is being fed ends. */
  readonly #read: Plain[];
  #outbox: Outbox | null = null;

  constructor(options: IncarnationOptions) {
    this.#options = options;
    this.#plans = options.job.workload.pipelines.flatMap(({ plan }) => plan ?? []);
    this.#chains = chainsOf(options.job);
    this.#read = options.job.workload.sources.map(() => null);
  }

  /** True when all that was added to the outbox is confirmed. */
  get isDrained(): boolean {
    const outbox = this.#outbox;
    return (
      outbox !== null &&
      this.#chains.every((chain) => {
        const { last, confirmed } = outbox.chain(chain);
        return last === confirmed;
      })
    );
  }

  get outbox(): Outbox | null {
    return this.#outbox;
  }

  /** By source, up to where the runner was fed, in this life or one before. */
  get read(): readonly Plain[] {
    return this.#read;
  }

  /** Recovers and runs; rejects with what the task ended with. */
  async run(): Promise<void> {
    const { life, random, seams, witness, job } = this.#options;
    const disk = seams.disk?.(this.#options.disk) ?? this.#options.disk;
    const { name: owner } = job.workload;
    const opened = await openCommitLog(disk, {
      owner,
      random: (length) => random.bytes(length),
      reserveBytes: reserve_bytes,
    });
    const log = reserveWatched(seams.log?.(opened.log) ?? opened.log, this.#options.disk, witness.wrong);
    const recovery = seams.recovery?.(opened.recovery) ?? opened.recovery;
    const recovered = recoveredFrom(recovery.snapshot, recovery.commits);
    const outbox = await this.#openOutbox(disk, recovered);
    const watch = this.#watch(outbox);
    const sinks = this.#sinks(outbox);
    const runner = await this.#runner(recovered, sinks);
    const { sources, positions } = await this.#sources(recovered);
    witness.recovered();
    const places = recovered.places as Readonly<Record<string, Plain>> | null;
    const senders = this.#chains.map((chain): Sender => {
      const place = places?.[chain] ?? null;
      const identity = { id: `${opened.log.id}.${chain}`, epoch: recovery.epoch };
      return this.#sender(chain, { outbox, watch }, identity, place, (error) => task.fail(error));
    });
    const { commit_ms, snapshot_bytes } = job.settings;
    const task = new DurableTask({
      pipelines: this.#plans.map(({ name }) => name),
      away: new Map(),
      sources,
      positions,
      runner,
      sinks: sinks.set,
      log,
      outbox: watch.store(seams.rowStore?.(outbox) ?? outbox),
      senders,
      clock: seams.clock?.(life) ?? life,
      tell: silentLog,
      commit_ms,
      snapshot_bytes,
      random: random.next,
    });
    this.#outbox = outbox;
    await task.run();
  }

  async #openOutbox(disk: Disk, { outbox: manifest, outputs }: Recovered): Promise<Outbox> {
    const { seams } = this.#options;
    const options = this.#outboxOptions();
    const outbox = await Outbox.open(disk, manifest, seams.outbox?.(options) ?? options);
    for (const frame of outputs) outbox.replay(frame);
    return outbox;
  }

  #outboxOptions(): OutboxOptions {
    const { life, job } = this.#options;
    const { limits: within, backlogAfter, tiers, uplink } = job.outbox;
    return {
      clock: life,
      memoryBytes: job.settings.outboxMemory_bytes,
      fileBytes: 16_384,
      limits: within,
      backlogAfter,
      ...(tiers.length === 0 ? {} : { tiers, condenser: condenserOf(formsOf(this.#plans)) }),
      laneOf: (chain) => ({ connection: "cloud", lane: laneOf(job, chain), ordered: !job.hasBacklog }),
      ...(uplink === null ? {} : { uplinks: new Map([["cloud", uplink]]) }),
    };
  }

  #watch(outbox: Outbox): TurnWatch {
    const { life, job, gone, witness } = this.#options;
    const lanes = new Map(this.#chains.map((chain) => [chain, laneOf(job, chain)]));
    const { uplink } = job.outbox;
    return new TurnWatch({ clock: life, outbox, lanes, uplink, gone, wrong: witness.wrong });
  }

  #sinks(outbox: Outbox): {
    readonly set: SinkSet;
    readonly of: (plan: PipelinePlan, branch: BranchPlan) => Sink;
  } {
    const { job } = this.#options;
    const condenses = job.outbox.tiers.length > 0;
    const sinks = new Map<string, Sink>();
    for (const plan of this.#plans)
      for (const branch of plan.branches) {
        const sink = job.workload.sinks.find(
          (each) => each.pipeline === plan.name && each.branch === branch.name,
        );
        if (sink === undefined) throw new Error(`${plan.name}: branch ${branch.name} has no sink`);
        const chain = sink.stream;
        const account = new ChainAccount(() => uncounted).share();
        const form = condenses ? formName(plan, branch) : null;
        const named = form === null ? {} : { form };
        sinks.set(`${plan.name}/${branch.name}`, outboxSink({ outbox, chain, account, ...named }));
      }
    const of = (plan: PipelinePlan, branch: BranchPlan): Sink =>
      sinks.get(`${plan.name}/${branch.name}`) as Sink;
    return { set: new SinkSet([...sinks.values()]), of };
  }

  async #runner(
    recovered: Recovered,
    { set, of }: { readonly set: SinkSet; readonly of: (plan: PipelinePlan, branch: BranchPlan) => Sink },
  ): Promise<GroupRunner> {
    const { life, given, witness } = this.#options;
    const group = new SourceGroup(this.#plans, {
      inParts: true,
      identity: "simulation",
      outputs: (plan) => {
        const sinks = plan.branches.map((branch) => of(plan, branch));
        return {
          row: (branch, row) => set.write(sinks[branch] as Sink, row),
          deadLetter: ({ reason }) => witness.wrong(`a record went to the dead letter: ${reason}`),
        };
      },
    });
    const runner = new GroupRunner(group, { inputs: [], header: [], pool: null });
    for (const { name } of this.#plans) {
      const changes = recovered.states.get(name);
      if (changes !== undefined) await runner.restore(name, changes, life.elapsed());
    }
    const { states } = this.#options.seams;
    if (states !== undefined) {
      const checkpoint = runner.checkpoint.bind(runner);
      runner.checkpoint = async (elapsed) => states(await checkpoint(elapsed));
      runner.whole = async () => states(new Map());
    }
    const feed = runner.feed.bind(runner);
    runner.feed = (...fed: Parameters<typeof feed>) => {
      const [payloads, , input = 0] = fed;
      if (life.alive) given.fed(input, payloads, this.#read[input] ?? null);
      return feed(...fed);
    };
    return runner;
  }

  async #sources(
    recovered: Recovered,
  ): Promise<{ readonly sources: readonly Source[]; readonly positions: readonly Plain[] }> {
    const { job, given, witness, seams } = this.#options;
    const known = recovered.positions.get(this.#plans[0]?.name ?? "") ?? [];
    const positions = job.workload.sources.map((_stream, source) => known[source] ?? null);
    const fault = given.resume(positions);
    if (fault !== null) witness.wrong(fault);
    const sources: Source[] = [];
    for (const [place, position] of positions.entries()) {
      const source = this.#source(place);
      await source.open(position);
      this.#read[place] = position;
      sources.push(this.#watched(seams.source?.(source) ?? source, place));
    }
    return { sources, positions };
  }

  #source(place: number): Source {
    const { job, journal, witness, random, life, seams } = this.#options;
    const committed = (position: Plain): void => witness.acknowledged(place, position);
    if (journal !== null) {
      const source = journalSource({ disk: journal, name: "journal", log: silentLog, clock: patient(life) });
      return told(source, committed);
    }
    return new SourceModel({
      stream: job.streams?.[place] ?? "",
      link: new LinkModel(life, job.input),
      random: random.fork(),
      patience_ms: job.settings.patience_ms,
      committed,
      unpacks: job.unpacks,
      ...(seams.resume === undefined ? {} : { resume: seams.resume }),
    });
  }

  /** Remembers where what is fed next ends. */
  #watched(source: Source, place: number): Source {
    return {
      ...sourceOf(source),
      read: async (within) => {
        const delivery = await source.read(within);
        if (delivery !== null && delivery !== "end") this.#read[place] = delivery.position as Plain;
        return delivery;
      },
    };
  }

  /** What is in flight, and what waits, stays within what was said. */
  #checkBounds({ inFlight, name }: StreamPortModel, outbox: Outbox): void {
    const { witness, job, random } = this.#options;
    if (inFlight > limits.sink_in_flight_max) witness.wrong(`${name}: ${inFlight} rows are in flight`);
    if (!random.chance(boundsLooked)) return;
    const { bytes, whenFull } = job.outbox.limits;
    // What is to be dropped goes at a commit.
    const most = (whenFull === "drop_oldest" ? bytes * 1.5 : bytes) + batch_bytes_max;
    const waiting = outbox.stats().chains.reduce((sum, chain) => sum + chain.bytes, 0);
    if (waiting > most) witness.wrong(`${waiting} bytes wait in an outbox of ${bytes}`);
  }

  #sender(
    chain: string,
    { outbox, watch }: { readonly outbox: Outbox; readonly watch: TurnWatch },
    identity: ChainIdentity,
    place: Plain,
    fail: (error: WeirError) => void,
  ): ChainSender {
    const { life, job, seams, witness, random } = this.#options;
    const link = new LinkModel(life, job.output);
    const model: StreamPortModel = new StreamPortModel(streamOf(job, chain), link, (publication) => {
      this.#checkBounds(model, outbox);
      witness.published(chain, publication);
    });
    const port = seams.port?.(model) ?? model;
    const common = { port, identity, clock: life, log: silentLog, place: place as unknown as Place | null };
    return new ChainSender({
      chain,
      outbox: watch.outbox(seams.chainOutbox?.(outbox) ?? outbox),
      target: (events) => targetOf(job, chain, { ...common, events: seams.events?.(events) ?? events }),
      identity,
      clock: life,
      log: silentLog,
      fenced: fail,
      random: random.next,
      hasWriter: true,
    });
  }
}

function sourceOf(source: Source): Source {
  return {
    open: (resume) => source.open(resume),
    read: (within) => source.read(within),
    commit: (position) => source.commit(position),
    stats: () => source.stats(),
    close: () => source.close(),
  };
}

/** Tells what is acknowledged. */
function told(source: Source, committed: (position: Plain) => void): Source {
  return {
    ...sourceOf(source),
    commit: (position) => {
      committed(position as Plain);
      return source.commit(position);
    },
  };
}
