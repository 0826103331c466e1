// The ingest of one host: the real loop and journal, in lives of their own beside those of the worker, on a disk that both
// work with. What it was sent counts from when it is durable; before that core NATS promises nothing.

import { PayloadBuilder, type PayloadBatch } from "../../batch/payloads.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "../../connect/connect.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { Ingest } from "../../connect/journal/ingest.ts";
import { JournalWriter } from "../../connect/journal/journal-writer.ts";
import { messageOf } from "../../errors.ts";
import type { Disk } from "../../state/log/disk.ts";
import { isLackOfRoom } from "../../state/log/disk-fault.ts";
import { MemoryDisk } from "../../state/log/memory-disk.ts";
import { Life } from "./life.ts";
import type { Random } from "./random.ts";
import { diskPace, room_bytes, ScheduledDisk, usedBytes } from "./scheduled-disk.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Seams } from "./seams.ts";
import type { Trouble } from "./trouble.ts";
import type { Verdict } from "./verdict.ts";
import type { World } from "./world.ts";

/** More than a schedule sends, in segments of some thirty groups. */
const journal_bytes = 1_048_576;
const journal_age_ms = 86_400_000;

export interface IngestModelOptions {
  readonly host: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trouble: Trouble;
  readonly verdict: Verdict;
  readonly seams: Seams;
  readonly world: World;
  readonly nextLife: () => number;
}

interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
}

export class IngestModel {
  readonly #options: IngestModelOptions;
  #disk: MemoryDisk = new MemoryDisk([], { room: room_bytes });
  #life: Life | null = null;
  /** Whoever else loses the power with it. */
  #darken: () => void = () => undefined;
  #isDark = false;

  constructor(options: IngestModelOptions) {
    this.#options = options;
  }

  get disk(): MemoryDisk {
    return this.#disk;
  }

  /** `darken`: takes the power from the worker of the same machine. */
  machine(darken: () => void): void {
    this.#darken = darken;
  }

  begin(): void {
    const { scheduler, random, trouble, seams, host, world, nextLife } = this.#options;
    const life: Life = new Life(scheduler, nextLife(), (label) => trouble.crashesNow(life, false, label));
    scheduler.note("ingest begins", life.number);
    this.#life = life;
    const own = random.fork();
    const scheduled = new ScheduledDisk(this.#disk, life, own.fork(), diskPace);
    const disk = seams.journalDisk?.(scheduled) ?? scheduled;
    const source = new CoreSubscription(life, (payload) => world.keeps(payload));
    world.ears.set(host, (message) => {
      // What comes while nobody listens is lost.
      if (world.edgeWire.open) source.receive(message);
    });
    life.onEnd(() => this.#ended(life));
    this.#run(life, disk, source, own).catch((fault: unknown) => this.#failed(life, fault));
  }

  fill(for_ms: number): void {
    this.#disk.room = usedBytes(this.#disk);
    this.#options.scheduler.after(for_ms, "room in the journal", () => this.makeRoom());
  }

  makeRoom(): void {
    this.#disk.room = room_bytes;
  }

  /** The worker's machine has lost its power. */
  losePower(): void {
    this.#isDark = true;
    if (this.#life?.alive === true) this.#life.end();
    else this.#lose();
    this.#isDark = false;
  }

  async #run(life: Life, disk: Disk, source: CoreSubscription, random: Random): Promise<void> {
    const identity = (): string =>
      Array.from({ length: 32 }, () => random.between(0, 15).toString(16)).join("");
    const bounds = { bytes: journal_bytes, age: journal_age_ms, overflow: "drop_newest" } as const;
    const writer = await JournalWriter.open({ disk, ...bounds, clock: life, identity });
    source.isOpen = true;
    await new Ingest({ source, writer, name: "ingest", log: silentLog, clock: life }).run();
  }

  #ended(life: Life): void {
    const { scheduler, trouble } = this.#options;
    const isDark = this.#isDark || trouble.losesPower();
    if (isDark) this.#lose();
    if (isDark && !this.#isDark) this.#darken();
    scheduler.note("ingest ends", life.number);
    scheduler.after(trouble.pause_ms() / 10, "start ingest", () => this.begin());
  }

  #lose(): void {
    this.#disk = this.#disk.afterCrash(this.#options.random.next, { room: this.#disk.room });
  }

  #failed(life: Life, fault: unknown): void {
    if (!life.alive) return;
    const { verdict, trouble } = this.#options;
    if (!(isLackOfRoom(fault) && trouble.fillsDisks))
      verdict.add("wrong", `the ingest ended: ${messageOf(fault)}`);
    life.end();
  }
}

/** What one life of the ingest hears. */
class CoreSubscription implements Source {
  /** It has subscribed. */
  isOpen = false;
  readonly #life: Life;
  /** Told of each record that is durable by now. */
  readonly #kept: (payload: Uint8Array) => void;
  #waiting: Message[] = [];
  /** Read since the journal was last made durable. */
  #read: Message[] = [];
  #wake: () => void = () => undefined;

  constructor(life: Life, kept: (payload: Uint8Array) => void) {
    this.#life = life;
    this.#kept = kept;
  }

  receive(message: Message): void {
    if (!this.isOpen || !this.#life.alive) return;
    this.#waiting.push(message);
    this.#wake();
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Whoever waits for more has made durable what came before. */
  async read({ wait_ms, age_ms }: ReadLimits): Promise<Delivery | null> {
    if (wait_ms > 0) {
      for (const { payload } of this.#read) this.#kept(payload);
      this.#read = [];
      if (this.#waiting.length === 0) await this.#wait(wait_ms);
      else await this.#wait(age_ms);
    }
    const taken = this.#waiting.splice(0);
    if (taken.length === 0) return null;
    this.#read.push(...taken);
    return { payloads: this.#payloadsOf(taken), position: null };
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SourceStats {
    return { records: 0, bytes: 0, dropped: {}, lag: null };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #payloadsOf(messages: readonly Message[]): PayloadBatch {
    const builder = new PayloadBuilder(Math.max(1, messages.length), 65_536);
    for (const { payload, subject } of messages) builder.add(payload, subject, this.#life.now());
    return builder.view();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#life.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
