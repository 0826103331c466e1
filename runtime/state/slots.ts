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
}

/** Slots that there is room for at first. */
const slotsFirst = 64;
/**
 * Numbers in one line of the processor's memory, and which number of an array begins a line: allocators put two words
 * of their own before an array that is too large for a cache. On a machine where that is not so, slots lie across lines.
 */
const lineNumbers = 8;
const lineFirst = 6;

export class Slots implements Lasting {
  readonly states: readonly GrowingState[];
  /** Numbers beside the aggregates, one array each. */
  cells: Float64Array<ArrayBuffer>[] = [];
  /** The first value of each number of a slot: its weight, those beside the aggregates, the cells of each aggregate. */
  readonly #initial: readonly number[];
  /**
   * From one slot to the next. The numbers of a slot stand side by side, so that a record waits for one or
   * two lines of memory and not for one a number: its slot is where the first stands, and each array is
   * a view that begins one number later. Where one more number makes whole lines of a slot, it has that. Where
   * aggregates have buffers, which are listed by slot, slots are counted by ones instead, and each number has
   * an array to itself: the lists would be mostly holes.
   */
  readonly #step: number;
  /** What the arrays are views of, where numbers stand side by side. */
  #numbers = new Float64Array(0);
  /** By number as in `#initial`. */
  #arrays: Float64Array<ArrayBuffer>[];
  #held = 0;
  /** Where the next slot stands that was never open. */
  #used = 0;
  #free: number[] = [];

  constructor(aggregates: readonly Aggregate[], initial: readonly number[]) {
    this.#initial = [0, ...initial, ...aggregates.flatMap((aggregate) => aggregate.initial)];
    this.#step = aggregates.some(({ bytes = 0 }) => bytes > 0) ? 1 : stepOf(this.#initial.length);
    if (this.#step > 1) this.#numbers = new Float64Array(slotsFirst * this.#step);
    this.#arrays = this.#step === 1 ? this.#initial.map(() => new Float64Array(slotsFirst)) : this.#views();
    this.states = aggregates.map(({ initial }) => ({ cells: initial.map(() => none), buffers: [] }));
    this.cells = initial.map(() => none);
    this.#show();
  }

  /** Slots that are open. */
  get size(): number {
    return this.#used / this.#step - this.#free.length;
  }

  /** Input records in open slots. */
  get held(): number {
    return this.#held;
  }

  open(): number {
    const slot = this.#free.pop() ?? this.#used;
    if (slot === this.#used) this.#add();
    this.#begin(slot);
    return slot;
  }

  /** Opens as many slots, and writes them to `slots`. */
  openAll(count: number, slots: Uint32Array): void {
    const free = this.#free;
    for (let i = 0; i < count; i++) {
      const slot = free.pop() ?? this.#used;
      if (slot === this.#used) this.#add();
      slots[i] = slot;
    }
    for (let i = 0; i < count; i++) this.#begin(slots[i]!);
  }

  /** Writes the first value of each number of a slot. */
  #begin(slot: number): void {
    const initial = this.#initial;
    const arrays = this.#arrays;
    const [first] = arrays as [Float64Array];
    // Numbers that stand side by side are written as what they are: one run.
    if (this.#step > 1)
      for (let number = 0; number < initial.length; number++) first[slot + number] = initial[number]!;
    else for (let number = 0; number < initial.length; number++) arrays[number]![slot] = initial[number]!;
  }

  free(slot: number): void {
    this.#held -= this.#arrays[0]![slot]!;
    this.#arrays[0]![slot] = 0;
    for (const { buffers } of this.states) if (buffers.length > slot) buffers[slot] = undefined;
    this.#free.push(slot);
  }

  hold(slot: number, weight: number): void {
    this.#arrays[0]![slot]! += weight;
    this.#held += weight;
  }

  /** Counts the input records of `rows[i]` into `slots[i]`. */
  holdRows(slots: Uint32Array, rows: Uint32Array, count: number, { weight }: Batch): void {
    const weights = this.#arrays[0]!;
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
    return this.#arrays[0]![slot]!;
  }

  /** The slot's records are held no more; returns how many there were. */
  release(slot: number): number {
    const weight = this.#arrays[0]![slot]!;
    this.#arrays[0]![slot] = 0;
    this.#held -= weight;
    return weight;
  }

  /** By slot, 1 where it is open. */
  openOnes(): Uint8Array {
    const isOpen = new Uint8Array(this.#used);
    for (let slot = 0; slot < this.#used; slot += this.#step) isOpen[slot] = 1;
    for (const slot of this.#free) isOpen[slot] = 0;
    return isOpen;
  }

  snapshot(): Plain {
    const slots = placesOf(this.openOnes(), this.size);
    return {
      slots: packed(slots),
      numbers: this.#arrays.map((array) => packed(gathered(array, slots))),
      buffers: this.states.map(({ buffers }) =>
        buffers.length === 0 ? [] : Array.from(slots, (slot) => plainBuffer(buffers[slot])),
      ),
    };
  }

  restore(data: Plain): void {
    const slots = wholesOf(member(data, "slots"), limits.slots_max);
    if (slots.some((slot, place) => slot % this.#step !== 0 || (place > 0 && slot <= slots[place - 1]!)))
      throw damaged("expected slots in ascending order");
    const used = slots.length === 0 ? 0 : slots.at(-1)! + this.#step;
    while (this.#used < used) this.#add();
    this.#free = freeOnes(slots, used, this.#step);
    listOf(member(data, "numbers"), this.#arrays.length).forEach((each, number) => {
      const array = this.#arrays[number]!;
      numbersOf(each, slots.length).forEach((value, place) => (array[slots[place]!] = value));
    });
    this.#held = slots.reduce((total, slot) => total + this.weight(slot), 0);
    listOf(member(data, "buffers"), this.states.length).forEach((each, place) => {
      const { buffers } = this.states[place]!;
      const kept = listOf(each);
      if (kept.length > slots.length) throw damaged("expected no more buffers than slots");
      for (const [at, buffer] of kept.entries()) if (buffer !== null) buffers[slots[at]!] = bufferOf(buffer);
    });
  }

  /** Makes room for one more slot. */
  #add(): void {
    const end = this.#used + this.#step;
    if (end > limits.slots_max) throw new RangeError(`a table holds at most ${limits.slots_max} numbers`);
    const step = this.#step;
    if (step === 1 && this.#arrays[0]!.length < end) {
      this.#arrays = this.#arrays.map((array) => grown(array));
      this.#show();
    } else if (step > 1 && this.#numbers.length < lineFirst + end) {
      this.#numbers = grown(this.#numbers, lineFirst + end, step);
      this.#arrays = this.#views();
      this.#show();
    }
    this.#used = end;
  }

  /** The numbers of slots that stand side by side, each seen from the first slot on. */
  #views(): Float64Array<ArrayBuffer>[] {
    return this.#initial.map((_, number) => this.#numbers.subarray(lineFirst + number));
  }

  /** Shows the arrays as what they are the numbers of. */
  #show(): void {
    let number = 1;
    const next = (): Float64Array<ArrayBuffer> => this.#arrays[number++]!;
    this.cells = this.cells.map(next);
    for (const state of this.states) state.cells = state.cells.map(next);
  }
}

/** In place of an array that is not there yet. */
const none = new Float64Array(0);

function stepOf(width: number): number {
  return width % lineNumbers === lineNumbers - 1 ? width + 1 : width;
}

/** The slots below `used` that are not among `slots`: the lowest is the next to be used. */
function freeOnes(slots: Uint32Array, used: number, step: number): number[] {
  const free: number[] = [];
  let place = slots.length - 1;
  for (let slot = used - step; slot >= 0; slot -= step) {
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
