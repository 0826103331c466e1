// One schedule: a seed, the world that it makes, lives of workers one after the other in it, and what it came to. The same
// seed is the same schedule, event by event.

import { limits } from "../../limits.ts";
import type { Plain } from "../../state/plain.ts";
import { IngestModel } from "./ingest-model.ts";
import { type Job, hostJob, type Settings, unpackJob } from "./job.ts";
import { judgeHost, judgeStreams } from "./judgement.ts";
import { epoch_ms } from "./life.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { type Blow, type FaultPlan, faultPlan } from "./nemesis.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import type { Seams } from "./seams.ts";
import { askable, drawShape, outage_ms, type Shape, shapeNamesOf } from "./shape.ts";
import { Trouble } from "./trouble.ts";
import { Verdict } from "./verdict.ts";
import { arrivals, laneStream, type Traffic, type Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface ScheduleOptions {
  readonly seed: number;
  readonly workloads: readonly Workload[];
  readonly seams?: Seams;
  readonly trace?: (line: string) => void;
  /** In place of a shape by chance, as far as it says. */
  readonly shape?: Partial<Shape>;
  /** In place of faults by chance. */
  readonly plan?: FaultPlan;
  /** Changes what goes wrong in a schedule of so many ms, to look closely at one thing. */
  readonly adjust?: (plan: FaultPlan, length_ms: number) => FaultPlan;
  /** The call out of the first life at which it ends; with `plan` only. */
  readonly crashAt?: number;
  readonly records?: number;
}

export interface Outcome {
  readonly seed: number;
  readonly workload: string;
  readonly verdict: Verdict;
  /** Of everything that happened. */
  readonly hash: string;
  readonly steps: number;
  readonly virtual_ms: number;
  readonly crashes: number;
  readonly records: number;
  readonly rows: number;
  /** Calls out of the first life. */
  readonly calls: number;
  /** Which kinds of faults there were, and of what shape it was. */
  readonly kinds: readonly string[];
}

/** In which everything that waits has to be through once nothing goes wrong any more. */
const drain_ms_max = 900_000;
/** A schedule that runs for so many events does not end by itself. */
const steps_max = 2_000_000;

export async function runSchedule(options: ScheduleOptions): Promise<Outcome> {
  const schedule = new Schedule(options);
  return schedule.run();
}

class Schedule {
  readonly #options: ScheduleOptions;
  readonly #random: Random;
  readonly #workload: Workload;
  readonly #shape: Shape;
  readonly #plan: FaultPlan;
  readonly #trouble: Trouble;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #verdict = new Verdict();
  /** Of hosts, copies included, and the one in the cloud where rows come by lanes. */
  readonly #machines: Machine[] = [];
  readonly #unpacker: Machine | null = null;
  readonly #ingests: readonly IngestModel[];
  readonly #traffic: Traffic;
  readonly #length_ms: number;
  #lives = 0;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    const random = new Random(options.seed);
    this.#random = random;
    this.#workload = random.pick(options.workloads);
    this.#shape = drawShape(random.fork(), this.#workload, options.shape);
    this.#traffic = this.#drawTraffic();
    this.#length_ms = this.#traffic.records * this.#traffic.every_ms;
    this.#plan = this.#drawPlan(random.fork());
    this.#trouble = new Trouble(this.#plan, random.fork(), options.crashAt ?? null);
    this.#scheduler = new Scheduler(random.fork(), 0, options.trace ?? null);
    const judged = { plan: this.#plan, shape: this.#shape, verdict: this.#verdict };
    this.#world = new World(this.#scheduler, random.fork(), this.#workload, judged);
    const { hosts, input } = this.#shape;
    this.#ingests = input === "journal" ? hosts.map((host) => this.#ingest(host)) : [];
    const settings = this.#drawSettings();
    for (const [place, host] of hosts.entries()) {
      const job = hostJob(host, this.#workload, this.#shape, this.#world, settings);
      this.#machines.push(new Machine(this.#machine(job, this.#ingests[place] ?? null)));
      const { sources } = this.#workload;
      const before = place * 1_000;
      const records = arrivals(random.fork(), host, sources.length, this.#traffic, epoch_ms, before);
      this.#world.publishAll(host, records);
    }
    const { unpack } = this.#workload;
    if (this.#shape.delivery === "lane" && unpack !== null)
      this.#unpacker = new Machine(this.#machine(unpackJob(unpack, this.#world, settings), null));
  }

  async run(): Promise<Outcome> {
    const chance = Math.random;
    // Code that does not ask for its random numbers gets them from the seed all the same.
    Math.random = this.#random.fork().next;
    try {
      await this.#run();
    } finally {
      Math.random = chance;
    }
    for (const machine of this.#all) await machine.judgeProofs();
    return this.#judged();
  }

  #drawTraffic(): Traffic {
    const random = this.#random;
    const condenses = this.#shape.outbox.tiers.length > 0;
    const records = this.#options.records ?? random.between(10, condenses ? 30 : 50);
    return {
      records,
      devices: random.between(1, condenses ? 2 : 5),
      // Rows are condensed only where they wait for minutes.
      every_ms: random.pick(condenses ? [8_000, 12_000] : [100, 300, 1_000]),
      disorder_ms: random.pick([0, 3_000, 25_000]),
    };
  }

  #drawPlan(random: Random): FaultPlan {
    const { plan: given, adjust } = this.#options;
    const drawn = given ?? faultPlan(random, this.#length_ms, outage_ms(this.#shape, this.#length_ms));
    const { sources } = this.#workload;
    return askable(adjust?.(drawn, this.#length_ms) ?? drawn, this.#shape, sources.length);
  }

  #drawSettings(): Settings {
    const random = this.#random;
    // What only looks now and then costs most where most of the time nothing happens.
    const isLong = this.#plan.until_ms > 200_000;
    return {
      commit_ms: random.pick(isLong ? [500, 2_000] : [100, 500, 2_000]),
      snapshot_bytes: random.pick([500, 4_000, 40_000, 1_000_000]),
      outboxMemory_bytes: random.pick([500, 4_000, 1_000_000]),
      patience_ms: random.pick(isLong ? [5_000, 20_000] : [500, 5_000, 20_000]),
    };
  }

  #ingest(host: string): IngestModel {
    const { seams = {} } = this.#options;
    const life = { scheduler: this.#scheduler, random: this.#random.fork(), trouble: this.#trouble };
    const nextLife = (): number => ++this.#lives;
    return new IngestModel({ ...life, host, verdict: this.#verdict, seams, world: this.#world, nextLife });
  }

  #machine(job: Job, ingest: IngestModel | null): MachineOptions {
    const { seams = {} } = this.#options;
    return {
      job,
      scheduler: this.#scheduler,
      random: this.#random.fork(),
      trouble: this.#trouble,
      verdict: this.#verdict,
      seams,
      ingest,
      nextLife: () => ++this.#lives,
      acknowledged: (source, position) => this.#acknowledged(job, source, position),
      hasCopy: () => this.#machines.filter((each) => each.job.host === job.host).length > 1,
    };
  }

  get #all(): readonly Machine[] {
    return this.#unpacker === null ? this.#machines : [...this.#machines, this.#unpacker];
  }

  async #run(): Promise<void> {
    const scheduler = this.#scheduler;
    // Whose life is the first is by chance: where a crash is tried at each of its calls, that is of either.
    const [first, then] = this.#random.chance(0.5) ? [this.#all, this.#ingests] : [this.#ingests, this.#all];
    for (const each of [...first, ...then]) each.begin();
    for (const blow of this.#plan.blows) scheduler.after(blow.at_ms, blow.kind, () => this.#strike(blow));
    const faultsEnd_ms = Math.max(this.#plan.until_ms, this.#length_ms);
    scheduler.after(faultsEnd_ms, "faults end", () => this.#heal());
    // Some windows are to be closed by a life that has seen none of the faults.
    scheduler.after(faultsEnd_ms + 1_000, "closing", () => this.#world.closeWindows());
    let look_ms = 0;
    await scheduler.run(() => {
      if (scheduler.steps > steps_max || scheduler.now > faultsEnd_ms + drain_ms_max) return true;
      // A chain that has nothing to send learns later that its stream was made anew.
      const rest_ms = this.#trouble.struck.has("recreate sink") ? limits.chain_check_ms : 0;
      if (!this.#trouble.isOver || scheduler.now < look_ms || scheduler.now < faultsEnd_ms + rest_ms + 1_100)
        return false;
      look_ms = scheduler.now + 200;
      return this.#isDrained();
    });
  }

  #strike(blow: Blow): void {
    this.#trouble.struck.add(blow.kind);
    if (blow.kind === "copy") this.#copy();
    else if (blow.kind === "full disk")
      for (const disk of [...this.#all, ...this.#ingests]) disk.fill(blow.for_ms);
    else this.#world.strike(blow, this.#random);
  }

  /** Somebody copies the state folder, once there is a state, and starts a second worker on the copy. */
  #copy(): void {
    const first = this.#machines[0];
    if (first === undefined) return;
    const copy = first.copy(this.#machine(first.job, null));
    if (copy === null) {
      if (!this.#trouble.isOver) this.#scheduler.after(500, "copy", () => this.#copy());
      return;
    }
    this.#machines.push(copy);
    copy.begin();
  }

  #acknowledged({ streams }: Job, source: number, position: Plain): void {
    if (this.#shape.input !== "workqueue" || streams === null) return;
    const { sequence, created } = position as unknown as { sequence: number; created: string };
    this.#world.settle(streams[source] ?? "", sequence, created);
  }

  #heal(): void {
    this.#trouble.end();
    for (const disk of [...this.#all, ...this.#ingests]) disk.makeRoom();
    this.#world.heal();
  }

  get #survivors(): readonly Machine[] {
    return this.#machines.filter(({ isFenced }) => !isFenced);
  }

  #isDrained(): boolean {
    if (!this.#world.allPublished) return false;
    const areDrained = this.#survivors.every(
      (machine) => machine.incarnation?.isDrained === true && this.#missing(machine).length === 0,
    );
    return areDrained && (this.#unpacker === null || this.#hasUnpacked(this.#unpacker));
  }

  /** The worker in the cloud has read all that came by lanes, and sent what it made of it. */
  #hasUnpacked({ incarnation }: Machine): boolean {
    const last = this.#world.cloud.stream(laneStream)?.facts().last ?? 0;
    const [position] = incarnation?.read ?? [];
    const { sequence } = (position ?? { sequence: 0 }) as unknown as { sequence: number };
    return incarnation?.isDrained === true && sequence >= last;
  }

  /** Records that must count and do not. */
  #missing({ given, job }: Machine): readonly number[] {
    const numbers = new Set(given.records.map(({ record }) => record.n));
    return [...this.#world.owed(job.host)].filter((number) => !numbers.has(number));
  }

  #judged(): Outcome {
    const verdict = this.#verdict;
    const options = { verdict, world: this.#world, shape: this.#shape };
    judgeStreams(options, this.#survivors.length > 0);
    // Two that run on copies of one state may both live as long as they say the same.
    for (const survivor of this.#survivors) {
      const missing = this.#missing(survivor);
      if (missing.length > 0)
        verdict.add("lost", `records ${missing.slice(0, 9).join(", ")} were never read`);
      judgeHost(options, survivor);
    }
    let rows = 0;
    for (const { incarnations } of this.#world.delivered.values())
      for (const messages of incarnations) rows += messages.length;
    const { hash, steps, now: virtual_ms } = this.#scheduler;
    return {
      seed: this.#options.seed,
      workload: this.#workload.name,
      verdict,
      hash,
      steps,
      virtual_ms,
      crashes: this.#trouble.crashes,
      records: this.#traffic.records,
      rows,
      calls: this.#trouble.firstCalls,
      kinds: [...this.#trouble.struck, ...shapeNamesOf(this.#shape)],
    };
  }
}
