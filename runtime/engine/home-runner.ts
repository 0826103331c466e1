// A pipeline with operators of the user's own, run in a thread of its own: a hang there is seen and
// ended, and never stops a socket. Only buffers and small facts cross.

import { Worker } from "node:worker_threads";
import { ownedPayloads, type PayloadBatch, payloadBuffers } from "../batch/payloads.ts";
import type { Clock } from "../clock.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { WeirError } from "../errors.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { placedMessage } from "../operator-place.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { notHere } from "./checkpoints.ts";
import type { HomeAnswer, HomeRequest } from "./home-protocol.ts";
import type { PipelineInput } from "./loader.ts";
import type { EngineOutputs } from "./output.ts";
import { unpackRows } from "./row-pack.ts";
import type { Runner } from "./runner.ts";
import type { PipelineStatus } from "./status.ts";
import { hungFault } from "./strangers.ts";
import { endThread } from "./thread-end.ts";
import { WatermarkTracker } from "./watermark.ts";

export interface HomeRunnerOptions {
  readonly plan: PipelinePlan;
  readonly input: PipelineInput;
  /** By source, the column names of one in CSV. */
  readonly headers: readonly (readonly string[] | null)[];
  readonly identity: string;
  readonly outputs: EngineOutputs;
  readonly clock: Clock;
  /** Longest time that one answer may take. */
  readonly hang_ms?: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Waiting {
  /** With the state that was asked for. */
  readonly resolve: (state: Bytes | null) => void;
  readonly reject: (error: Error) => void;
}

const kinds: ReadonlySet<unknown> = new Set<HomeAnswer["kind"]>(["done", "refused", "failed"]);

export class HomeRunner implements Runner {
  readonly #options: HomeRunnerOptions;
  readonly #thread: Worker;
  readonly #waiting: Waiting[] = [];
  #tail: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #status: PipelineStatus;
  #isBehind = false;
  #cancelWatch: (() => void) | null = null;
  /** Until its first answer the thread starts and loads code, which takes longer than a batch. */
  #opened = false;

  private constructor(options: HomeRunnerOptions) {
    this.#options = options;
    const { plan } = options;
    const branches = plan.branches.map(({ name }) => ({ name, in: 0, out: 0, held: 0, ledger: [], rows: 0 }));
    const { current: watermark, inputs } = new WatermarkTracker(plan.spec.inputs);
    this.#status = { name: plan.name, watermark, branches, inputs, metrics: [], steps: [], references: [] };
    this.#thread = new Worker(partUrl("home-thread.js"), { stdout: true });
    // What an operator prints is none of the rows that may be written there.
    this.#thread.stdout.on("data", (text: Buffer) => process.stderr.write(text));
    this.#thread.on("message", (answer: HomeAnswer) => this.#answered(answer));
    this.#thread.on("error", (error) => this.#fail(`its thread died: ${placedMessage(error)}`));
    this.#thread.on("exit", (code) => this.#fail(`its thread ended with exit code ${code}`));
  }

  static async open(options: HomeRunnerOptions): Promise<HomeRunner> {
    const runner = new HomeRunner(options);
    const { input, headers, identity } = options;
    try {
      await runner.#ask({ kind: "open", input, headers, identity });
    } catch (error) {
      await runner.close();
      throw error;
    }
    return runner;
  }

  async feed(payloads: PayloadBatch, now: number, input = 0, elapsed: number = now): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    const owned = ownedPayloads(payloads);
    const transfer = payloadBuffers(owned);
    const asked = this.#ask({ kind: "feed", payloads: owned, now, input, elapsed }, transfer);
    if (this.#waiting.length >= limits.pool_batches_in_flight_max) await asked;
  }

  async refer(_pipeline: string, table: string, content: ReferenceContent): Promise<void> {
    await this.#ask({ kind: "reference", table, content });
  }

  async tick(now: number, input: number | null = null, elapsed: number = now): Promise<void> {
    await this.#ask({ kind: "tick", now, input, elapsed });
  }

  async end(now: number, input: number, elapsed: number = now): Promise<void> {
    await this.#ask({ kind: "end", now, input, elapsed });
  }

  get isBehind(): boolean {
    return this.#isBehind && this.#failure === null;
  }

  async goOn(): Promise<void> {
    await this.#ask({ kind: "go_on" });
  }

  async idle(): Promise<void> {
    await this.#tail;
    if (this.#failure !== null) throw this.#failure;
  }

  async checkpoint(elapsed: number): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#byName(await this.#ask({ kind: "checkpoint", elapsed }));
  }

  async whole(): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#byName(await this.#ask({ kind: "whole" }));
  }

  async restore(pipeline: string, changes: readonly Uint8Array[], elapsed: number): Promise<void> {
    if (pipeline !== this.#options.plan.name) throw notHere(pipeline);
    // They may be views of what else was read, which stays the caller's.
    const owned = changes.map((change) => new Uint8Array(change));
    const buffers = owned.map(({ buffer }) => buffer);
    await this.#ask({ kind: "restore", changes: owned, elapsed }, buffers);
  }

  #byName(state: Bytes | null): ReadonlyMap<string, Uint8Array> {
    return new Map(state === null ? [] : [[this.#options.plan.name, state]]);
  }

  async finish(now: number): Promise<void> {
    await this.#ask({ kind: "finish", now });
  }

  status(): readonly PipelineStatus[] {
    return [this.#status];
  }

  async close(): Promise<void> {
    this.#end(new WeirError("WEIR_INTERNAL", "the pipeline's thread is closed"));
    await endThread(this.#thread);
  }

  #ask(request: HomeRequest, transfer: ArrayBuffer[] = []): Promise<Bytes | null> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const asked = new Promise<Bytes | null>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#thread.postMessage(request, transfer);
      if (this.#waiting.length === 1) this.#watch();
    });
    // Whoever does not wait for this answer learns of the failure at the next call.
    this.#tail = asked.then(
      () => undefined,
      () => undefined,
    );
    return asked;
  }

  /** Starts the clock on the request that the thread works on now. */
  #watch(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = null;
    if (this.#waiting.length === 0) return;
    const { clock, hang_ms = limits.operator_hang_ms_max } = this.#options;
    const allowed_ms = this.#opened ? hang_ms : Math.max(hang_ms, limits.operator_load_ms_max);
    this.#cancelWatch = clock.after(allowed_ms, () => {
      this.#fail(hungFault(this.#options.plan, allowed_ms));
      void endThread(this.#thread);
    });
  }

  #answered(answer: HomeAnswer): void {
    // Code in that thread can post by itself.
    if (!kinds.has((answer as Partial<HomeAnswer> | null)?.kind)) {
      this.#fail("its thread sent what is no answer");
      void endThread(this.#thread);
      return;
    }
    const waiting = this.#waiting.shift();
    this.#opened = true;
    this.#watch();
    if (answer.kind === "refused") {
      const { code, message, remedy } = answer;
      waiting?.reject(new WeirError(code, message, remedy === null ? {} : { remedy }));
      return;
    }
    if (answer.kind === "failed") {
      this.#fail(answer.message, answer.remedy);
      waiting?.reject(this.#failure!);
      return;
    }
    const { outputs } = this.#options;
    answer.rows.forEach((packed, branch) => {
      for (const row of unpackRows(packed)) outputs.row(branch, row);
    });
    for (const { letter, arrived } of answer.letters) outputs.deadLetter(letter, arrived);
    this.#status = answer.status;
    this.#isBehind = answer.isBehind;
    waiting?.resolve(answer.state);
  }

  #fail(message: string, remedy: string | null = null): void {
    const failure = new WeirError("WEIR_OPERATOR", `pipeline ${this.#options.plan.name}: ${message}`, {
      remedy: remedy ?? "mend the operator; the other pipelines run on",
    });
    this.#end(failure);
  }

  /** Whoever waits for the thread, now or later, is told the first reason why it ended. */
  #end(failure: WeirError): void {
    this.#cancelWatch?.();
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
