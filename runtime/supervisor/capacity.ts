// Sums of what is asked for and what is to be had: processors, memory and a number of things. Pure.

export interface Demand {
  readonly processors: number;
  readonly memory_bytes: number;
}

export interface Capacity extends Demand {
  /** How many things may be there at all. */
  readonly count: number;
}

/** Something that takes a share of a capacity. */
export interface Taker {
  readonly name: string;
  readonly demand: Demand;
}

/** A little more than nothing, so that ten tenths are one. */
const rounding = 1e-9;

/** What of a capacity is taken. */
export class Load {
  readonly capacity: Capacity;
  #processors = 0;
  #memory = 0;
  #count = 0;

  constructor(capacity: Capacity) {
    this.capacity = capacity;
  }

  /** `count`: how many things take it; none where it is only a part of what one takes. */
  add({ processors, memory_bytes }: Demand, count = 1): void {
    this.#processors += processors;
    this.#memory += memory_bytes;
    this.#count += count;
  }

  take({ processors, memory_bytes }: Demand): void {
    this.#processors -= processors;
    this.#memory -= memory_bytes;
    this.#count--;
  }

  fits({ processors, memory_bytes }: Demand): boolean {
    return this.#holds(this.#processors + processors, this.#memory + memory_bytes, this.#count + 1);
  }

  /** The share of what is scarcest that is taken; above 1 it is too much. */
  get share(): number {
    const { processors, memory_bytes, count } = this.capacity;
    return Math.max(
      ratio(this.#processors, processors),
      ratio(this.#memory, memory_bytes),
      ratio(this.#count, count),
    );
  }

  /** Never of what came in because it fitted: both are the same comparison. */
  get isOver(): boolean {
    return !this.#holds(this.#processors, this.#memory, this.#count);
  }

  #holds(processors: number, memory: number, count: number): boolean {
    const { capacity } = this;
    return (
      processors <= capacity.processors + rounding &&
      memory <= capacity.memory_bytes + rounding &&
      count <= capacity.count
    );
  }
}

function ratio(taken: number, of: number): number {
  if (taken <= 0) return 0;
  return of > 0 ? taken / of : Number.POSITIVE_INFINITY;
}

/** By name, so that the same things always come in the same order. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The share that a demand alone takes of a capacity. */
export function shareOf(demand: Demand, capacity: Capacity): number {
  const load = new Load(capacity);
  load.add(demand);
  return load.share;
}

/**
 * Who has to go so that the others fit: as few as possible, the largest first. Exact where one thing is
 * scarce, or where one has to go.
 */
export function evicted<T extends Taker>(takers: readonly T[], capacity: Capacity): T[] {
  const load = new Load(capacity);
  for (const { demand } of takers) load.add(demand);
  if (!load.isOver) return [];
  const largest = takers.toSorted(
    (a, b) => shareOf(b.demand, capacity) - shareOf(a.demand, capacity) || byName(a, b),
  );
  const alone = largest.findLast((each) => fitsWithout(load, [each]));
  if (alone !== undefined) return [alone];
  const gone: T[] = [];
  for (const each of largest) {
    if (!load.isOver) break;
    load.take(each.demand);
    gone.push(each);
  }
  return gone;
}

/** Whether the rest fits when these are gone. */
function fitsWithout(load: Load, gone: readonly Taker[]): boolean {
  for (const { demand } of gone) load.take(demand);
  const fits = !load.isOver;
  for (const { demand } of gone) load.add(demand);
  return fits;
}
