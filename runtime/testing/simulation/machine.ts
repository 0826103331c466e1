// A machine with a state folder, and the lives of a worker on it, one after the other: each begins with what the one before left
// on the disk, in full after a crash of the process, in part where the power went too.

import type { Part } from "../../state/outbox/edit.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { MemoryDisk } from "../../state/log/memory-disk.ts";
import type { Plain } from "../../state/plain.ts";
import { DurableProofs } from "./durable-proofs.ts";
import { GivenRecords } from "./given-records.ts";
import { Incarnation, type Witness } from "./incarnation.ts";
import type { IngestModel } from "./ingest-model.ts";
import type { Job } from "./job.ts";
import { Life } from "./life.ts";
import type { Random } from "./random.ts";
import { diskPace, room_bytes, ScheduledDisk, usedBytes } from "./scheduled-disk.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Seams } from "./seams.ts";
import type { Trouble } from "./trouble.ts";
import type { Verdict } from "./verdict.ts";

export interface MachineOptions {
  readonly job: Job;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trouble: Trouble;
  readonly verdict: Verdict;
  readonly seams: Seams;
  /** Where the ingest of the host writes; null where records are in a stream. */
  readonly ingest: IngestModel | null;
  /** Numbers lives. */
  readonly nextLife: () => number;
  /** Told of what sources are told. */
  readonly acknowledged: (source: number, position: Plain) => void;
  /** Whether somebody else runs on a copy of the state, so that one of the two has to end for good. */
  readonly hasCopy: () => boolean;
}

export class Machine {
  readonly job: Job;
  readonly #options: MachineOptions;
  readonly #given: GivenRecords;
  readonly #proofs: DurableProofs;
  /** By chain, what any life dropped or gave to another chain. */
  readonly #gone = new Map<string, Part[]>();
  #disk: MemoryDisk;
  #life: Life | null = null;
  #incarnation: Incarnation | null = null;
  #isFenced = false;
  /** The power went, and the worker with it. */
  #isDark = false;

  constructor(options: MachineOptions, state?: { readonly disk: MemoryDisk; readonly given: GivenRecords }) {
    this.#options = options;
    this.job = options.job;
    this.#disk = state?.disk ?? new MemoryDisk([], { room: room_bytes });
    this.#given = state?.given ?? new GivenRecords();
    this.#proofs = new DurableProofs(options.random.fork(), options.job.workload.name);
    options.ingest?.machine(() => this.#darken());
  }

  /** Another one has taken over; it never starts again. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  get given(): GivenRecords {
    return this.#given;
  }

  get incarnation(): Incarnation | null {
    return this.#incarnation;
  }

  begin(): void {
    const { scheduler, random, trouble, job, seams, nextLife } = this.#options;
    let recovering = true;
    const life: Life = new Life(scheduler, nextLife(), (label) =>
      trouble.crashesNow(life, recovering, label),
    );
    scheduler.note("life begins", life.number);
    this.#life = life;
    const own = random.fork();
    const disk = new ScheduledDisk(this.#disk, life, own.fork(), diskPace);
    const journal = this.#options.ingest?.disk ?? null;
    const incarnation = new Incarnation({
      life,
      disk,
      journal: journal === null ? null : new ScheduledDisk(journal, life, own.fork(), diskPace),
      job,
      random: own,
      given: this.#given,
      gone: this.#gone,
      seams,
      witness: this.#witness(() => (recovering = false)),
    });
    this.#incarnation = incarnation;
    life.onEnd(() => this.#ended());
    incarnation.run().then(
      () => this.#failed(life, new Error("it ended by itself")),
      (fault: unknown) => this.#failed(life, fault),
    );
  }

  /** The disk has no more room than what is on it, for a while. */
  fill(for_ms: number): void {
    this.#disk.room = usedBytes(this.#disk);
    this.#options.scheduler.after(for_ms, "room on the disk", () => this.makeRoom());
  }

  makeRoom(): void {
    this.#disk.room = room_bytes;
  }

  /** A second machine on a copy of the state as it is now; null where there is none yet. */
  copy(options: MachineOptions): Machine | null {
    if (this.#given.records.length === 0 || this.#incarnation?.outbox == null) return null;
    const disk = MemoryDisk.of(this.#disk.files(), { room: room_bytes });
    return new Machine(options, { disk, given: this.#given.copy() });
  }

  judgeProofs(): Promise<void> {
    return this.#proofs.judge(this.#options.verdict);
  }

  #witness(recovered: () => void): Witness {
    const { verdict, acknowledged } = this.#options;
    return {
      recovered,
      published: (chain, publication) => this.#proofs.published(this.#disk, chain, publication),
      acknowledged: (source, position) => {
        this.#proofs.acknowledged(this.#disk, source, position);
        acknowledged(source, position);
      },
      wrong: (what) => verdict.add("wrong", what),
    };
  }

  /** The power of the whole machine goes, because of somebody else on it. */
  #darken(): void {
    this.#isDark = true;
    if (this.#life?.alive === true) this.#life.end();
    else this.#disk = this.#left(true);
    this.#isDark = false;
  }

  /** The process is gone; another one is started after a while. */
  #ended(): void {
    const { trouble, scheduler, ingest } = this.#options;
    this.#incarnation = null;
    const isDark = this.#isDark || trouble.losesPower();
    this.#disk = this.#left(isDark);
    if (isDark && !this.#isDark) ingest?.losePower();
    if (!this.#isFenced) scheduler.after(trouble.pause_ms(), "start worker", () => this.begin());
  }

  #left(isDark: boolean): MemoryDisk {
    const { trouble, random } = this.#options;
    const fault = trouble.diskFaults();
    const options = { room: this.#disk.room, ...(fault === null ? {} : { fault }) };
    return isDark ? this.#disk.afterCrash(random.next, options) : this.#disk.afterKill(options);
  }

  #failed(life: Life, fault: unknown): void {
    if (!life.alive) return;
    const { scheduler, verdict, hasCopy } = this.#options;
    scheduler.note("worker ends", messageOf(fault));
    if (fault instanceof WeirError && fault.code === "WEIR_FENCED" && hasCopy()) this.#isFenced = true;
    else if (!this.#isExpected(fault)) verdict.add("wrong", `life ${life.number} ended: ${messageOf(fault)}`);
    life.end();
  }

  /** What the disk did to it; a supervisor starts it anew. */
  #isExpected(fault: unknown): boolean {
    const { trouble } = this.#options;
    if (!(fault instanceof WeirError)) return false;
    if (fault.code === "WEIR_DISK_FULL") return trouble.fillsDisks;
    return fault.code === "WEIR_STATE" && trouble.plan.diskError > 0;
  }
}
