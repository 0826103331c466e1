// Slots of aggregate state: the cells of every aggregate side by side, indexed by slot, and how many
// input records each slot holds. Slots are used again. Knows nothing of what a slot stands for.

import type { Aggregate, AggregateState, Batch } from "../../operators/sdk/index.ts";
import { grown } from "./growth.ts";

interface GrowingState extends AggregateState {
  cells: Float64Array<ArrayBuffer>[];
  readonly initial: readonly number[];
}

export class Slots {
  readonly states: readonly GrowingState[];
  /** Numbers beside the aggregates, one array each. */
  cells: Float64Array<ArrayBuffer>[];
  readonly #initial: readonly number[];
  #weights = new Float64Array(64);
  #held = 0;
  #used = 0;
  readonly #free: number[] = [];

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

  #grow(): void {
    this.#weights = grown(this.#weights);
    this.cells = this.cells.map((cell) => grown(cell));
    for (const state of this.states) state.cells = state.cells.map((cell) => grown(cell));
  }
}
