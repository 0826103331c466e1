// Slots of aggregate state: the cells of every aggregate side by side, indexed by slot, and how many
// input records each slot holds. Slots are used again. Knows nothing of what a slot stands for.

import type { Aggregate, AggregateState, Batch } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { grown } from "./growth.ts";
import {
  bytesOf,
  damaged,
  type Lasting,
  listOf,
  member,
  numbersOf,
  packed,
  type Plain,
  wholesOf,
} from "./plain.ts";

interface GrowingState extends AggregateState {
  cells: Float64Array<ArrayBuffer>[];
  readonly initial: readonly number[];
}

export class Slots implements Lasting {
  readonly states: readonly GrowingState[];
  /** Numbers beside the aggregates, one array each. */
  cells: Float64Array<ArrayBuffer>[];
  readonly #initial: readonly number[];
  #weights = new Float64Array(64);
  #held = 0;
  #used = 0;
  #free: number[] = [];

  constructor(aggregates: readonly Aggregate[], initial: readonly number[]) {
    this.#initial = initial;
    this.cells = initial.map(() => new Float64Array(64));
    this.states = aggregates.map((aggregate) => ({
      initial: aggregate.initial,
      cells: aggregate.initial.map(() => new Float64Array(64)),
      buffers: [],
    }));
  }

  /** Slots that are open. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Input records in open slots. */
  get held(): number {
    return this.#held;
  }

  open(): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot === this.#weights.length) this.#grow();
    this.#weights[slot] = 0;
    for (let cell = 0; cell < this.#initial.length; cell++) this.cells[cell]![slot] = this.#initial[cell]!;
    for (const { initial, cells } of this.states) {
      for (let cell = 0; cell < initial.length; cell++) cells[cell]![slot] = initial[cell]!;
    }
    return slot;
  }

  free(slot: number): void {
    this.#held -= this.#weights[slot]!;
    this.#weights[slot] = 0;
    for (const { buffers } of this.states) if (buffers.length > slot) buffers[slot] = undefined;
    this.#free.push(slot);
  }

  hold(slot: number, weight: number): void {
    this.#weights[slot]! += weight;
    this.#held += weight;
  }

  /** Counts the input records of `rows[i]` into `slots[i]`. */
  holdRows(slots: Uint32Array, rows: Uint32Array, count: number, { weight }: Batch): void {
    const weights = this.#weights;
    if (weight === null) {
      for (let i = 0; i < count; i++) weights[slots[i]!]!++;
      this.#held += count;
      return;
    }
    for (let i = 0; i < count; i++) {
      const records = weight[rows[i]!]!;
      weights[slots[i]!]! += records;
      this.#held += records;
    }
  }

  weight(slot: number): number {
    return this.#weights[slot]!;
  }

  /** The slot's records are held no more; returns how many there were. */
  release(slot: number): number {
    const weight = this.#weights[slot]!;
    this.#weights[slot] = 0;
    this.#held -= weight;
    return weight;
  }

  /** By slot, 1 where it is open. */
  openOnes(): Uint8Array {
    const isOpen = new Uint8Array(this.#used).fill(1);
    for (const slot of this.#free) isOpen[slot] = 0;
    return isOpen;
  }

  snapshot(): Plain {
    const slots = placesOf(this.openOnes(), this.size);
    const numbers = (array: Float64Array): Uint8Array =>
      packed(slots.length === this.#used ? array.subarray(0, this.#used) : gathered(array, slots));
    return {
      slots: packed(slots),
      weights: numbers(this.#weights),
      cells: this.cells.map(numbers),
      states: this.states.map(({ cells, buffers }) => ({
        cells: cells.map(numbers),
        buffers: buffers.length === 0 ? [] : Array.from(slots, (slot) => plainBuffer(buffers[slot])),
      })),
    };
  }

  restore(data: Plain): void {
    const slots = wholesOf(member(data, "slots"), limits.slots_max);
    if (slots.some((slot, place) => place > 0 && slot <= slots[place - 1]!))
      throw damaged("expected slots in ascending order");
    this.#used = slots.length === 0 ? 0 : slots.at(-1)! + 1;
    while (this.#weights.length < this.#used) this.#grow();
    this.#free = freeOnes(slots, this.#used);
    const scatter = (into: Float64Array, numbers: Plain): void =>
      numbersOf(numbers, slots.length).forEach((value, place) => (into[slots[place]!] = value));
    scatter(this.#weights, member(data, "weights"));
    this.#held = this.#weights.reduce((total, weight) => total + weight, 0);
    listOf(member(data, "cells"), this.cells.length).forEach((each, cell) =>
      scatter(this.cells[cell]!, each),
    );
    listOf(member(data, "states"), this.states.length).forEach((each, place) => {
      const { cells, buffers } = this.states[place]!;
      listOf(member(each, "cells"), cells.length).forEach((numbers, cell) => scatter(cells[cell]!, numbers));
      const kept = listOf(member(each, "buffers"));
      if (kept.length > slots.length) throw damaged("expected no more buffers than slots");
      for (const [at, buffer] of kept.entries()) if (buffer !== null) buffers[slots[at]!] = bufferOf(buffer);
    });
  }

  #grow(): void {
    this.#weights = grown(this.#weights);
    this.cells = this.cells.map((cell) => grown(cell));
    for (const state of this.states) state.cells = state.cells.map((cell) => grown(cell));
  }
}

/** The slots below `used` that are not among `slots`: the lowest is the next to be used. */
function freeOnes(slots: Uint32Array, used: number): number[] {
  const free: number[] = [];
  let place = slots.length - 1;
  for (let slot = used - 1; slot >= 0; slot--) {
    if (slots[place] === slot) place--;
    else free.push(slot);
  }
  return free;
}

/** The places of the `count` ones. */
function placesOf(ones: Uint8Array, count: number): Uint32Array {
  const places = new Uint32Array(count);
  let next = 0;
  for (let place = 0; place < ones.length; place++) if (ones[place] === 1) places[next++] = place;
  return places;
}

function gathered(array: Float64Array, slots: Uint32Array): Float64Array {
  const some = new Float64Array(slots.length);
  for (let place = 0; place < slots.length; place++) some[place] = array[slots[place]!]!;
  return some;
}

/** Bytes as they are, numbers as a list of their bytes. */
function plainBuffer(buffer: Float64Array | Uint8Array | undefined): Plain {
  if (buffer === undefined) return null;
  return buffer instanceof Uint8Array ? buffer : [packed(buffer)];
}

function bufferOf(data: Plain): Float64Array | Uint8Array {
  return data instanceof Uint8Array ? bytesOf(data) : numbersOf(listOf(data, 1)[0]!);
}
