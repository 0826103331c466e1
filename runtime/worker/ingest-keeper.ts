// Keeps an ingest running for a worker: starts one where none has the lock, starts another when it ends, and tells it that the
// worker is there; or asks for one by a file, where a supervisor runs the ingest. It outlives the worker, so that nothing is lost
// while that is restarted; it ends some time after nobody has read any more.

import { type ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, sleep } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import { messageOf } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { isListening, writeBeat } from "./ingest-beat.ts";
import { type IngestPlan, planDigest } from "./ingest-plan.ts";
import { isRequested, writeRequest } from "./ingest-requests.ts";

export interface KeeperOptions {
  readonly plan: IngestPlan;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells this worker from one before it. */
  readonly identity: string;
  /** Somebody else runs ingests; this only asks. */
  readonly asks: boolean;
}

export class IngestKeeper {
  readonly #options: KeeperOptions;
  readonly #wanted: string;
  #beats = 0;
  #child: ChildProcess | null = null;
  #looking = false;
  /** Ends of ingests in a row that this worker started, and until when it starts no other. */
  #ends = 0;
  #notBefore = 0;
  #release: (() => void)[] = [];
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#wanted = planDigest(options.plan);
  }

  /** Resolves once an ingest was found or asked for, or one that was started listens. */
  async start(): Promise<void> {
    const { clock, plan, asks } = this.#options;
    makeFolder(plan.folder, 0o700);
    if (asks) writeRequest(plan);
    this.#beat();
    this.#release.push(clock.every(limits.journal_heartbeat_ms, () => this.#beat()));
    if (asks) return;
    await this.#look();
    await this.#untilListening();
    this.#release.push(clock.every(limits.ingest_watch_ms, () => void this.#look()));
  }

  /** Leaves the ingest to itself. */
  stop(): void {
    this.#stopped = true;
    for (const release of this.#release) release();
  }

  #beat(): void {
    const { plan, identity, log, asks } = this.#options;
    try {
      // An ingest that had given up on readers took it away with it.
      if (asks && !isRequested(plan.folder)) writeRequest(plan);
      writeBeat(plan.folder, { wanted: this.#wanted, count: ++this.#beats, worker: identity });
    } catch (fault) {
      log.warn(`ingest: ${messageOf(fault)}`);
    }
  }

  async #look(): Promise<void> {
    const { clock, plan, log } = this.#options;
    if (this.#looking || this.#child !== null || clock.elapsed() < this.#notBefore) return;
    this.#looking = true;
    try {
      if (await isFree(plan.folder)) this.#start();
    } catch (fault) {
      log.warn(`ingest: ${messageOf(fault)}`);
    } finally {
      this.#looking = false;
    }
  }

  /** What is published before is lost, and who sees pipelines run publishes. Where its server is away they begin all the same. */
  async #untilListening(): Promise<void> {
    const { plan, clock, log } = this.#options;
    const child = this.#child;
    if (child === null) return;
    const until = clock.elapsed() + limits.ingest_listens_ms_max;
    while (clock.elapsed() < until) {
      if (this.#stopped || this.#child !== child || isListening(plan.folder, child.pid)) return;
      await sleep(clock, limits.journal_group_ms);
    }
    log.warn(
      `ingest: process ${child.pid} does not listen yet, and what is published until it does is lost. Its log: ${plan.folder}/ingest.log`,
    );
  }

  #start(): void {
    if (this.#stopped) return;
    const { plan, log, clock } = this.#options;
    const lines = openLog(join(plan.folder, "ingest.log"));
    const program = fileURLToPath(partUrl("weir.js"));
    // A session of its own: what ends the worker's terminal or group does not end it.
    const child = spawn(process.execPath, ["--max-semi-space-size=2", program, "ingest", "--plan"], {
      detached: true,
      stdio: ["pipe", "ignore", lines],
    });
    closeSync(lines);
    this.#child = child;
    const begun = clock.elapsed();
    child.on("error", (fault) => log.warn(`ingest: cannot be started: ${fault.message}`));
    child.stdin?.on("error", () => {});
    child.stdin?.end(JSON.stringify(plan));
    child.unref();
    child.once("exit", (code, signal) => {
      this.#child = null;
      if (this.#stopped) return;
      const isSoon = clock.elapsed() - begun < limits.ingest_settled_ms;
      this.#ends = isSoon ? this.#ends + 1 : 0;
      // One that ends once is started at once; one that cannot go on is tried at a distance.
      this.#notBefore = this.#ends < 2 ? 0 : clock.elapsed() + backOff(this.#ends, Math.random());
      log.warn(
        `ingest: ended by ${signal ?? `code ${code}`}; starting another. Its log: ${plan.folder}/ingest.log`,
      );
      void this.#look();
    });
    log.info(
      `ingest: started as process ${child.pid}; it goes on for ${limits.journal_orphan_ms / 1000} s without a worker`,
    );
  }
}

async function isFree(folder: string): Promise<boolean> {
  const disk = await FileDisk.open(folder);
  const lock = await disk.lock();
  await lock?.release();
  return lock !== null;
}

/** To be added to; begun anew when it has grown large. */
function openLog(path: string): number {
  const file = openSync(path, "a", 0o600);
  if (statSync(path).size > limits.ingest_log_bytes_max) truncateSync(path);
  return file;
}
