// One life of a worker in the simulation: the real log, outbox, engine, senders and task, wired as a worker wires them, on a
// disk and connections of the model. Ends with the life, or with what the task ends with.

import type { ChainIdentity, Place } from "../../connect/chain/chain.ts";
import { exclusiveTarget } from "../../connect/chain/exclusive-target.ts";
import { ChainSender } from "../../connect/chain/chain-sender.ts";
import type { Publication } from "../../connect/chain/stream-port.ts";
import type { Sink, Source } from "../../connect/connect.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { GroupRunner } from "../../engine/group-runner.ts";
import { SourceGroup } from "../../engine/source-group.ts";
import type { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { PipelinePlan } from "../../pipeline/pipeline.ts";
import { openCommitLog } from "../../state/log/commit-log.ts";
import type { Disk } from "../../state/log/disk.ts";
import { Outbox } from "../../state/outbox/outbox.ts";
import type { Plain } from "../../state/plain.ts";
import { type Recovered, recoveredFrom } from "../../worker/commit-body.ts";
import { DurableTask, type Sender } from "../../worker/durable-task.ts";
import { outboxSink } from "../../worker/outbox-sink.ts";
import { SinkSet } from "../../worker/sink-set.ts";
import type { GivenRecords } from "./given-records.ts";
import type { Life } from "./life.ts";
import { LinkModel, type Wire } from "./link-model.ts";
import type { Random } from "./random.ts";
import type { Seams } from "./seams.ts";
import { SourceModel } from "./source-model.ts";
import { StreamPortModel } from "./stream-port-model.ts";
import type { SinkPlan, Workload } from "./workload.ts";

/** Share of publishes at which it is looked how much waits. */
const boundsLooked = 0.05;
/** Rows of one batch more than there is room for, as whoever feeds asks for room afterwards. */
const batch_bytes_max = 24_000;

/** Sizes and times that differ from seed to seed. */
export interface Settings {
  readonly commit_ms: number;
  readonly snapshot_bytes: number;
  readonly outboxMemory_bytes: number;
  readonly outbox_bytes: number;
  /** How long a source waits for a message beyond what it is asked to. */
  readonly patience_ms: number;
}

export interface IncarnationOptions {
  readonly life: Life;
  readonly disk: Disk;
  readonly workload: Workload;
  readonly settings: Settings;
  readonly random: Random;
  readonly edge: Wire;
  readonly cloud: Wire;
  readonly given: GivenRecords;
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
  /** By source, where the batch that is being fed ends. */
  readonly #read: Plain[];
  #outbox: Outbox | null = null;

  constructor(options: IncarnationOptions) {
    this.#options = options;
    this.#plans = options.workload.pipelines.flatMap(({ plan }) => plan ?? []);
    this.#read = options.workload.sources.map(() => null);
  }

  /** True when all that was added to the outbox is confirmed. */
  get isDrained(): boolean {
    const outbox = this.#outbox;
    return (
      outbox !== null &&
      this.#chains().every((stream) => {
        const { last, confirmed } = outbox.chain(stream);
        return last === confirmed;
      })
    );
  }

  get outbox(): Outbox | null {
    return this.#outbox;
  }

  /** Recovers and runs; rejects with what the task ended with. */
  async run(): Promise<void> {
    const { life, random, seams, witness, workload } = this.#options;
    const disk = seams.disk?.(this.#options.disk) ?? this.#options.disk;
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.between(0, 255));
    const opened = await openCommitLog(disk, { owner: workload.name, random: bytes, reserveBytes: 4_096 });
    const log = seams.log?.(opened.log) ?? opened.log;
    const recovery = seams.recovery?.(opened.recovery) ?? opened.recovery;
    const recovered = recoveredFrom(recovery.snapshot, recovery.commits);
    const outbox = await this.#openOutbox(disk, recovered);
    const sinks = this.#sinks(outbox);
    const runner = await this.#runner(recovered, sinks);
    const { sources, positions } = await this.#sources(recovered);
    witness.recovered();
    const places = recovered.places as Readonly<Record<string, Plain>> | null;
    const senders = this.#chains().map((chain): Sender => {
      const place = places?.[chain] ?? null;
      const identity = { id: `${log.id}.${chain}`, epoch: recovery.epoch };
      return this.#sender(chain, outbox, identity, place, (error) => task.fail(error));
    });
    const task = new DurableTask({
      pipelines: this.#plans.map(({ name }) => name),
      away: new Map(),
      sources,
      positions,
      runner,
      sinks: sinks.set,
      log,
      outbox: seams.rowStore?.(outbox) ?? outbox,
      senders,
      clock: life,
      tell: silentLog,
      commit_ms: this.#options.settings.commit_ms,
      snapshot_bytes: this.#options.settings.snapshot_bytes,
      random: random.next,
    });
    this.#outbox = outbox;
    await task.run();
  }

  #chains(): readonly string[] {
    return [...new Set(this.#options.workload.sinks.map(({ stream }) => stream))];
  }

  async #openOutbox(disk: Disk, { outbox: manifest, outputs }: Recovered): Promise<Outbox> {
    const { life, settings, seams } = this.#options;
    const outbox = await Outbox.open(disk, manifest, {
      clock: life,
      memoryBytes: settings.outboxMemory_bytes,
      fileBytes: 16_384,
      limits: { bytes: settings.outbox_bytes, age: null, whenFull: "wait" },
      ...(seams.retention_ms === undefined ? {} : { retention: seams.retention_ms }),
    });
    for (const frame of outputs) outbox.replay(frame);
    return outbox;
  }

  #sinks(outbox: Outbox): { readonly set: SinkSet; readonly of: (sink: SinkPlan) => Sink } {
    const sinks = new Map<string, Sink>();
    for (const stream of this.#chains()) {
      const progress = () => ({ confirmed: outbox.chain(stream).confirmed, dropped: {} });
      sinks.set(stream, outboxSink({ outbox, chain: stream, progress }));
    }
    return { set: new SinkSet([...sinks.values()]), of: ({ stream }) => sinks.get(stream) as Sink };
  }

  async #runner(
    recovered: Recovered,
    { set, of }: { readonly set: SinkSet; readonly of: (sink: SinkPlan) => Sink },
  ): Promise<GroupRunner> {
    const { life, given, workload, witness } = this.#options;
    const group = new SourceGroup(this.#plans, {
      identity: "simulation",
      outputs: (plan) => {
        const sinks = plan.branches.map(({ name }) => {
          const sink = workload.sinks.find((each) => each.pipeline === plan.name && each.branch === name);
          if (sink === undefined) throw new Error(`${plan.name}: branch ${name} has no sink`);
          return of(sink);
        });
        return {
          row: (branch, row) => set.write(sinks[branch] as Sink, row),
          deadLetter: ({ reason }) => witness.wrong(`a record went to the dead letter: ${reason}`),
        };
      },
    });
    const runner = new GroupRunner(group, { inputs: [], header: [], threads: 0 });
    for (const { name } of this.#plans) {
      const changes = recovered.states.get(name);
      if (changes !== undefined) await runner.restore(name, changes, life.now());
    }
    const { states } = this.#options.seams;
    if (states !== undefined) {
      const checkpoint = runner.checkpoint.bind(runner);
      runner.checkpoint = async (now) => states(await checkpoint(now));
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
    const { workload, given, witness, random, edge, life, settings, seams } = this.#options;
    const known = recovered.positions.get(this.#plans[0]?.name ?? "") ?? [];
    const positions = workload.sources.map((_stream, source) => known[source] ?? null);
    const fault = given.resume(positions);
    if (fault !== null) witness.wrong(fault);
    const sources: Source[] = [];
    for (const [place, stream] of workload.sources.entries()) {
      const source = new SourceModel({
        stream,
        link: new LinkModel(life, edge),
        random: random.fork(),
        patience_ms: settings.patience_ms,
        committed: (position) => witness.acknowledged(place, position),
        ...(seams.resume === undefined ? {} : { resume: seams.resume }),
      });
      await source.open(positions[place] ?? null);
      sources.push(this.#watched(seams.source?.(source) ?? source, place));
    }
    return { sources, positions };
  }

  /** Remembers where what is fed next ends. */
  #watched(source: Source, place: number): Source {
    return {
      open: (resume) => source.open(resume),
      read: async (limits) => {
        const delivery = await source.read(limits);
        if (delivery !== null && delivery !== "end") this.#read[place] = delivery.position;
        return delivery;
      },
      commit: (position) => source.commit(position),
      stats: () => source.stats(),
      close: () => source.close(),
    };
  }

  /** What is in flight, and what waits, stays within what was said. */
  #checkBounds({ inFlight, name }: StreamPortModel, outbox: Outbox): void {
    const { witness, settings, random } = this.#options;
    if (inFlight > limits.sink_in_flight_max) witness.wrong(`${name}: ${inFlight} rows are in flight`);
    if (!random.chance(boundsLooked)) return;
    const waiting = outbox.stats().chains.reduce((sum, { bytes }) => sum + bytes, 0);
    if (waiting > settings.outbox_bytes + batch_bytes_max)
      witness.wrong(`${waiting} bytes wait in an outbox of ${settings.outbox_bytes}`);
  }

  #sender(
    stream: string,
    outbox: Outbox,
    identity: ChainIdentity,
    place: Plain,
    fail: (error: WeirError) => void,
  ): ChainSender {
    const { life, cloud, seams, witness, random } = this.#options;
    const model: StreamPortModel = new StreamPortModel(stream, new LinkModel(life, cloud), (publication) => {
      this.#checkBounds(model, outbox);
      witness.published(stream, publication);
    });
    const port = seams.port?.(model) ?? model;
    const common = { port, identity, clock: life, log: silentLog, place: place as unknown as Place | null };
    return new ChainSender({
      chain: stream,
      outbox: seams.chainOutbox?.(outbox) ?? outbox,
      target: (events) => exclusiveTarget({ ...common, events: seams.events?.(events) ?? events }),
      identity,
      clock: life,
      log: silentLog,
      fenced: fail,
      random: random.next,
    });
  }
}
