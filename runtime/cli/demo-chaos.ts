// weir demo --chaos: the same demonstration, with the worker as a process that keeps state, while that process and both servers
// are killed again and again. Must end with every row in the cloud exactly once. Composition only.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { Broker } from "../testing/faults/broker.ts";
import { askWorkers } from "../worker/control-client.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { ChainReader } from "./demo-chains.ts";
import { countedByState, type DurableOptions, storedAt, untilSo } from "./demo-durable.ts";
import { DemoFeeds } from "./demo-feeds.ts";
import { chaosFaultsOf, type DemoReport, figuresOf, unreadFaults } from "./demo-figures.ts";
import { Killer } from "./demo-killer.ts";
import { makeSensorStream } from "./demo-servers.ts";
import type { TableState } from "./demo-table.ts";

const redraw_ms = 250;
/** The feeds' processes take about this long to start. */
const feedStart_ms = 1_500;

export class ChaosDemonstration {
  readonly #options: DurableOptions;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "weir-demo-"));
  #edge: Broker | null = null;
  #cloud: Broker | null = null;
  #killer: Killer | null = null;
  #reader: ChainReader | null = null;
  /** What the worker said last of itself. */
  #statuses: readonly WorkerStatus[] = [];

  constructor(options: DurableOptions) {
    this.#options = options;
  }

  async run(): Promise<DemoReport> {
    const { pipelines, display, interrupted, readers } = this.#options;
    const edge = (this.#edge = await Broker.start("edge", this.#folder, { domain: "edge", mqtt: true }));
    const cloud = (this.#cloud = await Broker.start("cloud", this.#folder));
    display.say(
      `Two nats-servers run here: "edge" (${edge.url}, ${edge.mqttUrl}) and "cloud" (${cloud.url}); a worker keeps its state in ${this.#folder}.`,
      "All three are killed again and again while real input comes; each row is then read back from the cloud.",
      "",
    );
    await makeSensorStream(edge, display.log);
    const plans = pipelines.map(({ plan }) => plan!);
    const reader = (this.#reader = await ChainReader.open(cloud.url, plans, display.log));
    const killer = (this.#killer = this.#startWorker(edge, cloud));
    await untilSo(limits.demo_chaos_more_ms_max, () => killer.worker.isRunning);
    const begin = wallClock.now() + feedStart_ms;
    const feeds = new DemoFeeds({ edge }, begin, true);
    killer.start();
    while (!interrupted.aborted && !this.#isOver(begin)) await this.#look(begin, reader);
    const elapsed_ms = Math.max(0, wallClock.now() - begin);
    await killer.stop();
    // What was under way when the edge was killed is sent again first.
    await feeds.stop();
    const stored = await storedAt(edge, display.log);
    await untilSo(limits.demo_catch_up_ms_max, async () => {
      await this.#look(begin, reader);
      return (
        this.#statuses.length > 0 &&
        unreadFaults(countedByState(this.#statuses), readers, stored).length === 0
      );
    });
    const faults = [...killer.faults, ...feeds.faults(), ...(await this.#drain(killer, reader))];
    faults.push(...unreadFaults(countedByState(this.#statuses), readers, stored));
    faults.push(...chaosFaultsOf(this.#statuses, reader, killer.kills));
    display.finish({ ...this.#state(begin), elapsed_ms, ended: true });
    return {
      pipelines: this.#state(begin).pipelines,
      cloud: { rows_by_stream: reader.rowsByStream },
      feeds: feeds.figures(),
      kills: killer.kills,
      faults,
      ok: faults.length === 0,
    };
  }

  async close(): Promise<void> {
    await this.#killer?.stop();
    await this.#killer?.worker.kill();
    await this.#reader?.close();
    await this.#cloud?.stop();
    await this.#edge?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startWorker(edge: Broker, cloud: Broker): Killer {
    const run = join(this.#folder, "run");
    mkdirSync(run, { mode: 0o700 });
    return new Killer({
      command: {
        pipelines: this.#options.files,
        state: join(this.#folder, "state"),
        connections: [edge.url, `cloud=${cloud.url}`],
        environment: { WEIR_RUN_FOLDER: run },
      },
      edge,
      cloud,
      told: (line) => this.#options.display.say(line),
    });
  }

  /** Asks the worker, when it is there, and shows what it said last. */
  async #look(begin: number, reader: ChainReader): Promise<void> {
    await sleep(wallClock, redraw_ms);
    const [said] = await askWorkers(join(this.#folder, "run"), "/status");
    if (said !== undefined && said.answer !== null) this.#statuses = said.answer as readonly WorkerStatus[];
    // The cloud may be away at this moment.
    await reader.follow().catch(() => undefined);
    this.#options.display.show(this.#state(begin));
  }

  /** Ends the worker, takes its last word, and waits until its rows are read back. */
  async #drain(killer: Killer, reader: ChainReader): Promise<readonly string[]> {
    const { worker } = killer;
    worker.signal("SIGTERM");
    await untilSo(limits.demo_catch_up_ms_max, () => worker.hasEnded);
    const { code, signal } = worker.hasEnded ? await worker.ended : await worker.kill();
    if (code !== 0) return [`the worker ended with ${signal ?? code}:\n${worker.said()}`];
    this.#statuses = worker.statusAtEnd() ?? this.#statuses;
    await untilSo(limits.demo_read_back_ms_max, async () => {
      await reader.follow().catch(() => undefined);
      return this.#statuses.every(({ name, pipeline }) =>
        pipeline.branches.every((branch) => reader.arrivals(name, branch.name).read >= branch.rows),
      );
    });
    return [];
  }

  #isOver(begin: number): boolean {
    const { for_ms } = this.#options;
    const elapsed = wallClock.now() - begin;
    if (for_ms === null || elapsed < for_ms) return false;
    // On a busy machine it takes longer until each of them had its turn.
    const kills = Object.values(this.#killer?.kills ?? {});
    return kills.every((count) => count > 0) || elapsed >= for_ms + limits.demo_chaos_more_ms_max;
  }

  #state(begin: number): TableState {
    const reader = this.#reader!;
    return {
      elapsed_ms: Math.max(0, wallClock.now() - begin),
      for_ms: this.#options.for_ms,
      ended: false,
      pipelines: this.#statuses.map((status) => figuresOf(status, reader)),
      rowsByStream: reader.rowsByStream,
      ...(this.#killer === null ? {} : { kills: this.#killer.kills }),
    };
  }
}
