// One revision of one pipeline in a worker that runs many, from its file's text to drained. Its end, its failure and
// its opening touch no other pipeline.

import type { AssignedPipeline } from "../assignment.ts";
import { type Clock, sleep } from "../clock.ts";
import { stateChanged } from "../engine/engine-state.ts";
import { fingerprintOf } from "../engine/fingerprint.ts";
import type { LoadedPipeline } from "../engine/loader.ts";
import { loadInput } from "../engine/loader.ts";
import { readReferenceFiles } from "../engine/reference-files.ts";
import { adviceOf, messageOf, WeirError } from "../errors.ts";
import type { Phase } from "../heartbeat.ts";
import { instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { promisesOf } from "../pipeline/guarantee.ts";
import { formatDiagnostics, inOneLine } from "../pipeline/format-diagnostics.ts";
import type { Links } from "./connections.ts";
import { Life } from "./lifecycle.ts";
import type { DeviceSettings } from "./settings.ts";
import { StartWaits } from "./start-waits.ts";
import { Worker, type WorkerStatus } from "./worker.ts";

/** What all pipelines of a worker are given. */
export interface PipelineSurroundings {
  readonly settings: DeviceSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** A new one for each start of a pipeline: makes row ids unique. */
  readonly identity: () => string;
  readonly environment: Readonly<Record<string, string>>;
  /** Connections for one pipeline, which are others' as well. */
  readonly links: () => Links;
}

/** A pipeline that may run, or everything that is wrong with it in words. */
export type Checked =
  | { readonly pipeline: LoadedPipeline; readonly fault: null }
  | { readonly pipeline: null; readonly fault: string };

/** Reads and checks an assigned pipeline, as `weir lint` does. */
export async function checkPipeline(
  { name, file, text }: AssignedPipeline,
  environment: Readonly<Record<string, string>>,
): Promise<Checked> {
  try {
    const { partition } = instanceOf(name);
    const loaded = await loadInput({ file, text, environment, partition });
    const tables = await readReferenceFiles(loaded, file);
    const diagnostics = [...loaded.diagnostics, ...tables.diagnostics];
    if (loaded.plan === null || diagnostics.some(({ severity }) => severity === "error"))
      return {
        pipeline: null,
        fault: formatDiagnostics(diagnostics, { [file]: text }, { color: false }).trimEnd(),
      };
    if (loaded.plan.name === name) return { pipeline: loaded, fault: null };
    return { pipeline: null, fault: `its file calls it ${loaded.plan.name}, and it was assigned as ${name}` };
  } catch (error) {
    return { pipeline: null, fault: adviceOf(error) };
  }
}

/** What of its state keeps a pipeline from being open, and passes by itself. */
const passing: ReadonlySet<string> = new Set(["WEIR_DISK_FULL", "WEIR_STATE_BUSY"]);

export class PipelineLife {
  /** The start of it that this is. A pipeline that runs is taken for a later one without being touched. */
  attempt: number;
  readonly revision: string;
  /** This host's turn of it, where it goes from host to host. */
  readonly term: number | undefined;
  readonly #forget: boolean;
  readonly #resumes: boolean;
  readonly #name: string;
  readonly #surroundings: PipelineSurroundings;
  readonly #life: Life;
  readonly #waits = new StartWaits();
  #fault: string | null = null;
  #worker: Worker | null = null;
  #links: Links | null = null;
  /** What decides the meaning of what it keeps; null until it is started. */
  #fingerprint: Uint8Array | null = null;
  #ended: Promise<void> = Promise.resolve();
  /** The disk of its state has no room, or another process has it: that passes, and is no fault of this revision. */
  #lacksState = false;
  #last: WorkerStatus | null = null;

  constructor(
    { name, revision, attempt, term, forget, resumes }: AssignedPipeline,
    surroundings: PipelineSurroundings,
  ) {
    this.#name = name;
    this.revision = revision;
    this.attempt = attempt;
    this.term = term;
    this.#forget = forget === true;
    this.#resumes = resumes === true;
    this.#surroundings = surroundings;
    this.#life = new Life(surroundings.clock.now());
  }

  get phase(): Phase {
    return this.#life.phase;
  }

  get since(): number {
    return this.#life.since;
  }

  /** Why it failed; null unless it did. */
  get fault(): string | null {
    return this.#fault;
  }

  /** It starts, and neither a connection nor its state keeps it from being open. */
  get isUnready(): boolean {
    return this.phase === "starting" && this.#links?.areConnected === true && !this.#lacksState;
  }

  /** What it waits for while it starts, or what is gone that was there while it runs; null where that is not known, or nothing. */
  get waitsFor(): string | null {
    if (this.phase === "running") return this.#waits.first;
    if (this.phase !== "starting") return null;
    const missing = this.#links?.missing ?? null;
    return missing === null ? this.#waits.first : `the server of the connection ${missing}`;
  }

  /** While it runs, a connection of its whose server is not there; null where all are. */
  get away(): string | null {
    return this.phase === "running" ? (this.#links?.missing ?? null) : null;
  }

  get busy_ms(): number {
    return this.#worker?.busy_ms ?? 0;
  }

  /** What it counts; null before it is open. */
  status(): WorkerStatus | null {
    return this.#worker?.status()[0] ?? this.#last;
  }

  /** What the outboxes of its state folders hold; nothing while it is not open. */
  outboxes(): ReturnType<Worker["outboxes"]> {
    return this.#worker?.outboxes() ?? [];
  }

  /** Why a revision that is to come after this one could not go on with what it keeps; null where it can, or nothing is kept. */
  misfit({ plan }: LoadedPipeline): string | null {
    const isKept = this.phase === "running" && this.#surroundings.settings.state !== null;
    if (!isKept || plan === null || this.#fingerprint === null) return null;
    return Buffer.from(this.#fingerprint).equals(fingerprintOf(plan))
      ? null
      : adviceOf(stateChanged(this.#name));
  }

  /** Opens and runs it; returns at once. */
  start(pipeline: LoadedPipeline): void {
    this.#fingerprint = pipeline.plan === null ? null : fingerprintOf(pipeline.plan);
    this.#links = this.#surroundings.links();
    this.#worker = this.#made(this.#links);
    this.#ended = this.#run(this.#worker, pipeline);
  }

  #made(connections: Links): Worker {
    const { settings, clock, log, identity } = this.#surroundings;
    const turn = { term: this.term, resumesTurn: this.#resumes, forgetsChanged: this.#forget };
    const heard = this.#waits.heardOn(log);
    return new Worker({ settings, clock, log: heard, identity: identity(), connections, ...turn });
  }

  /** It cannot be started. */
  refuse(fault: string): void {
    this.#fail(fault);
  }

  /** Takes nothing new and settles what was taken; resolves once it has ended, however. */
  async stop(): Promise<void> {
    this.#life.on("asked", this.#surroundings.clock.now());
    const worker = this.#worker;
    if (worker !== null && this.phase === "draining") {
      // It tells when draining takes too long. That it goes on in the background then is better than to wait for it.
      await Promise.race([this.#ended, worker.stop()]).catch((error: unknown) => this.#fail(adviceOf(error)));
    }
    this.#life.on("drained", this.#surroundings.clock.now());
    await this.#close();
  }

  #tellWhat({ plan }: LoadedPipeline): void {
    const { settings, log } = this.#surroundings;
    log.info(`${this.#name}: running revision ${this.revision}`);
    const promises = plan === null ? [] : promisesOf(plan, settings.state !== null, settings.outbox);
    for (const promise of promises) log.info(`${this.#name}: ${promise}`);
  }

  /** Opens it; where its disk is full or its state is another's, as often as it takes. Null where it is to end meanwhile. */
  async #opened(first: Worker, pipeline: LoadedPipeline): Promise<Worker | null> {
    const { clock, log, links } = this.#surroundings;
    const waits = this.#waits.heardOn(log).waits!;
    for (let worker = first; ; worker = this.#worker = this.#made((this.#links = links()))) {
      try {
        await worker.open([pipeline]);
        this.#lacksState = false;
        waits("its state", null);
        return worker;
      } catch (error) {
        if (!(error instanceof WeirError) || !passing.has(error.code)) throw error;
        if (this.phase !== "starting") throw error;
        if (!this.#lacksState) log.warn(`${this.#name}: ${adviceOf(error)}`);
        this.#lacksState = true;
        waits("its state", messageOf(error));
      }
      await this.#close();
      await sleep(clock, limits.state_again_ms);
      if (this.phase !== "starting") return null;
    }
  }

  async #run(first: Worker, pipeline: LoadedPipeline): Promise<void> {
    const { clock } = this.#surroundings;
    try {
      const worker = await this.#opened(first, pipeline);
      if (worker === null) return;
      if (this.#life.on("opened", clock.now())) this.#tellWhat(pipeline);
      await worker.run();
      this.#life.on("ended", clock.now());
    } catch (error) {
      // It is told when its state is free again: whoever hears of it may start it anew at once.
      if (this.phase !== "draining") await this.#close();
      this.#fail(adviceOf(error));
    }
    if (this.phase !== "draining") await this.#close();
  }

  #fail(fault: string): void {
    const { clock, log } = this.#surroundings;
    if (!this.#life.on("failed", clock.now())) return;
    // It goes into every heartbeat, and may be an operator's own words.
    this.#fault = fault.slice(0, limits.pipeline_fault_characters_max);
    log.error(`${this.#name}: ${inOneLine(this.#fault)}`);
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#last = worker.status()[0] ?? null;
    this.#worker = null;
    await worker.close().catch((error: unknown) => this.#surroundings.log.warn(messageOf(error)));
  }
}
