// Whose turn each pipeline of a fleet is: decided from what is wanted, what is known of the devices and whose turn it was.
// Pure, and a function of the whole: whoever asks again, or beside somebody else, gets what is left to do. A turn is given
// once, by a number that only grows; what runs is not moved but for a reason, and not before its device is lost.

import { limits } from "../limits.ts";
import type { Demand } from "./capacity.ts";
import type { Device } from "./device.ts";
import { type Host, hostState, type Placeable, placeOnHosts } from "./place.ts";

/** Whose turn a pipeline is. */
export interface Owner {
  /** Null for nobody: it is not wanted any more. */
  readonly host: string | null;
  /** Of the turn: the first is 1. */
  readonly term: number;
  /** Whose turn it was before, the last one that was anybody's. */
  readonly before: string | null;
  readonly reason: string;
  /** From which turn on each took what the one before it had left; absent where it begins anew. */
  readonly carried_since?: number | undefined;
}

/** A device with how long it was silent. */
export interface KnownDevice {
  readonly device: Device;
  readonly silent_ms: number;
  /** For how long the registry could be heard without a break: nobody is lost in less. */
  readonly watched_ms: number;
  /** Nothing is to run there for the time being. */
  readonly drained: boolean;
  /** What is wanted of it by its name. */
  readonly taken: readonly Demand[];
}

export interface Turn {
  readonly name: string;
  readonly owner: Owner;
}

export interface Turns {
  /** Those that change. */
  readonly turns: readonly Turn[];
  /** What runs nowhere, or where it should not, and why it has to stay so. */
  readonly waiting: readonly { readonly name: string; readonly reason: string }[];
}

export function turnsFor(
  pipelines: readonly Placeable[],
  devices: readonly KnownDevice[],
  known: ReadonlyMap<string, Owner>,
  lost_after: number,
): Turns {
  const remembered = rememberedOwners(pipelines, devices, known);
  const owners = new Map([...remembered, ...known]);
  const before = new Map<string, string>();
  for (const [name, { host }] of owners) if (host !== null) before.set(name, host);
  const { moves, unplaced } = placeOnHosts(pipelines, hostsOf(devices, lost_after), before);
  const carrying = new Set(pipelines.flatMap(({ name, carriesState }) => (carriesState ? [name] : [])));
  const turns = moves.map(({ name, to, reason }): Turn => {
    const owner = nextOwner(owners.get(name), { host: to, reason, carries: carrying.has(name) });
    return { name, owner };
  });
  // Of those that stay the bucket is told whose they are.
  const moved = new Set(moves.map(({ name }) => name));
  for (const [name, owner] of remembered)
    if (owner.host !== null && !moved.has(name)) turns.push({ name, owner });
  const wanted = new Set(pipelines.map(({ name }) => name));
  for (const [name, { host, term }] of owners) {
    const reason = "it is not wanted any more";
    if (host !== null && !wanted.has(name))
      turns.push({ name, owner: { host: null, term, before: host, reason } });
  }
  return { turns, waiting: unplaced };
}

/** Who has the next turn. */
export function nextOwner(
  last: Owner | undefined,
  { host, reason, carries }: { readonly host: string; readonly reason: string; readonly carries: boolean },
): Owner {
  const term = (last?.term ?? 0) + 1;
  const carried_since = last?.carried_since ?? last?.term ?? term;
  const before = last?.host ?? last?.before ?? null;
  return { host, term, before, reason, ...(carries ? { carried_since } : {}) };
}

/**
 * Whose turn it was by what devices say, of pipelines that the bucket knows no turn of: where it was deleted and made anew, a
 * turn that began to count at 1 again would be an old one for the streams that they write.
 */
function rememberedOwners(
  pipelines: readonly Placeable[],
  devices: readonly KnownDevice[],
  known: ReadonlyMap<string, Owner>,
): ReadonlyMap<string, Owner> {
  const reason = "it had the last turn that is known of";
  const found = new Map<string, Owner>();
  for (const { name } of pipelines) {
    if (known.has(name)) continue;
    for (const { device } of devices) {
      const { [name]: term = 0 } = device.terms ?? {};
      if (term <= (found.get(name)?.term ?? 0)) continue;
      const isThere = device.runs.includes(name);
      found.set(name, { host: isThere ? device.id : null, term, before: isThere ? null : device.id, reason });
    }
  }
  return found;
}

/** Devices as the placement knows hosts, with what is left of them beside what is wanted of them by name. */
export function hostsOf(devices: readonly KnownDevice[], lost_after: number): readonly Host[] {
  return devices.map(({ device, silent_ms, watched_ms, drained, taken }): Host => {
    const { id, labels, subjects, capacity } = device;
    const seen = hostState(silent_ms, lost_after);
    const state = seen === "lost" && watched_ms <= lost_after ? "disconnected" : seen;
    const free = taken.reduce((rest, { processors, memory_bytes }) => {
      return {
        processors: Math.max(0, rest.processors - processors),
        memory_bytes: Math.max(0, rest.memory_bytes - memory_bytes),
      };
    }, demandOf(capacity));
    const most = Math.min(limits.host_pipelines_max, capacity.workers * limits.worker_pipelines_max);
    const count = Math.max(0, most - taken.length);
    return {
      name: id,
      labels,
      subjects,
      capacity: { ...free, count },
      state: drained && state === "connected" ? "drained" : state,
    };
  });
}

function demandOf({ cpu, memory }: Device["capacity"]): Demand {
  return { processors: cpu, memory_bytes: memory };
}

/** A pipeline on a host because of a turn, as the bucket of what is wanted has it. */
export interface TurnEntry {
  readonly host: string;
  readonly name: string;
  readonly term: number;
  /** Of its text and its signature. */
  readonly revision: string;
  /** It is to leave what it keeps. */
  readonly leaves?: boolean;
}

/** What is wanted of the fleet under a name. */
export interface WantedTurn {
  readonly revision: string;
  /** What it keeps goes along to its next host. */
  readonly carries: boolean;
}

export interface EntryChange {
  /** `leave`: it does not run there any more, and leaves what it keeps. */
  readonly kind: "put" | "leave" | "remove";
  readonly host: string;
  readonly name: string;
  readonly term: number;
  /** Nobody else had a turn since this host's own: it goes on with what it keeps. */
  readonly resumes?: boolean;
  /** It takes what was left by this turn or a later one. */
  readonly carries?: number | undefined;
}

/**
 * What has to be changed so that each pipeline is wanted of its owner and of nobody else. `runs`: by device that can be
 * heard, what it says that it runs. An owner waits for one before it that is there and has not let go yet.
 */
export function entryChanges(
  pipelines: ReadonlyMap<string, WantedTurn>,
  owners: ReadonlyMap<string, Owner>,
  entries: readonly TurnEntry[],
  runs: ReadonlyMap<string, ReadonlySet<string>>,
): readonly EntryChange[] {
  const changes: EntryChange[] = [];
  const leaving = new Set<string>();
  const present = new Map(entries.map((each) => [`${each.host} ${each.name}`, each]));
  for (const { host, name, term, leaves } of entries) {
    const owner = owners.get(name);
    const wanted = pipelines.get(name);
    if (owner?.host === host && wanted !== undefined) continue;
    const isAwaited = wanted?.carries === true && owner?.host != null && runs.get(host)?.has(name) === true;
    if (isAwaited) leaving.add(name);
    if (!isAwaited) changes.push({ kind: "remove", host, name, term });
    else if (leaves !== true) changes.push({ kind: "leave", host, name, term });
  }
  for (const [name, { host, term, before, carried_since }] of owners) {
    const wanted = pipelines.get(name);
    if (host === null || wanted === undefined) continue;
    const entry = present.get(`${host} ${name}`);
    if (entry?.term === term && entry.revision === wanted.revision) continue;
    const isOther = before !== null && before !== host;
    const isHeld = leaving.has(name) || (isOther && runs.get(before)?.has(name) === true);
    if (entry === undefined && isHeld) continue;
    const carries = wanted.carries ? carried_since : undefined;
    changes.push({ kind: "put", host, name, term, resumes: before === host, carries });
  }
  return changes;
}
