// weir demo --containers: the same demonstration, with the pipelines in containers under `weir supervise`. Composition only.

import { sleep, wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { ChainReader } from "./demo-chains.ts";
import { countedByState, type DurableOptions, storedAt, untilSo } from "./demo-durable.ts";
import { ContainerSite } from "./demo-engine.ts";
import { DemoFeeds } from "./demo-feeds.ts";
import {
  type ContainerFigures,
  type DemoReport,
  durableFaultsOf,
  figuresOf,
  unreadFaults,
} from "./demo-figures.ts";
import { type DemoServers, makeAlarmStream, makeSensorStream, startServers } from "./demo-servers.ts";
import type { TableState } from "./demo-table.ts";

const redraw_ms = 250;
/** The feeds' processes take about this long to start. */
const feedStart_ms = 1_500;

export class ContainersDemonstration {
  readonly #options: DurableOptions;
  #servers: DemoServers | null = null;
  #site: ContainerSite | null = null;
  #reader: ChainReader | null = null;
  /** By pipeline, what its worker said of it last. */
  readonly #statuses = new Map<string, WorkerStatus>();
  /** By id, those that were seen. */
  readonly #containers = new Map<string, ContainerFigures>();
  #running: readonly ContainerFigures[] = [];
  /** What was counted last, and since when it is that. */
  #counts = { text: "", since: 0 };

  constructor(options: DurableOptions) {
    this.#options = options;
  }

  async run(): Promise<DemoReport> {
    const { pipelines, display, readers } = this.#options;
    display.say("Making weir's image, and starting a container engine of this demonstration's own …");
    const site = (this.#site = await ContainerSite.open());
    const { edge, cloud } = (this.#servers = await startServers(process.env));
    await makeSensorStream(edge, display.log);
    await makeAlarmStream(cloud, display.log);
    const plans = pipelines.map(({ plan }) => plan!);
    const reader = (this.#reader = await ChainReader.open(cloud.url, plans, display.log));
    site.supervise({ files: this.#options.files, edge: edge.url, cloud: cloud.url });
    this.#introduce(edge.url, cloud.url);
    const faults: string[] = [];
    const begin = (await this.#isRunning(faults)) + feedStart_ms;
    const feeds = new DemoFeeds({ edge }, begin);
    while (!this.#isOver(begin)) await this.#look(begin, site, reader);
    const elapsed_ms = Math.max(0, wallClock.now() - begin);
    await feeds.stop();
    const stored = await storedAt(edge, display.log);
    const unread = (): string[] => unreadFaults(countedByState(this.#said()), readers, stored);
    await untilSo(limits.demo_catch_up_ms_max, async () => {
      await this.#look(begin, site, reader);
      return unread().length === 0 && wallClock.now() - this.#counts.since >= limits.demo_settled_ms;
    });
    const undrained = await site.drain();
    if (undrained !== null) faults.push(undrained);
    await reader.follow();
    faults.push(...feeds.faults(), ...unread(), ...durableFaultsOf(this.#said(), reader));
    display.finish({ ...this.#state(begin), elapsed_ms, ended: true });
    return {
      pipelines: this.#state(begin).pipelines,
      cloud: { rows_by_stream: reader.rowsByStream },
      feeds: feeds.figures(),
      containers: [...this.#containers.values()],
      faults,
      ok: faults.length === 0,
    };
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    await this.#site?.close();
    await this.#servers?.stop();
  }

  #introduce(edge: string, cloud: string): void {
    this.#options.display.say(
      `Two nats-servers run here: "edge" stands for a device (${edge}), "cloud" for the cloud (${cloud}).`,
      "weir supervise runs the pipelines in containers without root and on a root that is read-only; their state outlives them.",
      "weir feed puts real input on the edge; each row is read back from the cloud.",
      "",
    );
  }

  /** When all pipelines run, or nobody waits for them any more. */
  async #isRunning(faults: string[]): Promise<number> {
    const { interrupted, pipelines } = this.#options;
    const isSo = await untilSo(limits.demo_chaos_more_ms_max, async () => {
      const status = await this.#site?.status();
      const running = status?.pipelines.filter(({ state }) => state === "running").length ?? 0;
      return interrupted.aborted || running === pipelines.length;
    });
    if (!isSo) faults.push(`the pipelines do not run in containers:\n${this.#site?.said()}`);
    return wallClock.now();
  }

  /** Asks the workers and their supervisor, and shows what they said last. */
  async #look(begin: number, site: ContainerSite, reader: ChainReader): Promise<void> {
    await sleep(wallClock, redraw_ms);
    const status = await site.status();
    this.#running = (status?.workers ?? []).map(({ name, id, memory_bytes }) => ({ name, id, memory_bytes }));
    for (const each of this.#running) this.#containers.set(each.id, each);
    for (const each of await site.statuses()) this.#statuses.set(each.name, each);
    await reader.follow();
    const text = JSON.stringify([this.#said().map(({ pipeline }) => pipeline.branches), reader.rowsByStream]);
    if (text !== this.#counts.text) this.#counts = { text, since: wallClock.now() };
    this.#options.display.show(this.#state(begin));
  }

  #said(): readonly WorkerStatus[] {
    return [...this.#statuses.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #isOver(begin: number): boolean {
    const { for_ms, interrupted, pipelines } = this.#options;
    const elapsed = wallClock.now() - begin;
    if (interrupted.aborted) return true;
    if (for_ms === null || elapsed < for_ms) return false;
    // On a busy machine it takes longer until something comes of each feed.
    const fed = this.#said().filter(({ pipeline }) => (pipeline.branches[0]?.in ?? 0) > 0);
    return fed.length === pipelines.length || elapsed >= for_ms + limits.demo_chaos_more_ms_max;
  }

  #state(begin: number): TableState {
    const reader = this.#reader!;
    return {
      elapsed_ms: Math.max(0, wallClock.now() - begin),
      for_ms: this.#options.for_ms,
      ended: false,
      pipelines: this.#said().map((status) => figuresOf(status, reader)),
      rowsByStream: reader.rowsByStream,
      containers: this.#running,
    };
  }
}
