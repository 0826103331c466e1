// Which pipeline runs in which worker of a host. Pure. What is placed and still fits is never moved, not even to
// make room for something new; the same input gives the same answer.

import { createHash } from "node:crypto";
import { limits } from "../limits.ts";
import { byName, type Capacity, type Demand, evicted, Load, type Taker } from "./capacity.ts";
import { instanceOf } from "../instance.ts";
import type { Move, Placement } from "./place.ts";
import { spread } from "./spread.ts";

/** A pipeline that wants a worker of this host. */
export interface Packable extends Taker {
  /** `worker`: it shares its worker with none. */
  readonly isolation: "shared" | "worker";
  /** A partition shares workers with the others of its pipeline only, and with so many of them; absent for all else. */
  readonly among?: { readonly pipeline: string; readonly workers: number };
}

const ownPrefix = "own-";
const sharedPrefix = "shared-";
const replicaPrefix = "replica-";
const apartPrefix = "apart-";

const nothing: Demand = { processors: 0, memory_bytes: 0 };

/** What the pipelines of one worker may take together. */
export const workerCapacity: Capacity = {
  processors: 1,
  memory_bytes: limits.worker_memory_bytes_default - limits.worker_base_bytes,
  count: limits.worker_pipelines_max,
};

/** The worker of a pipeline, or of one partition, that shares it with none. */
export function ownWorker(name: string): string {
  const { pipeline, partition } = instanceOf(name);
  return partition === null
    ? workerName(`${ownPrefix}${pipeline}`)
    : workerName(`${apartPrefix}${pipeline}`, `-${partition}`);
}

/** One of the workers that share the partitions of a pipeline, counted from 1. */
export function replicaWorker(pipeline: string, number: number): string {
  return workerName(`${replicaPrefix}${pipeline}`, `-${number}`);
}

function workerName(name: string, number = ""): string {
  const longest = limits.worker_name_length_max - number.length;
  if (name.length <= longest) return `${name}${number}`;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${name.slice(0, longest - digest.length - 1)}-${digest}${number}`;
}

/** Packs pipelines into as few workers as they fit into, `host` being what all workers may take together. */
export function packIntoWorkers(
  pipelines: readonly Packable[],
  before: ReadonlyMap<string, string>,
  host: Capacity,
): Placement {
  const packing = new Packing(before, host);
  const sorted = pipelines.toSorted(byName);
  const apart = sorted.filter(({ isolation }) => isolation === "worker");
  const together = sorted.filter(({ isolation }) => isolation === "shared");
  const shared = together.filter(({ among }) => among === undefined);
  const partitions = together.filter(({ among }) => among !== undefined);
  const staying = new Map<string, Packable[]>();
  for (const each of shared) {
    const worker = before.get(each.name);
    if (worker?.startsWith(sharedPrefix) !== true) continue;
    const others = staying.get(worker);
    if (others === undefined) staying.set(worker, [each]);
    else others.push(each);
  }
  for (const [worker, members] of [...staying].sort(([a], [b]) => (a < b ? -1 : 1)))
    packing.keep(worker, members);
  for (const each of apart) packing.alone(each);
  const groups = [...Map.groupBy(partitions, ({ among }) => among!.pipeline).values()];
  const reserved = groups.map((members) => packing.reserve(members));
  for (const each of shared) packing.join(each);
  // Last: workers beyond the first are what the host can spare.
  for (const members of reserved) packing.share(members);
  return packing.result();
}

class Packing {
  readonly #before: ReadonlyMap<string, string>;
  readonly #host: Load;
  readonly #workers = new Map<string, Load>();
  readonly #where = new Map<string, string>();
  readonly #moves: Move[] = [];
  readonly #unplaced: { name: string; reason: string }[] = [];
  readonly #crowded = new Set<string>();

  constructor(before: ReadonlyMap<string, string>, host: Capacity) {
    this.#before = before;
    this.#host = new Load(host);
  }

  /** Leaves those in a worker that fit into it. */
  keep(worker: string, members: readonly Packable[]): void {
    if (!this.#open(worker, members[0]!.demand)) return;
    const gone = new Set(evicted(members, workerCapacity));
    for (const each of members) {
      if (gone.has(each)) this.#crowded.add(each.name);
      else if (this.#fits(worker, each)) this.#put(worker, each);
    }
  }

  alone(pipeline: Packable): void {
    const worker = ownWorker(pipeline.name);
    if (this.#open(worker, pipeline.demand)) this.#moveTo(worker, pipeline, "it has a worker of its own");
    else this.#refuse(pipeline);
  }

  /** Into the first worker with room, else into a new one. */
  join(pipeline: Packable): void {
    if (this.#where.has(pipeline.name)) return;
    const roomy = [...this.#workers.keys()].filter((each) => each.startsWith(sharedPrefix));
    const found = roomy.find((each) => this.#fits(each, pipeline));
    const reason = this.#crowded.has(pipeline.name)
      ? "its worker is too small for all that it ran"
      : this.#before.has(pipeline.name)
        ? "it shares a worker from now on"
        : "it is new";
    if (found !== undefined) return this.#moveTo(found, pipeline, reason);
    const worker = this.#freeName();
    if (!this.#open(worker, pipeline.demand)) return this.#refuse(pipeline);
    this.#moveTo(worker, pipeline, reason);
  }

  /** Takes room for one worker with these partitions; returns those that fit. */
  reserve(members: readonly Packable[]): readonly Packable[] {
    const fits = this.#takes(members[0]!.demand);
    return members.filter((each) => {
      if (fits && this.#host.fits(each.demand)) {
        this.#host.add(each.demand);
        return true;
      }
      this.#refuse(each);
      return false;
    });
  }

  /** Shares partitions for which there is room among as many workers as they are to have and the host has room for. */
  share(members: readonly Packable[]): void {
    const among = members[0]?.among;
    if (among === undefined) return;
    let workers = 1;
    while (workers < Math.min(among.workers, members.length) && this.#takes(nothing)) workers++;
    const names = members.map(({ name }) => name);
    const where = spread(names, this.#before, workers, (number) => replicaWorker(among.pipeline, number));
    const many = `${workers} ${workers === 1 ? "worker has" : "workers share"} its partitions`;
    for (const [name, worker] of where) {
      const from = this.#before.get(name) ?? null;
      this.#where.set(name, worker);
      if (from !== worker)
        this.#moves.push({ name, from, to: worker, reason: from === null ? "it is new" : many });
    }
  }

  result(): Placement {
    return { where: this.#where, moves: this.#moves, unplaced: this.#unplaced };
  }

  #open(worker: string, first: Demand): boolean {
    if (!this.#takes(first)) return false;
    this.#workers.set(worker, new Load(workerCapacity));
    return true;
  }

  /** A worker itself takes memory of the host, which it gets where there is room for what it runs first, too. */
  #takes(first: Demand): boolean {
    const base = { processors: 0, memory_bytes: limits.worker_base_bytes };
    const all = { processors: first.processors, memory_bytes: first.memory_bytes + base.memory_bytes };
    if (!this.#host.fits(all)) return false;
    this.#host.add(base);
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

  #moveTo(worker: string, pipeline: Packable, reason: string): void {
    const from = this.#before.get(pipeline.name) ?? null;
    this.#put(worker, pipeline);
    if (from !== worker) this.#moves.push({ name: pipeline.name, from, to: worker, reason });
  }

  #refuse({ name, demand }: Packable): void {
    const mib = Math.ceil(demand.memory_bytes / 1024 ** 2);
    this.#unplaced.push({
      name,
      reason: `this host has no room for ${demand.processors} processors and ${mib} MiB more`,
    });
  }

  #freeName(): string {
    for (let number = 1; ; number++) {
      const name = `${sharedPrefix}${number}`;
      if (!this.#workers.has(name)) return name;
    }
  }
}
