// weir demo: edge and cloud on this machine, real sensors through real pipelines, and every row read back.
// Composition only: what is started here is ended here, in reverse.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sleep, stopwatch, wallClock } from "../clock.ts";
import type { LoadedPipeline } from "../engine/loader.ts";
import { messageOf, WeirError } from "../errors.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { defaultSettings, withConnections } from "../worker/settings.ts";
import { Worker } from "../worker/worker.ts";
import { ChaosDemonstration } from "./demo-chaos.ts";
import { CloudReader } from "./demo-cloud.ts";
import { ContainersDemonstration } from "./demo-containers.ts";
import { type Display, displayFor } from "./demo-display.ts";
import type { DurableOptions } from "./demo-durable.ts";
import { imageMaker } from "./demo-engine.ts";
import { DemoFeeds } from "./demo-feeds.ts";
import { type DemoReport, faultsOf, figuresOf, unreadFaults } from "./demo-figures.ts";
import { type DemoServers, makeSensorStream, sensorStream, startServers } from "./demo-servers.ts";
import { countText } from "./amounts.ts";
import type { TableState } from "./demo-table.ts";
import { durationOption } from "./duration-option.ts";
import { isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { print, styled } from "./terminal.ts";

export interface DemoOptions {
  readonly for?: string;
  readonly json?: boolean;
  readonly chaos?: boolean;
  readonly containers?: boolean;
}

const pipelineNames = ["gateway-health", "climate", "dew-point", "provoked-events"] as const;
const defaultFor_ms = 20_000;
const redraw_ms = 250;
/** The feeds' processes take about this long to start; the recording begins for all of them at one time. */
const feedStart_ms = 1_500;

/** How long to run, ms; null until interrupted. */
function durationOf(options: DemoOptions): number | null {
  if (options.for !== undefined) return durationOption(options.for, "--for", 1);
  return process.stdout.isTTY && options.json !== true ? null : defaultFor_ms;
}

function demoFiles(): readonly string[] {
  const folder = fileURLToPath(partUrl("pipelines/"));
  return pipelineNames.map((name) => join(folder, `${name}.yaml`));
}

async function loadDemo(): Promise<readonly LoadedPipeline[]> {
  const files = demoFiles();
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  if (!isWrong(pipelines)) return pipelines;
  throw new WeirError("WEIR_CONFIG", "the demonstration's pipelines are wrong", {
    remedy: "undo what was changed in pipelines/",
  });
}

/** Fires at the first signal. The next one ends the process at once, and what it started with it. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}

/** The pipelines that read what the edge keeps of the motes. */
function readersOf(pipelines: readonly LoadedPipeline[]): readonly string[] {
  return pipelines.flatMap(({ plan }) => {
    const { name, spec } = plan!;
    const reads = spec.inputs.some(({ source }) => source.kind === "nats" && source.stream === sensorStream);
    return reads ? [name] : [];
  });
}

function introduce(display: Display, { edge, cloud }: DemoServers): void {
  display.say(
    `Two nats-servers run here: "edge" stands for a device (${edge.url}, ${edge.mqttUrl}), "cloud" for the cloud (${cloud.url}).`,
    "weir feed puts real input on the edge: this machine's sensors at 10 Hz, and a recording of four wireless sensors at 200 times its speed, one of them over MQTT.",
    `One worker condenses it with pipelines/{${pipelineNames.join(",")}}.yaml and forwards the rows to the cloud, where each is read back.`,
    "",
  );
}

/** One run: everything that is shown, between started servers. */
class Demonstration {
  readonly #servers: DemoServers;
  readonly #display: Display;
  readonly #for_ms: number | null;
  readonly #identity: string = randomUUID().slice(0, 8);
  readonly #worker: Worker;
  #cloud!: CloudReader;

  constructor(servers: DemoServers, display: Display, for_ms: number | null) {
    this.#servers = servers;
    this.#display = display;
    this.#for_ms = for_ms;
    this.#worker = new Worker({
      settings: withConnections(defaultSettings({}), [servers.edge.url, `cloud=${servers.cloud.url}`]),
      clock: wallClock,
      log: display.log,
      identity: this.#identity,
    });
  }

  async run(pipelines: readonly LoadedPipeline[], interrupted: AbortSignal): Promise<DemoReport> {
    await makeSensorStream(this.#servers.edge, this.#display.log);
    await this.#worker.open(pipelines);
    this.#cloud = await CloudReader.open(this.#servers.cloud.url, this.#identity, this.#display.log);
    const faults: string[] = [];
    const ended = new AbortController();
    const running = this.#worker
      .run()
      .catch((error: unknown) => void faults.push(messageOf(error)))
      .finally(() => ended.abort());
    const begin = wallClock.now() + feedStart_ms;
    const feeds = new DemoFeeds(this.#servers, begin);
    const over = AbortSignal.any([interrupted, ended.signal]);
    while (!over.aborted && !this.#isOver(begin)) {
      await sleep(wallClock, redraw_ms);
      this.#display.show(this.#state(begin));
    }
    const elapsed_ms = Math.max(0, wallClock.now() - begin);
    await feeds.stop();
    const readers = readersOf(pipelines);
    await this.#until(limits.demo_catch_up_ms_max, () => this.#unread(readers, feeds.stored).length === 0);
    faults.push(...feeds.faults(), ...this.#unread(readers, feeds.stored));
    await this.#drain(running, faults);
    this.#display.finish({ ...this.#state(begin), elapsed_ms, ended: true });
    faults.push(...faultsOf(this.#worker.status(), this.#cloud, elapsed_ms));
    return {
      pipelines: this.#figures(),
      cloud: { rows_by_stream: this.#cloud.rowsByStream },
      feeds: feeds.figures(),
      faults,
      ok: faults.length === 0,
    };
  }

  async close(): Promise<void> {
    await this.#cloud?.close();
    await this.#worker.close();
  }

  #unread(readers: readonly string[], stored: number): string[] {
    return unreadFaults(this.#worker.status(), readers, stored);
  }

  /** Lets the worker finish and confirm its rows, and the reader read them. */
  async #drain(running: Promise<void>, faults: string[]): Promise<void> {
    const tooLong = this.#worker.stop().catch((error: unknown) => void faults.push(messageOf(error)));
    await Promise.race([running, tooLong]);
    await this.#until(limits.demo_read_back_ms_max, () =>
      this.#worker
        .status()
        .every(({ name, pipeline }) =>
          pipeline.branches.every((branch) => this.#cloud.arrivals(name, branch.name).read >= branch.rows),
        ),
    );
  }

  /** Waits for a condition, but not for ever: what did not come is a fault that the figures show. */
  async #until(ms: number, condition: () => boolean): Promise<void> {
    const start = stopwatch();
    while (!condition() && stopwatch() - start < ms) await sleep(wallClock, 20);
  }

  #isOver(begin: number): boolean {
    return this.#for_ms !== null && wallClock.now() - begin >= this.#for_ms;
  }

  #figures(): DemoReport["pipelines"] {
    return this.#worker.status().map((status) => figuresOf(status, this.#cloud));
  }

  #state(begin: number): TableState {
    return {
      elapsed_ms: Math.max(0, wallClock.now() - begin),
      for_ms: this.#for_ms,
      ended: false,
      pipelines: this.#figures(),
      rowsByStream: this.#cloud.rowsByStream,
    };
  }
}

function verdictOf({ ok, faults, pipelines, feeds }: DemoReport): string {
  if (!ok) return [styled("red", "not as it must be:"), ...faults.map((fault) => `  ${fault}`)].join("\n");
  const records = feeds.reduce((total, { confirmed }) => total + confirmed, 0);
  const rows = pipelines.reduce((total, { read }) => total + read, 0);
  return `${styled("green", "ok:")} ${countText(records)} records became ${countText(rows)} rows; each was read back from the cloud exactly once, and every record is accounted for.`;
}

function conclude(report: DemoReport, options: DemoOptions): number {
  print(options.json === true ? JSON.stringify(report) : verdictOf(report));
  return report.ok ? 0 : 1;
}

/** With the worker as a process that is killed, as both servers are; or with workers in containers. */
async function apart(
  options: DemoOptions,
  given: Pick<DurableOptions, "pipelines" | "display" | "for_ms" | "interrupted">,
): Promise<number> {
  const durable = { ...given, files: demoFiles(), readers: readersOf(given.pipelines) };
  const demonstration =
    options.chaos === true ? new ChaosDemonstration(durable) : new ContainersDemonstration(durable);
  try {
    return conclude(await demonstration.run(), options);
  } finally {
    await demonstration.close();
  }
}

export async function demo(options: DemoOptions): Promise<number> {
  const for_ms = durationOf(options);
  if (options.chaos === true && options.containers === true) {
    throw new WeirError("WEIR_USAGE", "--chaos kills a worker that is a process, and --containers has none", {
      remedy: "ask for one of them",
    });
  }
  // Told at once, not after all that can be done without one.
  if (options.containers === true) imageMaker(process.env);
  const interrupted = interruption();
  const pipelines = await loadDemo();
  const display = displayFor(options.json === true);
  if (options.chaos === true || options.containers === true)
    return apart(options, { pipelines, display, for_ms, interrupted });
  const servers = await startServers(process.env);
  try {
    introduce(display, servers);
    const demonstration = new Demonstration(servers, display, for_ms);
    try {
      return conclude(await demonstration.run(pipelines, interrupted), options);
    } finally {
      await demonstration.close();
    }
  } finally {
    await servers.stop();
  }
}
