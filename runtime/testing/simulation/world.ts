// The two servers of a schedule with their streams, the wires to them, whoever publishes the records, and what is known from
// outside of what was stored and lost. Does what a fault plan says to them.

import { epoch_ms } from "./life.ts";
import { Wire } from "./link-model.ts";
import type { Blow, FaultPlan } from "./nemesis.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { ServerModel } from "./server-model.ts";
import { type KeptMessage, plainStream, type StreamModel } from "./stream-model.ts";
import { DeliveredRows } from "./verdict.ts";
import { type Arrival, closingRecord, type InputRecord, type Workload } from "./workload.ts";

const encoder = new TextEncoder();

/** How long a publisher waits for a server that is away. */
const retry_ms = 500;

export class World {
  readonly scheduler: Scheduler;
  readonly edge: ServerModel;
  readonly cloud: ServerModel;
  readonly edgeWire: Wire;
  readonly cloudWire: Wire;
  /** By stream of the cloud. */
  readonly delivered: Map<string, DeliveredRows> = new Map();
  readonly #workload: Workload;
  readonly #plan: FaultPlan;
  /** By number, the records that the sources took and did not lose. */
  readonly #kept = new Set<number>();
  #unpublished = 0;

  constructor(
    scheduler: Scheduler,
    random: Random,
    workload: Workload,
    plan: FaultPlan,
    acknowledged: boolean,
  ) {
    this.scheduler = scheduler;
    this.#workload = workload;
    this.#plan = plan;
    this.edge = new ServerModel("edge", scheduler, {
      stored: (_stream, message) => this.#kept.add(numberOf(message)),
      lost: (_stream, messages) => {
        for (const message of messages) this.#kept.delete(numberOf(message));
      },
    });
    this.cloud = new ServerModel("cloud", scheduler, {
      stored: (stream, message) => {
        scheduler.note(`cloud: ${stream.config.name} has`, message.sequence);
        this.#deliveredTo(stream).stored(stream, message);
      },
      lost: (stream, messages) => {
        if (!this.cloud.up) this.#deliveredTo(stream).lost(stream, messages);
      },
    });
    this.edgeWire = new Wire(this.edge, scheduler, random.fork());
    this.cloudWire = new Wire(this.cloud, scheduler, random.fork());
    const checks = plan.laterServers ? "sequence_first" : "duplicate_first";
    for (const [place, name] of workload.sources.entries()) {
      const retention = acknowledged ? "workqueue" : "limits";
      const subjects = [place === 0 ? "in.>" : "too.>"];
      this.edge.create({ ...plainStream, name, subjects, retention, checks, maxMessages: plan.sourceKeeps });
    }
    for (const { stream: name } of workload.sinks) {
      const subjects = [`${name.toLowerCase()}.>`];
      this.delivered.set(name, new DeliveredRows());
      this.cloud.create({ ...plainStream, name, subjects, checks, maxMessages: plan.sinkKeeps });
    }
    const { lostRequest, lostAnswer, delayed, delay_ms } = plan;
    this.cloudWire.weather = { lostRequest, lostAnswer, delayed, delay_ms };
  }

  /** Publishes the records when their time has come, or once the server is there. */
  publishAll(arrivals: readonly Arrival[]): void {
    for (const { at_ms, source, record } of arrivals) this.publishLater(at_ms, source, record);
  }

  publishLater(ms: number, source: number, record: InputRecord): void {
    this.#unpublished++;
    const attempt = (): void => {
      if (!this.edge.up) {
        this.scheduler.after(retry_ms, "publish again", attempt);
        return;
      }
      this.#unpublished--;
      const subject = `${source === 0 ? "in" : "too"}.${record.device}`;
      this.edge.publish({ subject, payload: encoder.encode(JSON.stringify(record)), headers: {} });
    };
    this.scheduler.after(ms, "record", attempt);
  }

  /** Every source gets a record that closes all windows. */
  closeWindows(): void {
    for (const place of this.#workload.sources.keys()) {
      const record = closingRecord(place, epoch_ms + this.scheduler.now + 3_600_000);
      this.publishLater(place, place, record);
    }
  }

  get allPublished(): boolean {
    return this.#unpublished === 0;
  }

  /** The numbers of all records that must count, whatever happened. */
  get owed(): ReadonlySet<number> {
    if (this.#plan.sourceKeeps === 0) return this.#kept;
    const owed = new Set<number>();
    for (const name of this.#workload.sources)
      for (const message of this.edge.stream(name)?.messages ?? []) owed.add(numberOf(message));
    return owed;
  }

  /** Removes what a work queue was told is done. */
  settle(source: number, sequence: number, created: string): void {
    const stream = this.edge.stream(this.#workload.sources[source] ?? "");
    if (stream === null || stream.created !== created) return;
    for (const message of stream.messages) if (message.sequence <= sequence) stream.remove(message.sequence);
  }

  /** Does what a plan says, to the servers and the wires. */
  strike({ kind, for_ms }: Blow, random: Random): void {
    const later = (label: string, task: () => void): void => void this.scheduler.after(for_ms, label, task);
    const wire = kind.endsWith("cloud") ? this.cloudWire : this.edgeWire;
    const { server } = wire;
    if (kind.startsWith("cut")) {
      wire.cut();
      later("mend", () => wire.mend());
    } else if (kind.startsWith("kill") || kind.startsWith("power")) {
      if (kind.startsWith("kill")) server.kill();
      else server.losePower(random);
      later("start server", () => server.start());
    } else if (kind === "recreate source") this.edge.recreate(random.pick(this.#workload.sources));
    else if (kind === "recreate sink") this.cloud.recreate(random.pick(this.#workload.sinks).stream);
    else if (kind === "full sink") {
      this.cloud.refuses = true;
      later("room again", () => (this.cloud.refuses = false));
    }
  }

  /** Nothing goes wrong from here on. */
  heal(): void {
    this.edge.start();
    this.cloud.start();
    this.edgeWire.mend();
    this.cloudWire.mend();
    this.cloud.refuses = false;
    const { weather } = this.cloudWire;
    this.cloudWire.weather = { ...weather, lostRequest: 0, lostAnswer: 0, delayed: 0 };
  }

  #deliveredTo(stream: StreamModel): DeliveredRows {
    const rows = this.delivered.get(stream.config.name);
    if (rows === undefined) throw new Error(`no stream ${stream.config.name} was made`);
    return rows;
  }
}

const decoder = new TextDecoder();

function numberOf({ payload }: KeptMessage): number {
  return (JSON.parse(decoder.decode(payload)) as InputRecord).n;
}
