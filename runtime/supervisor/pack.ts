// Which pipeline runs in which worker of a host. Pure. What is placed and still fits is never moved, not even to
// make room for something new; the same input gives the same answer.

import { createHash } from "node:crypto";
import { limits } from "../limits.ts";
import { byName, type Capacity, type Demand, evicted, Load, type Taker } from "./capacity.ts";
import type { Move, Placement } from "./place.ts";

/** A pipeline that wants a worker of this host. */
export interface Packable extends Taker {
  /** `worker`: it shares its worker with none. */
  readonly isolation: "shared" | "worker";
}

const ownPrefix = "own-";
const sharedPrefix = "shared-";

/** What the pipelines of one worker may take together. */
export const workerCapacity: Capacity = {
  processors: 1,
  memory_bytes: limits.worker_memory_bytes_default - limits.worker_base_bytes,
  count: limits.worker_pipelines_max,
};

/** The worker of a pipeline that shares it with none. */
export function ownWorker(pipeline: string): string {
  const name = `${ownPrefix}${pipeline}`;
  if (name.length <= limits.worker_name_length_max) return name;
  const digest = createHash("sha256").update(pipeline).digest("hex").slice(0, 12);
  return `${name.slice(0, limits.worker_name_length_max - digest.length - 1)}-${digest}`;
}

/** Packs pipelines into as few workers as they fit into, `host` being what all workers may take together. */
export function packIntoWorkers(
  pipelines: readonly Packable[],
  before: ReadonlyMap<string, string>,
  host: Capacity,
): Placement {
  const packing = new Packing(before, host);
  const sorted = pipelines.toSorted(byName);
  const shared = sorted.filter(({ isolation }) => isolation === "shared");
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
  for (const each of sorted) if (each.isolation === "worker") packing.alone(each);
  for (const each of shared) packing.join(each);
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

  result(): Placement {
    return { where: this.#where, moves: this.#moves, unplaced: this.#unplaced };
  }

  /** A worker itself takes memory of the host. */
  #open(worker: string, first: Demand): boolean {
    const base = { processors: 0, memory_bytes: limits.worker_base_bytes };
    const all = { processors: first.processors, memory_bytes: first.memory_bytes + base.memory_bytes };
    if (!this.#host.fits(all)) return false;
    this.#host.add(base);
    this.#workers.set(worker, new Load(workerCapacity));
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
