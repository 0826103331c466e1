// The process that subscribes and writes journals: connections, subscriptions and files, wired, and ended in order. Composition
// root of `weir ingest`; it loads nothing of pipelines or engines, and stays small.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { PayloadBatch } from "../batch/payloads.ts";
import { type Clock, sleep } from "../clock.ts";
import { Ingest } from "../connect/journal/ingest.ts";
import { JournalWriter } from "../connect/journal/journal-writer.ts";
import { SequenceGaps } from "../connect/journal/sequence-gaps.ts";
import { natsSource } from "../connect/nats-source.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { Connections } from "./connections.ts";
import { type Attendance, attendanceAfter, dismissal, readBeat, writeListening } from "./ingest-beat.ts";
import { type IngestJob, type IngestPlan, planDigest } from "./ingest-plan.ts";

export class IngestProcess {
  readonly #plan: IngestPlan;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #connections: Connections;
  readonly #ingests: Ingest[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #listening = 0;
  #stopping: Promise<void> | null = null;
  #attendance: Attendance = { beat: null, silent: 0 };

  /** Why it ended by itself; null while it runs, and where it was told to end. */
  dismissed: ReturnType<typeof dismissal> = null;

  constructor(plan: IngestPlan, clock: Clock, log: Log, connections: IngestPlan["connections"]) {
    this.#plan = plan;
    this.#clock = clock;
    this.#log = log;
    this.#connections = new Connections(connections, log, clock);
  }

  /** Runs until `stop`, or until it is of no use any more; all that was received is durable then. */
  async run(): Promise<void> {
    const { folder, jobs } = this.#plan;
    await this.#lock(folder);
    const endWatch = this.#clock.every(limits.journal_heartbeat_ms, () => this.#attend());
    try {
      await Promise.all(jobs.map((job) => this.#job(job)));
    } finally {
      endWatch();
      await this.#connections.close();
      for (const close of this.#closers.reverse()) await close();
    }
  }

  /** Takes nothing more; `run` then finishes what was received. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#connections.giveUp();
      await Promise.all(this.#ingests.map((ingest) => ingest.stop()));
    })();
    return this.#stopping;
  }

  /** Somebody who only looks whether it is free has it for a moment. */
  async #lock(folder: string): Promise<void> {
    const disk = await FileDisk.open(folder);
    for (let waited = 0; waited <= limits.ingest_lock_ms_max; waited += limits.journal_group_ms) {
      const lock = await disk.lock();
      if (lock !== null) {
        this.#closers.push(() => lock.release());
        return;
      }
      await sleep(this.#clock, limits.journal_group_ms);
    }
    throw new WeirError("WEIR_STATE", `${folder}: another ingest has it`, {
      remedy: "leave it to that one, or end it first",
    });
  }

  async #job(job: IngestJob): Promise<void> {
    const { folder, to, subject, framing, overflow, bytes, age, sequence } = job;
    const disk = await FileDisk.open(folder);
    const identity = (): string => randomBytes(16).toString("hex");
    const gaps = sequence === null ? null : new SequenceGaps(sequence);
    const bounds = { bytes, age, overflow, recall: (payloads: PayloadBatch) => gaps?.recall(payloads) };
    const writer = await JournalWriter.open({ disk, ...bounds, clock: this.#clock, identity });
    this.#closers.push(() => writer.close());
    let link;
    try {
      link = await this.#connections.link(to);
    } catch (fault) {
      if (this.#stopping !== null) return;
      throw fault;
    }
    const log = this.#log;
    const receiving = { link, subject, framing, overflow, close_ms: limits.drain_ms_max };
    const source = natsSource({ ...receiving, log, clock: this.#clock });
    const ingest = new Ingest({ source, writer, gaps, name: `ingest ${subject}`, log, clock: this.#clock });
    this.#ingests.push(ingest);
    await source.open();
    log.info(`ingest ${subject}: journal ${join(folder, "")}, from record ${writer.next} on`);
    if (++this.#listening === this.#plan.jobs.length) writeListening(this.#plan.folder, process.pid);
    if (this.#stopping !== null) await ingest.stop();
    await ingest.run();
  }

  #attend(): void {
    const { folder, attended } = this.#plan;
    this.#attendance = attendanceAfter(this.#attendance, readBeat(folder), limits.journal_heartbeat_ms);
    const reason = dismissal(this.#attendance, planDigest(this.#plan));
    if (reason === null || this.#stopping !== null || !attended) return;
    this.#log.info(`ingest: ${reason}; ending`);
    this.dismissed = reason;
    void this.stop();
  }
}
