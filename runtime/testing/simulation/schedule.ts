// One schedule: a seed, the world that it makes, lives of a worker one after the other in it, and what it came to. The same
// seed is the same schedule, event by event.

import { messageOf, WeirError } from "../../errors.ts";
import { MemoryDisk } from "../../state/log/memory-disk.ts";
import type { Plain } from "../../state/plain.ts";
import { expectedRows } from "./expected-rows.ts";
import { GivenRecords } from "./given-records.ts";
import { Incarnation, type Settings, type Witness } from "./incarnation.ts";
import { epoch_ms, Life } from "./life.ts";
import { type FaultPlan, faultPlan } from "./nemesis.ts";
import { Random } from "./random.ts";
import { ScheduledDisk } from "./scheduled-disk.ts";
import { Scheduler } from "./scheduler.ts";
import type { Seams } from "./seams.ts";
import { judgeNumbers, judgeRows, Verdict } from "./verdict.ts";
import { DurableProofs } from "./durable-proofs.ts";
import { arrivals, type Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface ScheduleOptions {
  readonly seed: number;
  readonly workloads: readonly Workload[];
  readonly seams?: Seams;
  readonly trace?: (line: string) => void;
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
  /** Which kinds of faults there were. */
  readonly faults: readonly string[];
}

/** In which everything that waits has to be through once nothing goes wrong any more. */
const drain_ms_max = 900_000;
/** A schedule that runs for so many events does not end by itself. */
const steps_max = 2_000_000;

/** How much more often crashes come in their favourite place. */
const favoured = 8;

export async function runSchedule(options: ScheduleOptions): Promise<Outcome> {
  const schedule = new Schedule(options);
  return schedule.run();
}

/** A state folder and all that ran on it. */
interface Lineage {
  readonly name: string;
  disk: MemoryDisk;
  readonly given: GivenRecords;
  life: Life | null;
  incarnation: Incarnation | null;
  /** Another one has taken over; it never starts again. */
  fenced: boolean;
}

class Schedule {
  readonly #options: ScheduleOptions;
  readonly #random: Random;
  readonly #workload: Workload;
  readonly #plan: FaultPlan;
  readonly #settings: Settings;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #verdict = new Verdict();
  readonly #lineages: Lineage[] = [];
  readonly #proofs: DurableProofs;
  /** What went wrong, by name. */
  readonly #struck = new Set<string>();
  readonly #acknowledged: boolean;
  readonly #length_ms: number;
  readonly #records: number;
  #lives = 0;
  #crashes = 0;
  #calls = 0;
  #healed = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    const random = new Random(options.seed);
    this.#random = random;
    this.#workload = random.pick(options.workloads);
    this.#records = options.records ?? random.between(10, 50);
    const every_ms = random.pick([100, 300, 1_000]);
    this.#length_ms = this.#records * every_ms;
    const plan = options.plan ?? faultPlan(random.fork(), this.#length_ms);
    this.#plan = options.adjust?.(plan, this.#length_ms) ?? plan;
    const copies = this.#plan.blows.some(({ kind }) => kind === "copy");
    this.#acknowledged = this.#plan.sourceKeeps === 0 && !copies && random.chance(0.25);
    this.#settings = {
      commit_ms: random.pick(this.#plan.until_ms > 200_000 ? [500, 2_000] : [100, 500, 2_000]),
      snapshot_bytes: random.pick([500, 4_000, 40_000, 1_000_000]),
      outboxMemory_bytes: random.pick([500, 4_000, 1_000_000]),
      outbox_bytes: random.pick([4_000, 100_000, 10_000_000]),
      patience_ms: random.pick([500, 5_000, 20_000]),
    };
    this.#proofs = new DurableProofs(random.fork(), this.#workload.name);
    this.#scheduler = new Scheduler(random.fork(), 0, options.trace ?? null);
    this.#world = new World(this.#scheduler, random.fork(), this.#workload, this.#plan, this.#acknowledged);
    const traffic = {
      records: this.#records,
      devices: random.between(1, 5),
      every_ms,
      disorder_ms: random.pick([0, 3_000, 25_000]),
    };
    this.#world.publishAll(arrivals(random.fork(), this.#workload.sources.length, traffic, epoch_ms));
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
    const [first] = this.#lineages;
    if (first?.life?.number === 1) this.#calls = first.life.calls;
    await this.#proofs.judge(this.#verdict);
    return this.#judged();
  }

  async #run(): Promise<void> {
    const scheduler = this.#scheduler;
    this.#lineages.push(this.#lineage("first", new MemoryDisk(), new GivenRecords()));
    this.#begin(this.#lineages[0] as Lineage);
    for (const blow of this.#plan.blows) {
      scheduler.after(blow.at_ms, blow.kind, () => {
        this.#struck.add(blow.kind);
        if (blow.kind === "copy") this.#copy();
        else if (blow.kind === "full disk") this.#fillDisk(blow.for_ms);
        else this.#world.strike(blow, this.#random);
      });
    }
    const faultsEnd_ms = Math.max(this.#plan.until_ms, this.#length_ms);
    scheduler.after(faultsEnd_ms, "faults end", () => this.#heal());
    // Some windows are to be closed by a life that has seen none of the faults.
    scheduler.after(faultsEnd_ms + 1_000, "closing", () => this.#world.closeWindows());
    let look_ms = 0;
    await scheduler.run(() => {
      if (scheduler.steps > steps_max || scheduler.now > faultsEnd_ms + drain_ms_max) return true;
      if (!this.#healed || scheduler.now < look_ms || scheduler.now < faultsEnd_ms + 1_100) return false;
      look_ms = scheduler.now + 200;
      return this.#isDrained();
    });
  }

  #lineage(name: string, disk: MemoryDisk, given: GivenRecords): Lineage {
    return { name, disk, given, life: null, incarnation: null, fenced: false };
  }

  #begin(lineage: Lineage): void {
    const number = ++this.#lives;
    let recovering = true;
    const life: Life = new Life(this.#scheduler, number, (label) =>
      this.#crashesNow(life, recovering, label),
    );
    this.#scheduler.note("life begins", number);
    lineage.life = life;
    const { edgeWire: edge, cloudWire: cloud } = this.#world;
    const random = this.#random.fork();
    const disk = new ScheduledDisk(lineage.disk, life, random.fork(), { call_ms: 0.2, sync_ms: 8 });
    const witness: Witness = {
      recovered: () => (recovering = false),
      published: (stream, publication) => this.#proofs.published(lineage.disk, stream, publication),
      acknowledged: (source, position) => this.#acknowledge(lineage, source, position),
      wrong: (what) => this.#verdict.add("wrong", what),
    };
    const { seams = {} } = this.#options;
    const options = { life, disk, random, edge, cloud, seams, witness, given: lineage.given };
    const incarnation = new Incarnation({ ...options, workload: this.#workload, settings: this.#settings });
    lineage.incarnation = incarnation;
    life.onEnd(() => this.#ended(lineage, life));
    incarnation.run().then(
      () => this.#failed(lineage, life, new Error("it ended by itself")),
      (fault: unknown) => this.#failed(lineage, life, fault),
    );
  }

  #crashesNow(life: Life, recovering: boolean, label: string): boolean {
    const { crash, crashInRecovery, crashes_max, favourite } = this.#plan;
    if (life.number === 1 && this.#options.crashAt !== undefined)
      return life.calls === this.#options.crashAt && ++this.#crashes > 0;
    if (this.#healed || this.#crashes >= crashes_max) return false;
    const usual = label === favourite ? crash * favoured : crash;
    if (!this.#random.chance(recovering ? Math.max(crash, crashInRecovery) : usual)) return false;
    this.#struck.add(recovering ? "crash in recovery" : "crash");
    this.#crashes++;
    return true;
  }

  /** The process is gone; another one is started after a while. */
  #ended(lineage: Lineage, life: Life): void {
    if (life.number === 1) this.#calls = life.calls;
    lineage.incarnation = null;
    const fault = this.#diskFaults();
    const { room } = lineage.disk;
    const options = { room, ...(fault === null ? {} : { fault }) };
    lineage.disk = this.#random.chance(this.#plan.powerShare)
      ? lineage.disk.afterCrash(this.#random.next, options)
      : lineage.disk.afterKill(options);
    if (lineage.fenced) return;
    const pause_ms = this.#random.next() * this.#random.next() * (this.#healed ? 1_000 : 20_000);
    this.#scheduler.after(pause_ms, "start worker", () => this.#begin(lineage));
  }

  #failed(lineage: Lineage, life: Life, fault: unknown): void {
    if (!life.alive) return;
    this.#scheduler.note("worker ends", messageOf(fault));
    if (fault instanceof WeirError && fault.code === "WEIR_FENCED" && this.#lineages.length > 1)
      lineage.fenced = true;
    else if (!this.#isExpected(fault))
      this.#verdict.add("wrong", `life ${life.number} ended: ${messageOf(fault)}`);
    life.end();
  }

  /** What the disk did to it; a supervisor starts it anew. */
  #isExpected(fault: unknown): boolean {
    if (!(fault instanceof WeirError)) return false;
    if (fault.code === "WEIR_DISK_FULL") return this.#plan.blows.some(({ kind }) => kind === "full disk");
    return fault.code === "WEIR_STATE" && this.#plan.diskError > 0;
  }

  #diskFaults(): (() => string | null) | null {
    const { diskError } = this.#plan;
    if (diskError === 0) return null;
    return () => {
      if (this.#healed || !this.#random.chance(diskError)) return null;
      this.#struck.add("disk error");
      return "EIO";
    };
  }

  #fillDisk(for_ms: number): void {
    for (const lineage of this.#lineages) {
      lineage.disk.room = 0;
      this.#scheduler.after(for_ms, "room on the disk", () => (lineage.disk.room = Number.POSITIVE_INFINITY));
    }
  }

  /** Somebody copies the state folder, once there is a state, and starts a second worker on the copy. */
  #copy(): void {
    const first = this.#lineages[0] as Lineage;
    if (first.given.records.length === 0 || first.incarnation?.outbox == null) {
      if (!this.#healed) this.#scheduler.after(500, "copy", () => this.#copy());
      return;
    }
    const copy = this.#lineage("copy", MemoryDisk.of(first.disk.files()), first.given.copy());
    this.#lineages.push(copy);
    this.#begin(copy);
  }

  #acknowledge(lineage: Lineage, source: number, position: Plain): void {
    this.#proofs.acknowledged(lineage.disk, source, position);
    const { sequence, created } = position as unknown as { sequence: number; created: string };
    if (this.#acknowledged) this.#world.settle(source, sequence, created);
  }

  #heal(): void {
    this.#healed = true;
    for (const lineage of this.#lineages) lineage.disk.room = Number.POSITIVE_INFINITY;
    this.#world.heal();
  }

  get #survivors(): readonly Lineage[] {
    return this.#lineages.filter(({ fenced }) => !fenced);
  }

  #isDrained(): boolean {
    if (!this.#world.allPublished) return false;
    return this.#survivors.every(
      (lineage) => lineage.incarnation?.isDrained === true && this.#missing(lineage).length === 0,
    );
  }

  /** Records that must count and do not. */
  #missing(lineage: Lineage): readonly number[] {
    const given = new Set(lineage.given.records.map(({ record }) => record.n));
    return [...this.#world.owed].filter((number) => !given.has(number));
  }

  #judged(): Outcome {
    const verdict = this.#verdict;
    for (const [chain, delivered] of this.#world.delivered) judgeNumbers(verdict, chain, delivered);
    // Two that run on copies of one state may both live as long as they say the same.
    for (const survivor of this.#survivors) this.#judge(survivor);
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
      crashes: this.#crashes,
      records: this.#records,
      rows,
      calls: this.#calls,
      faults: [...this.#struck],
    };
  }

  #judge(survivor: Lineage): void {
    const verdict = this.#verdict;
    const missing = this.#missing(survivor);
    if (missing.length > 0) verdict.add("lost", `records ${missing.slice(0, 9).join(", ")} were never read`);
    const given = survivor.given.records;
    const numbers = new Set(given.map(({ record }) => record.n));
    if (numbers.size < given.length)
      verdict.add("duplicated", `${given.length - numbers.size} records count twice`);
    const expected = expectedRows(given, this.#workload.sources.length, this.#workload.sinks);
    for (const sink of this.#workload.sinks) {
      const delivered = this.#world.delivered.get(sink.stream);
      if (delivered !== undefined) judgeRows(verdict, sink, delivered, expected.get(sink.stream) ?? []);
    }
  }
}
