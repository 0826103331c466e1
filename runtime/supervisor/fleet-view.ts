// How a fleet stands, from what its buckets hold: for the control centre, and for whoever asks what it will do and why something
// waits. Pure.

import type { Demand } from "./capacity.ts";
import { fleet } from "./control-subjects.ts";
import type { AllDesired, DesiredEntry, HostDesired } from "./desired-bucket.ts";
import type { Device } from "./device.ts";
import type { Registered } from "./device-bucket.ts";
import { type KnownDevice, turnsFor } from "./fleet.ts";
import { demandOfEach, instancesOf } from "./instances.ts";
import { instanceOf } from "../instance.ts";
import { type Host, hostState, type Placeable } from "./place.ts";
import { limits } from "../limits.ts";
import type { WantedPipeline } from "./wanted.ts";

export function demandOf({ placement }: WantedPipeline): Demand {
  return { processors: placement.processors, memory_bytes: placement.memory };
}

/** What is wanted of whichever device fits: pipelines, and each partition of those that have some by itself. */
export function placeables({ hosts }: AllDesired): readonly Placeable[] {
  return [...(hosts.get(fleet)?.pipelines.values() ?? [])].flatMap(({ pipeline }) => {
    const { placement, subjects } = pipeline;
    const demand = demandOfEach(pipeline);
    const { labels, carriesState } = placement;
    return instancesOf(pipeline).map((name) => ({ name, labels, subjects, demand, carriesState }));
  });
}

/** What is placed under that name, or of that pipeline, by a control centre. */
export function placedOf({ pipelines }: HostDesired, name: string): DesiredEntry | undefined {
  return [...pipelines.values()].find(
    ({ pipeline }) => instanceOf(pipeline.name).pipeline === name && pipeline.term !== undefined,
  );
}

export function knownDevice(
  device: Device,
  { hosts }: AllDesired,
  silent_ms: number,
  watched_ms: number,
): KnownDevice {
  const { state = null, pipelines = new Map<string, never>() } = hosts.get(device.id) ?? {};
  const named = [...pipelines.values()].filter(({ pipeline }) => pipeline.term === undefined);
  const taken = named.map(({ pipeline }) => demandOf(pipeline));
  return { device, silent_ms, watched_ms, drained: state?.drain === true, taken };
}

/** How a device stands for whoever looks at the list of them. */
export function stateOf({ silent_ms, drained }: KnownDevice): Host["state"] {
  const state = hostState(silent_ms);
  return drained && state === "connected" ? "drained" : state;
}

export interface WaitingPipeline {
  readonly reason: string;
  /** The device that it is to have, once a control centre gives it to it; null for none. */
  readonly fits: string | null;
}

/** A line for each pipeline that waits, or some of whose partitions do for the same reason. */
export function waitingLines(waiting: ReadonlyMap<string, WaitingPipeline>): readonly WaitingLine[] {
  const lines = new Map<string, { pipeline: string; reason: string; fits: boolean; partitions: number[] }>();
  for (const [name, { reason, fits }] of waiting) {
    const { pipeline, partition } = instanceOf(name);
    const key = `${pipeline} ${reason}`;
    const line = lines.get(key) ?? { pipeline, reason, fits: fits !== null, partitions: [] };
    lines.set(key, line);
    if (partition !== null) line.partitions.push(partition);
  }
  return [...lines.values()].map(({ pipeline, reason, fits, partitions }) => {
    const which = partitions.length === 0 ? "" : ` (partitions ${partitions.join(", ")})`;
    return { pipeline, fits, text: `${pipeline}${which} waits for a device: ${reason}` };
  });
}

/** Whether somebody wants a pipeline of that name there, or all of that of which it is a partition: a turn does not take its place. */
export function isNamed({ hosts }: AllDesired, host: string, name: string): boolean {
  const entry = hosts.get(host)?.pipelines.get(instanceOf(name).pipeline);
  return entry !== undefined && entry.pipeline.term === undefined;
}

export interface WaitingLine {
  readonly pipeline: string;
  /** There is a device for it. */
  readonly fits: boolean;
  readonly text: string;
}

/** What is wanted of the fleet and has no place, and why. */
export function waitingPipelines(
  registered: readonly Registered[],
  all: AllDesired,
): ReadonlyMap<string, WaitingPipeline> {
  const known = registered.map(({ device, silent_ms }) => knownDevice(device, all, silent_ms, silent_ms));
  const owners = new Map([...all.owners].map(([name, { owner }]) => [name, owner]));
  const { turns, waiting } = turnsFor(placeables(all), known, owners, limits.host_lost_ms);
  const found = new Map<string, WaitingPipeline>();
  for (const { name, reason } of waiting) found.set(name, { reason, fits: null });
  for (const { name, owner: next } of turns) {
    const isNew = (owners.get(name)?.host ?? null) === null;
    const reason = `weir control, if one runs, gives it to ${next.host}`;
    if (isNew && next.host !== null) found.set(name, { reason, fits: next.host });
  }
  for (const [name, { host }] of owners) {
    if (host !== null && isNamed(all, host, name))
      found.set(name, { reason: `${host} is to run a pipeline of that name already`, fits: null });
  }
  return found;
}
