// Which pipeline runs on which host of a fleet. Pure. What is placed and still fits is never moved, not even to
// make room for something new; the same input gives the same answer.

import { limits } from "../limits.ts";
import { overlaps } from "../pipeline/subject.ts";
import { byName, type Capacity, type Demand, evicted, Load, type Taker } from "./capacity.ts";
import { hasLabels, labelText } from "./labels.ts";

export interface Move {
  readonly name: string;
  /** Null for one that ran nowhere. */
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
}

export interface Placement {
  /** By pipeline, its worker or host. */
  readonly where: ReadonlyMap<string, string>;
  readonly moves: readonly Move[];
  readonly unplaced: readonly { readonly name: string; readonly reason: string }[];
}

/** A machine of the fleet, as its registration and its last contact show it. */
export interface Host {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: Capacity;
  /** `disconnected`: it runs what it has, and gets nothing new. `drained`, `lost`: what it had runs elsewhere. */
  readonly state: "connected" | "disconnected" | "drained" | "lost";
  /** What is published there, with wildcards. */
  readonly subjects: readonly string[];
}

/** A pipeline that wants a host. */
export interface Placeable extends Taker {
  /** Labels that its host must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** What it reads. */
  readonly subjects: readonly string[];
  /** What it keeps goes along to its next host. */
  readonly carriesState?: boolean;
}

/** How far a host is, by how long ago (ms) it was last heard of; after `lost_after` it is lost. */
export function hostState(silent_ms: number, lost_after: number = limits.host_lost_ms): Host["state"] {
  if (silent_ms > lost_after) return "lost";
  return silent_ms <= limits.device_silent_ms ? "connected" : "disconnected";
}

/** Gives every pipeline a host: one with its labels and room for it, best where its subjects are. */
export function placeOnHosts(
  pipelines: readonly Placeable[],
  hosts: readonly Host[],
  before: ReadonlyMap<string, string>,
): Placement {
  const sites = hosts.toSorted(byName).map((host) => ({ host, load: new Load(host.capacity) }));
  const known = new Map(sites.map((site) => [site.host.name, site]));
  const where = new Map<string, string>();
  const moves: Move[] = [];
  const unplaced: { name: string; reason: string }[] = [];
  const near = nearSites(sites);
  const sorted = pipelines.toSorted(byName);
  for (const [name, stay] of stayingOn(sorted, known, before)) {
    for (const each of stay) {
      where.set(each.name, name);
      known.get(name)!.load.add(each.demand);
    }
  }
  for (const each of sorted) {
    if (where.has(each.name)) continue;
    const best = bestSite(each, sites, near);
    if (typeof best === "string") unplaced.push({ name: each.name, reason: best });
    else {
      const from = before.get(each.name) ?? null;
      moves.push({ name: each.name, from, to: best.host.name, reason: whyMoved(each, from, known) });
      where.set(each.name, best.host.name);
      best.load.add(each.demand);
    }
  }
  return { where, moves, unplaced };
}

interface Site {
  readonly host: Host;
  readonly load: Load;
}

/** By host, the pipelines that it keeps. */
function stayingOn(
  pipelines: readonly Placeable[],
  sites: ReadonlyMap<string, Site>,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly Placeable[]> {
  const staying = new Map<string, Placeable[]>();
  for (const each of pipelines) {
    const site = sites.get(before.get(each.name) ?? "");
    if (site === undefined || hasLeft(site.host) || !hasLabels(site.host.labels, each.labels)) continue;
    const others = staying.get(site.host.name);
    if (others === undefined) staying.set(site.host.name, [each]);
    else others.push(each);
  }
  for (const [name, members] of staying) {
    const gone = new Set(evicted(members, sites.get(name)!.host.capacity));
    if (gone.size > 0)
      staying.set(
        name,
        members.filter((each) => !gone.has(each)),
      );
  }
  return staying;
}

function hasLeft({ state }: Host): boolean {
  return state === "lost" || state === "drained";
}

/** Of so many hosts it is told why they are none. */
const toldMost = 3;

/** The site that is best for a pipeline, or why there is none. */
function bestSite(pipeline: Placeable, sites: readonly Site[], near: NearSites): Site | string {
  const fitting = sites.filter(({ host }) => hasLabels(host.labels, pipeline.labels));
  if (sites.length === 0) return "no host has ever been there";
  if (fitting.length === 0) return `no host has the labels ${labelText(pipeline.labels)}`;
  const reachable = fitting.filter(({ host }) => host.state === "connected");
  if (reachable.length === 0) {
    const states = fitting.slice(0, toldMost).map(({ host: { name, state } }) => `${name} is ${state}`);
    return `no host with its labels is connected: ${states.join(", ")}`;
  }
  const reads = pipeline.subjects.map(near);
  const roomy = reachable.filter(({ load }) => load.fits(pipeline.demand));
  let best: Site | undefined;
  let bestLocal = 0;
  for (const site of roomy) {
    const local = reads.reduce((count, there) => count + Number(there.has(site)), 0);
    // The first by name where both are alike, because the sites are in that order.
    const better =
      best === undefined || local > bestLocal || (local === bestLocal && site.load.share < best.load.share);
    if (better) {
      best = site;
      bestLocal = local;
    }
  }
  return best ?? `no host with its labels has room for it: ${demandText(pipeline.demand)} are asked for`;
}

function demandText({ processors, memory_bytes }: Demand): string {
  return `${processors} processors and ${Math.ceil(memory_bytes / 2 ** 20)} MiB`;
}

/** By a subject that is read, where it is published. */
type NearSites = (subject: string) => ReadonlySet<Site>;

/** Each subject is compared once, however many pipelines read it. */
function nearSites(sites: readonly Site[]): NearSites {
  const known = new Map<string, ReadonlySet<Site>>();
  return (subject) => {
    let near = known.get(subject);
    if (near === undefined) {
      near = new Set(sites.filter(({ host }) => host.subjects.some((there) => meet(subject, there))));
      known.set(subject, near);
    }
    return near;
  };
}

/** True when a message could be of both. */
function meet(a: string, b: string): boolean {
  // Nearly all differ in a letter before anything that stands for others.
  for (let place = 0; place < a.length && place < b.length; place++) {
    if (isOpen(a[place]) || isOpen(b[place])) break;
    if (a[place] !== b[place]) return false;
  }
  return overlaps(a, b) || overlaps(b, a);
}

function isOpen(letter: string | undefined): boolean {
  return letter === "*" || letter === ">" || letter === "{";
}

function whyMoved(pipeline: Placeable, from: string | null, sites: ReadonlyMap<string, Site>): string {
  if (from === null) return "it is new";
  const site = sites.get(from);
  if (site === undefined) return `host ${from} is gone`;
  if (hasLeft(site.host)) return `host ${from} is ${site.host.state}`;
  return hasLabels(site.host.labels, pipeline.labels)
    ? `host ${from} is too small for all that it ran`
    : `host ${from} does not have the labels any more`;
}
