// The two servers of a schedule with their streams, the wires to them, whoever publishes the records, and what is known from
// outside of what was stored and lost. Does what a fault plan says to them.

import { epoch_ms } from "./life.ts";
import { Wire } from "./link-model.ts";
import type { Blow, FaultPlan } from "./nemesis.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { ServerModel } from "./server-model.ts";
import type { Shape } from "./shape.ts";
import { SinkWatch } from "./sink-watch.ts";
import { type KeptMessage, plainStream, type StreamModelConfig } from "./stream-model.ts";
import { DeliveredMessages } from "./delivered-messages.ts";
import type { Verdict } from "./verdict.ts";
import {
  type Arrival,
  closingRecord,
  type InputRecord,
  laneStream,
  unpackedStream,
  type Workload,
} from "./workload.ts";

const encoder = new TextEncoder();

/** How long a publisher waits for a server that is away. */
const retry_ms = 500;

/** The name of a host's own stream, as the pipelines call it. */
export function inputStream(host: string, stream: string): string {
  return `${stream}-${host}`;
}

export class World {
  readonly scheduler: Scheduler;
  readonly edge: ServerModel;
  readonly cloud: ServerModel;
  readonly edgeWire: Wire;
  readonly cloudWire: Wire;
  /** Of a worker in the cloud: nothing happens to it but what happens to the server. */
  readonly cloudInside: Wire;
  /** By stream of the cloud. */
  readonly delivered: Map<string, DeliveredMessages> = new Map();
  /** Whoever hears what hosts publish to core NATS, by host. */
  readonly ears: Map<string, (message: { readonly subject: string; readonly payload: Uint8Array }) => void> =
    new Map();
  readonly #workload: Workload;
  readonly #plan: FaultPlan;
  readonly #shape: Shape;
  readonly #watch: SinkWatch;
  /** By number, the records that the sources took and did not lose. */
  readonly #kept = new Map<number, InputRecord>();
  #unpublished = 0;

  constructor(
    scheduler: Scheduler,
    random: Random,
    workload: Workload,
    { plan, shape, verdict }: { plan: FaultPlan; shape: Shape; verdict: Verdict },
  ) {
    this.scheduler = scheduler;
    this.#workload = workload;
    this.#plan = plan;
    this.#shape = shape;
    this.#watch = new SinkWatch(shape.delivery, verdict);
    this.edge = new ServerModel("edge", scheduler, {
      stored: (_stream, message) => this.keeps(message.payload),
      lost: (_stream, messages) => {
        for (const message of messages) this.#kept.delete(recordOf(message).n);
      },
    });
    this.cloud = new ServerModel("cloud", scheduler, {
      stored: (stream, message) => {
        scheduler.note(`cloud: ${stream.config.name} has`, message.sequence);
        this.#watch.stored(stream, message, scheduler.now);
        this.#deliveredTo(stream.config.name).stored(stream, message);
      },
      lost: (stream, messages, isUndone) => {
        this.#watch.lost(stream, messages);
        this.#deliveredTo(stream.config.name).lost(stream, messages, isUndone);
      },
    });
    this.edgeWire = new Wire(this.edge, scheduler, random.fork());
    this.cloudWire = new Wire(this.cloud, scheduler, random.fork());
    this.cloudInside = new Wire(this.cloud, scheduler, random.fork());
    this.#makeStreams();
    const { lostRequest, lostAnswer, delayed, delay_ms, heldBack } = plan;
    this.cloudWire.weather = { lostRequest, lostAnswer, delayed, delay_ms, heldBack };
  }

  /** The streams of the cloud whose messages are judged. */
  get outputs(): readonly string[] {
    const sinks = this.#workload.sinks.map(({ stream }) => stream);
    return this.#shape.delivery === "lane" ? [laneStream, unpackedStream] : sinks;
  }

  /** Publishes the records when their time has come, or once the server is there. */
  publishAll(host: string, arrivals: readonly Arrival[]): void {
    for (const { at_ms, source, record } of arrivals) this.publishLater(at_ms, host, source, record);
  }

  publishLater(ms: number, host: string, source: number, record: InputRecord): void {
    this.#unpublished++;
    const attempt = (): void => {
      if (!this.edge.up) {
        this.scheduler.after(retry_ms, "publish again", attempt);
        return;
      }
      this.#unpublished--;
      const message = {
        subject: `${this.#inputSubject(host, source)}.${record.device}`,
        payload: encoder.encode(JSON.stringify(record)),
      };
      if (this.#shape.input === "journal") this.ears.get(host)?.(message);
      else this.edge.publish({ ...message, headers: {} });
    };
    this.scheduler.after(ms, "record", attempt);
  }

  /** Every source of every host gets a record that closes all windows. */
  closeWindows(): void {
    for (const [order, host] of this.#shape.hosts.entries())
      for (const source of this.#workload.sources.keys()) {
        const record = closingRecord(host, order * 10 + source, epoch_ms + this.scheduler.now + 3_600_000);
        this.publishLater(source, host, source, record);
      }
  }

  get allPublished(): boolean {
    return this.#unpublished === 0;
  }

  /** A record is where it must not be lost any more. */
  keeps(payload: Uint8Array): void {
    const record = JSON.parse(decoder.decode(payload)) as InputRecord;
    this.#kept.set(record.n, record);
  }

  /** The numbers of all records of a host that must count, whatever happened. */
  owed(host: string): ReadonlySet<number> {
    const all =
      this.#plan.sourceKeeps === 0
        ? [...this.#kept.values()]
        : this.#workload.sources.flatMap((name) =>
            [...(this.edge.stream(inputStream(host, name))?.messages ?? [])].map(recordOf),
          );
    return new Set(all.filter(({ device }) => device.startsWith(host)).map(({ n }) => n));
  }

  /** Removes what a work queue was told is done. */
  settle(name: string, sequence: number, created: string): void {
    const stream = this.edge.stream(name);
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
    } else if (kind === "recreate source") this.edge.recreate(random.pick(this.#inputs()));
    else if (kind === "recreate sink") this.#recreateSink(random);
    else if (kind === "clock") this.scheduler.clockSet_ms += for_ms;
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

  #makeStreams(): void {
    const { input, hosts, delivery } = this.#shape;
    const checks = this.#plan.laterServers ? "sequence_first" : "duplicate_first";
    const make = (server: ServerModel, name: string, subject: string, more: Partial<StreamModelConfig>) =>
      server.create({ ...plainStream, name, subjects: [`${subject}.>`], checks, ...more });
    if (input !== "journal") {
      const more = {
        retention: input === "workqueue" ? "workqueue" : "limits",
        maxMessages: this.#plan.sourceKeeps,
      } as const;
      for (const host of hosts)
        for (const [source, name] of this.#workload.sources.entries())
          make(this.edge, inputStream(host, name), this.#inputSubject(host, source), more);
    }
    for (const stream of this.outputs) {
      const subject = stream.toLowerCase();
      this.delivered.set(stream, new DeliveredMessages());
      if (delivery === "bucket") make(this.cloud, `KV_${stream}`, `$KV.${stream}`, { maxPerSubject: 1 });
      else make(this.cloud, stream, subject, { maxMessages: this.#plan.sinkKeeps });
    }
  }

  #inputs(): readonly string[] {
    return this.#shape.hosts.flatMap((host) => this.#workload.sources.map((name) => inputStream(host, name)));
  }

  #inputSubject(host: string, source: number): string {
    return `${source === 0 ? "in" : "too"}.${host}`;
  }

  #recreateSink(random: Random): void {
    const name = random.pick(this.outputs);
    this.cloud.recreate(this.#shape.delivery === "bucket" ? `KV_${name}` : name);
  }

  #deliveredTo(name: string): DeliveredMessages {
    const messages = this.delivered.get(name.replace(/^KV_/, ""));
    if (messages === undefined) throw new Error(`no stream ${name} was made`);
    return messages;
  }
}

const decoder = new TextDecoder();

function recordOf({ payload }: KeptMessage): InputRecord {
  return JSON.parse(decoder.decode(payload)) as InputRecord;
}
