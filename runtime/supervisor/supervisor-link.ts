// The supervisor's side of its connections to NATS, where there are any: it follows what is wanted, tells what happens, keeps
// its entry among the devices, and answers who asks. Nothing that runs waits for it, and what it answers is from the disk.

import type { Clock } from "../clock.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { openService } from "../connect/service.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import {
  deviceStatusSubject,
  deviceSubject,
  eventSubject,
  lastWord,
  statusSubject,
} from "./control-subjects.ts";
import { Deployments, type DeploymentsOptions } from "./deployments.ts";
import { followDesired } from "./desired-bucket.ts";
import type { Device } from "./device.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { EventQueue } from "./event-queue.ts";
import type { Supervisor, Told } from "./supervisor.ts";

export interface LinkOptions {
  /** With the bucket of what is wanted. Resolves once the server is there, however long that takes. */
  readonly link: Promise<NatsLink>;
  /** Of this host itself, for who asks there while the other one is away; absent where it is the same. */
  readonly local?: Promise<NatsLink> | undefined;
  /** What the registry is told, beside what runs and when. */
  readonly device: Omit<Device, "runs" | "terms" | "since" | "last_contact">;
  /** By pipeline, the newest turn that this host had. */
  readonly terms?: () => Readonly<Record<string, number>>;
  readonly files: DeploymentsOptions["files"];
  readonly fileOf: DeploymentsOptions["fileOf"];
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ends by the returned function. */
export function linkSupervisor(options: LinkOptions): () => void {
  const link = new SupervisorLink(options);
  link.start();
  return () => link.end();
}

class SupervisorLink {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #deployments: Deployments;
  readonly #since: string;
  readonly #events: EventQueue;
  #opened: NatsLink | null = null;
  #registry: DeviceBucket | null = null;
  #ends: (() => void)[] = [];
  /** How often in a row it was the only one of its name, and whether another one was told of since. */
  #alone = 0;
  #isDoubled = false;
  /** What it said last that it runs; null before it has said anything. */
  #toldRuns: string | null = null;

  constructor(options: LinkOptions) {
    const { device, files, fileOf, log, clock, supervisor } = options;
    this.#options = options;
    this.#since = new Date(clock.now()).toISOString();
    this.#events = new EventQueue(device.id);
    this.#deployments = new Deployments({
      host: device.id,
      link: () => this.#opened,
      fileOf,
      files,
      tell: (what, name, reason, revision) =>
        supervisor.tell({ what, name, reason, ...(revision === undefined ? {} : { revision }) }),
      refusalOf: (pipeline) => supervisor.refusalOf(pipeline),
      log,
    });
  }

  start(): void {
    const { supervisor, link, local, clock, log } = this.#options;
    const told = (each: Told): void => {
      this.#events.add(each);
      this.#tell();
    };
    // What was refused of what is on the disk happened before.
    for (const each of supervisor.status().happenings) this.#events.add(each);
    this.#ends = [
      supervisor.onTold(told),
      clock.every(limits.device_contact_ms, () => void this.#contact()),
      // Who has the next turn of something waits until it is told that this one has let go.
      clock.every(limits.device_runs_look_ms, () => {
        if (this.#toldRuns !== null && this.#runs().join(" ") !== this.#toldRuns) void this.#contact();
      }),
    ];
    for (const each of [link, ...(local === undefined ? [] : [local])])
      each.then((opened) => this.#answer(opened)).catch(() => undefined);
    this.#follow().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) log.warn(`the supervisor has no connection: ${messageOf(error)}`);
    });
  }

  end(): void {
    this.#stop.abort();
    for (const end of this.#ends) end();
  }

  /** Tells what there is to tell, while there is a connection. */
  #tell(): void {
    const link = this.#opened;
    if (link === null || !link.connected || link.nats.isClosed()) return;
    for (const event of this.#events.take())
      link.nats.publish(eventSubject(event.host), JSON.stringify(event));
  }

  async #follow(): Promise<void> {
    const { link, device, supervisor, clock, log } = this.#options;
    const opened = await link;
    if (this.#stop.signal.aborted) return;
    this.#opened = opened;
    await this.#contact();
    await followDesired(
      opened,
      device.id,
      ({ state, pipelines, unreadable }) => {
        // A bucket that says nothing of this host is no order to end what runs.
        if (state === null) return;
        supervisor.hold(state.drain);
        const asked = [...pipelines.values()].map(({ pipeline }) => pipeline);
        supervisor.want(asked, unreadable);
      },
      { clock, log, stopped: this.#stop.signal },
    );
  }

  /** Says that the device is there, and asks again for what waits. */
  async #contact(): Promise<void> {
    const link = this.#opened;
    if (link === null || !link.connected) return;
    this.#tell();
    try {
      this.#registry ??= await DeviceBucket.open(link);
      const device = this.#device();
      this.#toldRuns = device.runs.join(" ");
      const others = await this.#registry.tell(device);
      this.#noteOthers(others);
      await this.#deployments.retry();
    } catch (error) {
      this.#registry = null;
      if (!this.#stop.signal.aborted) this.#options.log.warn(`the registry of devices: ${messageOf(error)}`);
    }
  }

  /** `others`: how often in a row somebody else had called itself so. One of two whose contacts come at odd times is no news each time. */
  #noteOthers(others: number): void {
    this.#alone = others === 0 ? this.#alone + 1 : 0;
    if (this.#alone >= limits.device_alone_contacts) this.#isDoubled = false;
    if (this.#isDoubled || others < limits.device_others_max) return;
    this.#isDoubled = true;
    this.#tellOfNamesake();
  }

  /** As copies of a disk do: both run what is wanted of the one name. */
  #tellOfNamesake(): void {
    const { device, supervisor } = this.#options;
    const reason = `another supervisor calls itself ${device.id} as well, and what is wanted of it runs on both: give each a name of its own, by --host or host: in weir.yaml`;
    supervisor.tell({ what: "doubled", name: device.id, reason });
  }

  /** What is wanted here, and what a worker runs still; but not what has left for another host. */
  #runs(): readonly string[] {
    const { supervisor } = this.#options;
    const names = [...supervisor.wanted.map(({ name }) => name), ...supervisor.running()];
    return [...new Set(names)].filter((name) => !supervisor.hasLeft(name)).sort();
  }

  #device(): Device {
    const { device, supervisor, clock, terms } = this.#options;
    const heard = supervisor.wanted.flatMap(({ subjects }) => subjects);
    return {
      ...device,
      subjects: [...new Set([...device.subjects, ...heard])].slice(0, limits.device_subjects_max),
      runs: this.#runs(),
      terms: terms?.(),
      since: this.#since,
      last_contact: new Date(clock.now()).toISOString(),
    };
  }

  #answer(link: NatsLink): void {
    if (this.#stop.signal.aborted) return;
    const { device, supervisor, clock } = this.#options;
    const status = (): unknown => ({ ...supervisor.status(), waiting: this.#deployments.waiting });
    const statuses = link.nats.subscribe(statusSubject(device.id), {
      callback: (error, message) => {
        if (error === null) message.respond(JSON.stringify(status()));
      },
    });
    const close = openService({
      link,
      name: "weir-device",
      id: device.id,
      version: device.revision,
      description: `Runs pipelines on ${device.id}.`,
      endpoints: [
        {
          name: "deploy",
          subject: deviceSubject(device.id, "deploy", "*"),
          answer: (request, subject) => this.#deployments.deploy(request, lastWord(subject)),
        },
        {
          name: "remove",
          subject: deviceSubject(device.id, "remove", "*"),
          answer: (request, subject) => this.#deployments.remove(request, lastWord(subject)),
        },
        { name: "status", subject: deviceStatusSubject(device.id), answer: status },
      ],
      clock,
    });
    this.#ends.push(() => statuses.unsubscribe(), close);
  }
}
