// Which pipeline runs in which worker of a host. Pure. What is placed and still fits is never moved, not even to
// make room for something new; the same input gives the same answer, and that answer given back changes nothing.

import { limits } from "../limits.ts";
import { byName, type Capacity, type Demand, evicted, Load, type Taker } from "./capacity.ts";
import type { Move, Placement } from "./place.ts";
import { spread } from "./spread.ts";
import { isReplica, isSharedWorker, ownWorker, replicaWorker, sharedWorker } from "./worker-names.ts";

/** A pipeline that wants a worker of this host. */
export interface Packable extends Taker {
  /** `worker`: it shares its worker with none. */
  readonly isolation: "shared" | "worker";
  /** A partition shares workers with the others of its pipeline only, and with so many of them; absent for all else. */
  readonly among?: { readonly pipeline: string; readonly workers: number };
}

const nothing: Demand = { processors: 0, memory_bytes: 0 };

/** What all workers may take together, and what those pipelines may that share one. */
export interface Room {
  readonly host: Capacity;
  readonly worker: Capacity;
}

/** Packs pipelines into as few workers as they fit into. `before`: by pipeline, the worker that it was in. */
export function packIntoWorkers(
  pipelines: readonly Packable[],
  before: ReadonlyMap<string, string>,
  room: Room,
): Placement {
  const packing = new Packing(before, room);
  const sorted = pipelines.toSorted(byName);
  const staying = Map.groupBy(
    sorted.filter((each) => packing.isSharing(each) && isSharedWorker(before.get(each.name))),
    ({ name }) => before.get(name)!,
  );
  for (const [worker, members] of [...staying].sort(([a], [b]) => (a < b ? -1 : 1)))
    packing.keep(worker, members);
  // Nobody has to go for one that comes.
  for (const each of sorted.toSorted((a, b) => packing.turnOf(a) - packing.turnOf(b))) {
    if (packing.isAlone(each)) packing.alone(each);
    else if (each.among !== undefined) packing.reserve(each, each.among);
    else packing.join(each);
  }
  // Last: workers beyond the first are what the host can spare.
  packing.share();
  return packing.result();
}

/** The partitions of a pipeline for which there is room, and the workers that they get. */
interface Group {
  readonly members: Packable[];
  readonly most: number;
  workers: number;
}

class Packing {
  readonly #before: ReadonlyMap<string, string>;
  readonly #host: Load;
  readonly #shared: Capacity;
  readonly #workers = new Map<string, Load>();
  readonly #groups = new Map<string, Group>();
  readonly #where = new Map<string, string>();
  readonly #moves: Move[] = [];
  readonly #unplaced: { name: string; reason: string }[] = [];
  readonly #crowded = new Set<string>();

  constructor(before: ReadonlyMap<string, string>, { host, worker }: Room) {
    this.#before = before;
    this.#host = new Load(host);
    this.#shared = worker;
  }

  /** One that is too large for a worker that others share has its own as well: no such worker could ever keep it. */
  isAlone({ isolation, among, demand }: Packable): boolean {
    return isolation === "worker" || (among === undefined && !new Load(this.#shared).fits(demand));
  }

  isSharing(pipeline: Packable): boolean {
    return pipeline.among === undefined && !this.isAlone(pipeline);
  }

  /** Whose turn it is to get room: first who stays where it is, then who runs elsewhere from now on, then who is new. */
  turnOf(pipeline: Packable): number {
    const at = this.#before.get(pipeline.name);
    if (at === undefined) return 2;
    const stays = this.isAlone(pipeline) ? at === ownWorker(pipeline.name) : isReplica(at);
    return stays ? 0 : 1;
  }

  /** Leaves those in a worker that fit into it. */
  keep(worker: string, members: readonly Packable[]): void {
    const gone = new Set(evicted(members, this.#shared));
    const staying = members.filter((each) => !gone.has(each));
    for (const { name } of gone) this.#crowded.add(name);
    const [first] = staying;
    if (first === undefined || !this.#open(worker, first.demand)) return;
    for (const each of staying) if (this.#fits(worker, each)) this.#put(worker, each);
  }

  alone(pipeline: Packable): void {
    const worker = ownWorker(pipeline.name);
    if (!this.#takes(pipeline.demand)) return this.#refuse(pipeline);
    const wanted = pipeline.isolation === "worker";
    this.#host.add(pipeline.demand);
    this.#moveTo(
      worker,
      pipeline,
      wanted ? "it has a worker of its own" : "it is too large for a worker that others share",
    );
  }

  /** Into the first worker with room, else into a new one. */
  join(pipeline: Packable): void {
    if (this.#where.has(pipeline.name)) return;
    const reason = this.#crowded.has(pipeline.name)
      ? "its worker is too small for all that it ran"
      : this.#before.has(pipeline.name)
        ? "it shares a worker from now on"
        : "it is new";
    let worker = [...this.#workers.keys()].find((each) => this.#fits(each, pipeline));
    if (worker === undefined) {
      worker = this.#freeName();
      if (!this.#open(worker, pipeline.demand)) return this.#refuse(pipeline);
    }
    this.#put(worker, pipeline);
    this.#moveTo(worker, pipeline, reason);
  }

  /** Takes room for a partition, and with the first of a pipeline for one worker. */
  reserve(partition: Packable, { pipeline, workers: most }: NonNullable<Packable["among"]>): void {
    const group = this.#groups.get(pipeline);
    const fits = group === undefined ? this.#takes(partition.demand) : this.#host.fits(partition.demand);
    if (!fits) return this.#refuse(partition);
    this.#host.add(partition.demand);
    if (group === undefined) this.#groups.set(pipeline, { members: [partition], most, workers: 1 });
    else group.members.push(partition);
  }

  /** Shares partitions among as many workers as they are to have and the host has room for. */
  share(): void {
    const groups = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1));
    // Workers that are there come before others that are to be more.
    for (const [, group] of groups) this.#spare(group, this.#workersOf(group));
    for (const [pipeline, group] of groups) {
      this.#spare(group, group.most);
      this.#spread(pipeline, group);
    }
  }

  result(): Placement {
    return { where: this.#where, moves: this.#moves, unplaced: this.#unplaced };
  }

  /** How many it had. */
  #workersOf({ members }: Group): number {
    const workers = new Set(members.map(({ name }) => this.#before.get(name)));
    return [...workers].filter(isReplica).length;
  }

  #spare(group: Group, wanted: number): void {
    const most = Math.min(wanted, group.most, group.members.length);
    while (group.workers < most && this.#takes(nothing)) group.workers++;
  }

  #spread(pipeline: string, { members, workers }: Group): void {
    const names = members.toSorted(byName).map(({ name }) => name);
    const where = spread(names, this.#before, workers, (number) => replicaWorker(pipeline, number));
    const many = `${workers} ${workers === 1 ? "worker has" : "workers share"} its partitions`;
    for (const member of members)
      this.#moveTo(where.get(member.name)!, member, this.#before.has(member.name) ? many : "it is new");
  }

  #open(worker: string, first: Demand): boolean {
    if (!this.#takes(first)) return false;
    this.#workers.set(worker, new Load(this.#shared));
    return true;
  }

  /** A worker itself takes memory of the host, which it gets where there is room for what it runs first, too. */
  #takes(first: Demand): boolean {
    const base = { processors: 0, memory_bytes: limits.worker_base_bytes };
    const all = { processors: first.processors, memory_bytes: first.memory_bytes + base.memory_bytes };
    if (!this.#host.fits(all)) return false;
    this.#host.add(base, 0);
    return true;
  }

  #fits(worker: string, { demand }: Packable): boolean {
    return this.#workers.get(worker)!.fits(demand) && this.#host.fits(demand);
  }

  #put(worker: string, { name, demand }: Packable): void {
    this.#workers.get(worker)!.add(demand);
    this.#host.add(demand);
    this.#where.set(name, worker);
  }

  #moveTo(worker: string, { name }: Packable, reason: string): void {
    const from = this.#before.get(name) ?? null;
    this.#where.set(name, worker);
    if (from !== worker) this.#moves.push({ name, from, to: worker, reason });
  }

  #refuse({ name, demand }: Packable): void {
    const mib = Math.ceil(demand.memory_bytes / 1024 ** 2);
    this.#unplaced.push({
      name,
      reason: `this host has no room for ${demand.processors} processors and ${mib} MiB more: lower the pipeline's placement, or raise the device's capacity in weir.yaml`,
    });
  }

  #freeName(): string {
    for (let number = 1; ; number++) {
      const name = sharedWorker(number);
      if (!this.#workers.has(name)) return name;
    }
  }
}
