// The world of one scenario: an edge and a cloud server, a bad network to the cloud, a worker with a state folder, a publisher
// and whoever judges. Made for a scenario and gone with it. Composition only: what goes wrong in it, scenarios say.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../limits.ts";
import type { Random } from "../simulation/random.ts";
import { Broker } from "./broker.ts";
import { Cloud, insisting } from "./cloud.ts";
import { pipelineText } from "./pipeline.ts";
import { FaultProxy } from "./proxy.ts";
import { makeSourceStream, Publisher } from "./publisher.ts";
import { linesOf } from "./records.ts";
import { isClean, judge, type Verdict } from "./verdict.ts";
import { until } from "./waiting.ts";
import { startedPart } from "../started.ts";
import { WorkerProcess, type WorkerCommand } from "./worker-process.ts";

export interface WorldOptions {
  readonly random: Random;
  /** How far the publisher may be ahead of what has arrived. */
  readonly ahead?: number;
  /** Records of one message. */
  readonly lines?: number;
  /** The least time between two messages. */
  readonly every_ms?: number;
  /** Messages that the source's stream holds; then it drops the oldest. */
  readonly sourceMessages?: number;
  /** Further lines of the configuration of both servers. */
  readonly settings?: string;
  /** Text of the pipeline, where it is another than usual. */
  readonly pipeline?: string;
  /** Further files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Records as the text of a message, where they are others than usual. */
  readonly text?: (first: number, end: number) => string;
  /** For whoever looks on. */
  readonly say: (line: string) => void;
}

/** How a worker is started in other ways than usual. */
export type Start = Partial<
  Pick<
    WorkerCommand,
    "connections" | "environment" | "follows" | "pipelines" | "state" | "supervises" | "under" | "weir"
  >
>;

export class World {
  readonly random: Random;
  readonly folder: string;
  /** Where the worker keeps its state; a scenario may mount something there before the first start. */
  readonly state: string;
  /** The pipeline's, alone in its folder but for what it needs. */
  readonly file: string;
  readonly say: (line: string) => void;
  readonly edge: Broker;
  readonly cloudServer: Broker;
  readonly link: FaultProxy;
  readonly cloud: Cloud;
  readonly publisher: Publisher;
  /** Processes that were killed: workers and servers. */
  crashes = 0;
  /** Records that may be missing, because the source's own server lost them. */
  readonly mayLack: Set<number> = new Set<number>();
  readonly #workers = new Set<WorkerProcess>();
  readonly #undo: (() => Promise<void> | void)[] = [];
  #worker: WorkerProcess | null = null;

  private constructor(
    options: WorldOptions,
    folder: string,
    parts: {
      readonly edge: Broker;
      readonly cloudServer: Broker;
      readonly link: FaultProxy;
      readonly cloud: Cloud;
      readonly publisher: Publisher;
    },
  ) {
    this.random = options.random;
    this.say = options.say;
    this.folder = folder;
    this.state = join(folder, "state");
    this.file = join(folder, "pipelines", "faults.yaml");
    this.edge = parts.edge;
    this.cloudServer = parts.cloudServer;
    this.link = parts.link;
    this.cloud = parts.cloud;
    this.publisher = parts.publisher;
  }

  static async make(options: WorldOptions): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "weir-faults-"));
    const undo: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
    try {
      mkdirSync(join(folder, "state"));
      mkdirSync(join(folder, "pipelines"));
      const files = { "faults.yaml": options.pipeline ?? pipelineText, ...options.files };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "pipelines", name), text);
      const { settings = "" } = options;
      const edge = await Broker.start("edge", folder, { settings });
      undo.push(() => edge.stop());
      const cloudServer = await Broker.start("cloud", folder, { settings });
      undo.push(() => cloudServer.stop());
      const link = await FaultProxy.to(cloudServer.port, options.random.fork().next);
      undo.push(() => link.close());
      const cloud = await Cloud.open(cloudServer.url);
      undo.push(() => cloud.close());
      for (const stream of ["raw", "windows", "samples"] as const) await cloud.make(stream);
      cloud.watch();
      const { sourceMessages } = options;
      await makeSourceStream(edge.url, sourceMessages === undefined ? {} : { max_msgs: sourceMessages });
      const publisher = await Publisher.open(edge.url, {
        lines: options.lines ?? limits.faults_message_lines,
        ahead: options.ahead ?? limits.faults_ahead_records,
        arrived: () => cloud.arrived,
        every_ms: options.every_ms ?? limits.faults_message_ms,
        text: options.text ?? linesOf,
      });
      undo.push(() => publisher.close());
      const world = new World(options, folder, { edge, cloudServer, link, cloud, publisher });
      world.#undo.push(...undo);
      return world;
    } catch (error) {
      for (const task of undo.reverse()) await task();
      throw error;
    }
  }

  /** The worker that runs; a fault when there is none. */
  get worker(): WorkerProcess {
    if (this.#worker === null) throw new Error("no worker was started");
    return this.#worker;
  }

  /** Starts the worker; the one before must have ended. */
  startWorker(how: Start = {}): WorkerProcess {
    this.#worker = this.startAnother(how);
    return this.#worker;
  }

  /** Starts one beside it. */
  startAnother(how: Start): WorkerProcess {
    const worker = new WorkerProcess({
      pipelines: [this.file],
      state: this.state,
      weir: startedPart("weir.js"),
      connections: [this.edge.url, `cloud=${this.link.url}`],
      ...how,
    });
    this.#workers.add(worker);
    return worker;
  }

  async killWorker(): Promise<void> {
    await this.worker.kill();
    this.crashes++;
  }

  /** Starts all that flows: a worker, and records for it. */
  begin(how: Start = {}): void {
    this.startWorker(how);
    this.publisher.start();
  }

  /** Resolves once so many more records have arrived. */
  async flows(records: number = limits.faults_flow_records): Promise<void> {
    const from = this.cloud.arrived;
    await this.alive(`${records} more records behind ${from}`, () => this.cloud.arrived >= from + records);
  }

  /** Waits for something while the worker runs; a worker that ends meanwhile is a fault. */
  async alive(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const { worker } = this;
    await until(what, async () => {
      if (worker.hasEnded) {
        const { code, signal } = await worker.ended;
        throw new Error(`the worker ended with ${signal ?? code}:\n${worker.said()}`);
      }
      return await condition();
    }).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${worker.said()}`, {
        cause: error,
      });
    });
  }

  /** SIGTERM; resolves with the exit code. */
  async endWorker(): Promise<number | null> {
    // One that has said nothing may not listen to signals yet; what arrived may be its predecessor's.
    await this.alive("the first word of a worker", () => this.worker.heard > 0);
    this.worker.signal("SIGTERM");
    return (await this.worker.ended).code;
  }

  /** Undone at the end of the scenario, the last first. */
  later(task: () => Promise<void> | void): void {
    this.#undo.push(task);
  }

  /** Ends the flow with a probe, waits until all has arrived, and judges what is there. */
  async settle(): Promise<Verdict> {
    await this.publisher.stop();
    await this.publisher.probe();
    const published = this.publisher.published;
    await this.alive(`the probe, record ${published - 1}`, () => this.cloud.arrived === published - 1);
    const judged = async (): Promise<Verdict> =>
      judge(await insisting(() => this.cloud.content()), {
        published,
        mayLack: (seq) => this.mayLack.has(seq),
      });
    // Windows and samples are on chains of their own, and may come a little later.
    let verdict = await judged();
    for (let look = 0; !isClean(verdict) && verdict.lost > 0 && look < limits.faults_attempts_max; look++) {
      const before = await this.cloud.count("windows");
      await until("more windows", async () => (await this.cloud.count("windows")) > before, 3_000).catch(
        () => undefined,
      );
      verdict = await judged();
    }
    return verdict;
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) await worker.kill();
    for (const task of this.#undo.reverse()) await task();
  }
}
