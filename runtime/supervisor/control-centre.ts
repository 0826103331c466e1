// The control centre of a fleet: confirms what devices are asked to run, by policy and room, and gives every pipeline that
// names no host to one that fits. Looks, decides by `fleet`, and writes compare-and-set, so that two of them do no harm.
// Keeps nothing: all of it stands in the buckets.

import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { openService } from "../connect/service.ts";
import { messageOf, WeirError } from "../errors.ts";
import { instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { type Policy, refusal } from "./control-policy.ts";
import { type AllDesired, DesiredBucket, type HostDesired } from "./desired-bucket.ts";
import { confirmSubject, controlEvents, fleet, lastWord, moveSubject } from "./control-subjects.ts";
import { DeviceBucket, type Registered } from "./device-bucket.ts";
import {
  type EntryChange,
  entryChanges,
  type KnownDevice,
  type Owner,
  type Turn,
  type TurnEntry,
  type Turns,
  turnsFor,
  type WantedTurn,
} from "./fleet.ts";
import { demandOf, isNamed, knownDevice, placeables, placedOf } from "./fleet-view.ts";
import { FreshEntries } from "./fresh-entries.ts";
import { HandoverBucket } from "./handover-bucket.ts";
import { instancesOf } from "./instances.ts";
import { type Moved, movesFor, nextSpread, readMove } from "./moving.ts";
import { hostState, type Placeable } from "./place.ts";
import { revisionMark, type WantedPipeline } from "./wanted.ts";

export interface ControlOptions {
  readonly link: NatsLink;
  readonly policy: Policy;
  readonly id: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

const wish = z.strictObject({
  user: z.string(),
  pipeline: z.string().regex(/^[a-z0-9_-]{1,64}$/),
  processors: z.number().nonnegative(),
  memory: z.number().nonnegative(),
  labels: z.record(z.string(), z.string()).default({}),
});

type Owners = ReadonlyMap<string, Owner>;

const nothing: HostDesired = { state: null, pipelines: new Map() };

export class ControlCentre {
  readonly #options: ControlOptions;
  #desired: DesiredBucket;
  #devices: DeviceBucket;
  /** By device, its last entry and when that came, by a clock that nobody sets, as the times below. */
  readonly #seen = new Map<string, { readonly sequence: number; readonly at: number }>();
  readonly #fresh = new FreshEntries();
  #known: { readonly version: number; readonly all: AllDesired } | null = null;
  /** Since when, without a break, and up to when the registry was heard. */
  #since = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #cuts = 0;
  #told = "";
  #looking: Promise<void> | null = null;
  #ends: (() => void)[] = [];

  private constructor(options: ControlOptions, desired: DesiredBucket, devices: DeviceBucket) {
    this.#options = options;
    this.#desired = desired;
    this.#devices = devices;
  }

  static async open(options: ControlOptions): Promise<ControlCentre> {
    const desired = await DesiredBucket.open(options.link);
    return new ControlCentre(options, desired, await DeviceBucket.open(options.link));
  }

  /** Answers, and looks again and again. */
  start(): void {
    const { link, id, version, clock } = this.#options;
    const answer = (request: unknown, subject: string): unknown => this.#confirm(request, lastWord(subject));
    this.#ends = [
      openService({
        link,
        name: "weir-control",
        id,
        version,
        description: "Confirms what devices run, and places what names no device.",
        endpoints: [
          { name: "deploy", subject: confirmSubject("*"), answer },
          {
            name: "move",
            subject: moveSubject("*"),
            answer: (request, subject) => this.#move(request, lastWord(subject)),
          },
        ],
        clock,
      }),
      clock.every(limits.control_look_ms, () => this.look()),
    ];
    this.look();
  }

  /** Looks once, unless it does. */
  look(): void {
    this.#looking ??= this.#look()
      .catch(async (error: unknown) => {
        this.#since = Number.POSITIVE_INFINITY;
        this.#say(`nothing is decided while the buckets cannot be read: ${messageOf(error)}`);
        await this.#openAgain();
      })
      .finally(() => {
        this.#looking = null;
      });
  }

  /** Nobody else may make the buckets where somebody has deleted them. */
  async #openAgain(): Promise<void> {
    this.#known = null;
    try {
      this.#desired = await DesiredBucket.open(this.#options.link);
      this.#devices = await DeviceBucket.open(this.#options.link);
    } catch {
      // The next look tells why not.
    }
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const registered = await this.#devices.all();
    const all = await this.#all();
    this.#note(registered);
    const wanted = all.hosts.get(fleet) ?? nothing;
    const known = registered.map((each) => this.#knownOf(each, all));
    const owners = new Map([...all.owners].map(([name, { owner }]) => [name, owner]));
    // What cannot be read may be wanted still: it stays as it is.
    const unreadable = wanted.unreadable ?? [];
    const isReadable = (name: string): boolean =>
      unreadable.every((each) => each.name !== instanceOf(name).pipeline);
    const judged = new Map([...owners].filter(([name]) => isReadable(name)));
    const pipelines = placeables(all);
    const hinders = await this.#makeHandoverBucket(pipelines);
    const { turns, waiting } = this.#turns(pipelines, known, judged);
    const waits = [
      ...hinders,
      ...waiting.map(({ name, reason }) => `${name} waits for a host: ${reason}`),
      ...unreadable.map(({ name, reason }) => `${name} stays as it is: ${reason}`),
    ];
    for (const { name, owner } of [...turns, ...this.#spreadTurns(all, pipelines, known, judged)]) {
      const sequence = all.owners.get(name)?.sequence ?? null;
      if (!(await this.#unlessStale(this.#desired.own(name, owner, sequence)))) continue;
      owners.set(name, owner);
      const where = owner.host === null ? "nowhere" : `${owner.host}, term ${owner.term}`;
      this.#tell("moved", name, `${name} to ${where}: ${owner.reason}`);
    }
    const turnsWanted = new Map(
      [...wanted.pipelines.values()].flatMap(({ pipeline }) =>
        instancesOf(pipeline).map((name) => [name, wantedTurn(pipeline)] as const),
      ),
    );
    const entries = turnEntries(all).filter(({ name }) => isReadable(name));
    const runs = this.#fresh.runs(entries, runsOf(known), this.#options.clock.elapsed());
    for (const change of entryChanges(turnsWanted, owners, entries, runs)) {
      if (change.kind === "put" && isNamed(all, change.host, change.name))
        waits.push(`${change.name} waits: ${change.host} is to run a pipeline of that name already`);
      else await this.#enter(change, all);
    }
    // All of it at once: what was said one after the other would be news again at each look.
    this.#say(waits.join("; "));
  }

  /** Devices may not make it, where they may do only what they have to. */
  async #makeHandoverBucket(pipelines: readonly Placeable[]): Promise<readonly string[]> {
    if (!pipelines.some(({ carriesState }) => carriesState)) return [];
    try {
      await HandoverBucket.open(this.#options.link);
      return [];
    } catch (error) {
      return [`what pipelines keep cannot go along: ${messageOf(error)}`];
    }
  }

  /** Of each pipeline whose partitions are to be shared evenly, the next one that goes over. */
  #spreadTurns(
    all: AllDesired,
    pipelines: readonly Placeable[],
    devices: readonly KnownDevice[],
    owners: Owners,
  ): Turn[] {
    const { lost_after } = this.#options.policy;
    return spreadOf(all).flatMap((pipeline) => {
      const names = new Set(instancesOf(pipeline));
      const partitions = pipelines.filter(({ name }) => names.has(name));
      return nextSpread(partitions, pipelines, devices, owners, lost_after) ?? [];
    });
  }

  /** A device without an entry is gone once the registry could be heard for long enough: before, it may not have said yet that it is there. */
  #turns(pipelines: readonly Placeable[], known: readonly KnownDevice[], owners: Owners): Turns {
    const { policy, clock } = this.#options;
    const isHeard = clock.elapsed() - this.#since > policy.lost_after;
    const there = new Set(known.map(({ device }) => device.id));
    const isLeft = (name: string): boolean => {
      const host = owners.get(name)?.host ?? null;
      return host !== null && !isHeard && !there.has(host);
    };
    return turnsFor(
      pipelines.filter(({ name }) => !isLeft(name)),
      known,
      new Map([...owners].filter(([name]) => !isLeft(name))),
      policy.lost_after,
    );
  }

  async #enter(
    { kind, host, name, term, resumes, carries }: EntryChange,
    { hosts }: AllDesired,
  ): Promise<void> {
    const entry = hosts.get(host)?.pipelines.get(name) ?? null;
    const text = hosts.get(fleet)?.pipelines.get(instanceOf(name).pipeline)?.pipeline;
    if (kind === "remove" && entry !== null) await this.#unlessStale(this.#desired.remove(host, entry));
    if (kind === "leave" && entry !== null)
      await this.#unlessStale(this.#desired.put(host, { ...entry.pipeline, leaves: true }, entry));
    if (kind !== "put" || text === undefined) return;
    const entered = { ...text, name, term, resumes, carries };
    if (!(await this.#unlessStale(this.#desired.put(host, entered, entry)))) return;
    if ((hosts.get(host)?.state ?? null) === null) await this.#desired.begin(host);
  }

  /** True where nobody else was faster; what is to be done then, the next look tells. */
  async #unlessStale(change: Promise<void>): Promise<boolean> {
    try {
      await change;
      this.#known = null;
      return true;
    } catch (error) {
      if (!(error instanceof WeirError) || error.code !== "WEIR_STALE") throw error;
      this.#known = null;
      return false;
    }
  }

  async #all(): Promise<AllDesired> {
    const version = await this.#desired.version();
    if (this.#known?.version !== version) this.#known = { version, all: await this.#desired.all() };
    return this.#known.all;
  }

  /** Notes who has said since the last look that it is there, and whether that could be heard all the while. */
  #note(registered: readonly Registered[]): void {
    const { link, clock } = this.#options;
    const now = clock.elapsed();
    // Numbers only grow in one bucket.
    const isAnother = registered.some(
      ({ device, sequence }) => sequence < (this.#seen.get(device.id)?.sequence ?? 0),
    );
    const isBroken =
      link.cuts !== this.#cuts || now - this.#lookedAt > 3 * limits.control_look_ms || isAnother;
    if (isBroken || this.#since > now) this.#since = now;
    this.#cuts = link.cuts;
    this.#lookedAt = now;
    for (const { device, sequence, silent_ms } of registered) {
      const before = this.#seen.get(device.id);
      if (before?.sequence === sequence) continue;
      // What was written before this one listened is as old as the server says.
      const age = before === undefined ? silent_ms : 0;
      this.#seen.set(device.id, { sequence, at: now - age });
    }
  }

  #knownOf({ device }: Registered, all: AllDesired): KnownDevice {
    const now = this.#options.clock.elapsed();
    const silent_ms = now - (this.#seen.get(device.id)?.at ?? now);
    return knownDevice(device, all, silent_ms, now - this.#since);
  }

  async #confirm(request: unknown, id: string): Promise<unknown> {
    const read = wish.safeParse(request);
    if (!read.success)
      throw new WeirError("WEIR_USAGE", `a request names ${Object.keys(wish.shape).join(", ")}`, {
        remedy: "devices ask this; users ask a device: weir deploy",
      });
    const { user, pipeline, processors, memory, labels: wants } = read.data;
    const found = (await this.#devices.all()).find(({ device }) => device.id === id);
    const there = (await this.#all()).hosts.get(id) ?? nothing;
    const others = [...there.pipelines.values()].filter((each) => each.pipeline.name !== pipeline);
    const isPlaced = placedOf(there, pipeline) !== undefined;
    const demand = { processors, memory_bytes: memory };
    const reason =
      found === undefined
        ? `no device called ${id} has said that it is there`
        : isPlaced
          ? `${pipeline} is placed by the control centre: weir apply --fleet`
          : refusal(
              this.#options.policy,
              { user, pipeline, demand, wants },
              found.device,
              others.map((each) => demandOf(each.pipeline)),
            );
    this.#tell(
      reason === null ? "confirmed" : "refused",
      pipeline,
      `${pipeline} on ${id} for ${user}${reason === null ? "" : `: ${reason}`}`,
    );
    return { confirmed: reason === null, reason };
  }

  /** Gives what somebody asks for to another device, as far as it fits there and the policy lets it. */
  async #move(request: unknown, user: string): Promise<Moved> {
    const { policy } = this.#options;
    const registered = await this.#devices.all();
    this.#note(registered);
    const all = await this.#all();
    const owners = new Map([...all.owners].map(([name, { owner }]) => [name, owner]));
    const devices = registered.map((each) => this.#knownOf(each, all));
    const spread = new Set(spreadOf(all).map(({ name }) => name));
    const { turns, refused } = movesFor(readMove(request), user, {
      spread,
      pipelines: placeables(all),
      devices,
      owners,
      policy,
    });
    for (const { name, owner } of turns) {
      await this.#desired.own(name, owner, all.owners.get(name)?.sequence ?? null);
      this.#tell("moved", name, `${name} to ${owner.host}, term ${owner.term}: ${owner.reason}`);
    }
    this.#known = null;
    this.look();
    const moved = turns.map(({ name, owner: { host: to, before: from, term, carried_since } }) => {
      return { name, from, to, term, carries: carried_since !== undefined };
    });
    return { moved, refused };
  }

  #tell(what: string, name: string, reason: string): void {
    const { link, clock, log } = this.#options;
    log.info(`${what}: ${reason}`);
    link.nats.publish(controlEvents, JSON.stringify({ what, name, reason, at: clock.now() }));
  }

  #say(complaint: string): void {
    if (complaint !== this.#told && complaint !== "") this.#options.log.warn(complaint);
    this.#told = complaint;
  }
}

/** Those whose partitions are to be shared evenly. */
function spreadOf({ hosts }: AllDesired): readonly WantedPipeline[] {
  const all = [...(hosts.get(fleet)?.pipelines.values() ?? [])].map(({ pipeline }) => pipeline);
  return all.filter(({ placement }) => placement.spread);
}

function wantedTurn(pipeline: WantedPipeline): WantedTurn {
  return { revision: revisionMark(pipeline), carries: pipeline.placement.carriesState };
}

function turnEntries({ hosts }: AllDesired): readonly TurnEntry[] {
  return [...hosts].flatMap(([host, { pipelines }]) =>
    [...pipelines.values()].flatMap(({ pipeline }) => {
      const { name, term, leaves = false } = pipeline;
      return term === undefined ? [] : [{ host, name, term, revision: revisionMark(pipeline), leaves }];
    }),
  );
}

/** What devices that can be heard say that they run. */
function runsOf(devices: readonly KnownDevice[]): ReadonlyMap<string, ReadonlySet<string>> {
  const audible = devices.filter(({ silent_ms }) => hostState(silent_ms) === "connected");
  return new Map(audible.map(({ device }) => [device.id, new Set(device.runs)]));
}
