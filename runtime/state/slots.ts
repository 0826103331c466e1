// Slots of aggregate state: the cells of every aggregate side by side, indexed by slot, and how many
// input records each slot holds. Slots are used again. Knows nothing of what a slot stands for.

import type { Aggregate, AggregateState, Batch } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import {
  bytesOf,
  damaged,
  type Lasting,
  listOf,
  member,
  numbersOf,
  packed,
  type Plain,
  wholeOf,
  wholesOf,
} from "./plain.ts";
import { grown, isSparse } from "./growth.ts";

/** What an aggregate keeps of a slot beside its cells. */
type Kept = Float64Array | Uint8Array;

interface GrowingState extends AggregateState {
  cells: Float64Array<ArrayBuffer>[];
}

/** Slots that there is room for at first. */
const slotsFirst = 64;
/** In place of a weight: the slot is not open. */
const unused = Number.NaN;
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
    this.#arrays[0]![slot] = unused;
    for (let place = 0; place < this.states.length; place++) {
      const { buffers } = this.states[place]!;
      if (buffers.length > slot) buffers[slot] = undefined;
    }
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
    const weights = this.#arrays[0]!;
    for (let slot = 0; slot < this.#used; slot += this.#step) if (weights[slot]! >= 0) isOpen[slot] = 1;
    return isOpen;
  }

  /**
   * All slots as they are, open or not, so that nothing has to move for a snapshot and each stays where it was in the
   * last one; `slots` says which ones there are where most are not open.
   */
  snapshot(): Plain {
    const slots = isSparse(this.size, this.#used / this.#step) ? placesOf(this.openOnes(), this.size) : null;
    return {
      used: slots === null ? this.#used : 0,
      slots: slots === null ? null : packed(slots),
      numbers:
        slots === null
          ? this.#memory().map(packed)
          : this.#arrays.map((array) => packed(gathered(array, slots))),
      buffers: this.states.map(({ buffers }) => buffersOf(buffers, slots)),
    };
  }

  restore(data: Plain): void {
    const kept = member(data, "slots");
    const slots = kept === null ? null : wholesOf(kept, limits.slots_max);
    if (slots === null) this.#restoreAll(data);
    else this.#restoreSome(slots, data);
    const weights = this.#arrays[0]!;
    this.#held = 0;
    this.#free = [];
    for (let slot = this.#used - this.#step; slot >= 0; slot -= this.#step)
      if (weights[slot]! >= 0) this.#held += weights[slot]!;
      else if (Number.isNaN(weights[slot])) this.#free.push(slot);
      else throw damaged("expected slots of some weight");
    const buffers = listOf(member(data, "buffers"), this.states.length);
    buffers.forEach((each, place) => {
      this.#restoreBuffers(
        place,
        listOf(member(each, "numbers")),
        slots,
        (data) => new Float64Array(numbersOf(data)),
      );
      this.#restoreBuffers(place, listOf(member(each, "bytes")), slots, bytesOf);
    });
  }

  #restoreAll(data: Plain): void {
    const used = wholeOf(member(data, "used"), limits.slots_max);
    const memory = listOf(member(data, "numbers"), this.#step === 1 ? this.#arrays.length : 1);
    if (used % this.#step !== 0) throw damaged("expected whole slots");
    const numbers = memory.map((each) => numbersOf(each, used));
    this.#extend(used);
    this.#memory().forEach((array, place) => array.set(numbers[place]!));
  }

  #restoreSome(slots: Uint32Array, data: Plain): void {
    if (slots.some((slot, place) => slot % this.#step !== 0 || (place > 0 && slot <= slots[place - 1]!)))
      throw damaged("expected slots in ascending order");
    const numbers = listOf(member(data, "numbers"), this.#arrays.length).map((each) =>
      numbersOf(each, slots.length),
    );
    const used = slots.length === 0 ? 0 : slots.at(-1)! + this.#step;
    this.#extend(used);
    for (let slot = 0; slot < used; slot += this.#step) this.#arrays[0]![slot] = unused;
    this.#arrays.forEach((array, number) =>
      numbers[number]!.forEach((value, place) => (array[slots[place]!] = value)),
    );
  }

  /** `slots`: those that the buffers are of, in order; null for all. */
  #restoreBuffers(
    place: number,
    kept: readonly Plain[],
    slots: Uint32Array | null,
    read: (data: Plain) => Kept,
  ): void {
    const { buffers } = this.states[place]!;
    const weights = this.#arrays[0]!;
    for (const [at, each] of kept.entries()) {
      if (each === null) continue;
      const slot = slots === null ? at : (slots[at] ?? this.#used);
      if (!(slot < this.#used && weights[slot]! >= 0)) throw damaged("expected buffers of open slots");
      buffers[slot] = read(each);
    }
  }

  /** What the numbers of all slots so far stand in, one array or one a number. */
  #memory(): readonly Float64Array[] {
    if (this.#step > 1) return [this.#numbers.subarray(lineFirst, lineFirst + this.#used)];
    return this.#arrays.map((array) => array.subarray(0, this.#used));
  }

  /** Makes room for one more slot. */
  #add(): void {
    this.#extend(this.#used + this.#step);
  }

  /** Makes room for slots up to the number `end`. */
  #extend(end: number): void {
    if (end > limits.slots_max) throw new RangeError(`a table holds at most ${limits.slots_max} numbers`);
    const step = this.#step;
    if (step === 1 && this.#arrays[0]!.length < end) {
      this.#arrays = this.#arrays.map((array) => grown(array, end));
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

/** By slot, or of some slots: those that hold numbers apart from those that hold bytes. */
function buffersOf(buffers: readonly (Kept | undefined)[], slots: Uint32Array | null): Plain {
  const [numbers, bytes]: Plain[][] = [[], []];
  const count = slots?.length ?? buffers.length;
  for (let place = 0; place < count; place++) {
    const buffer = buffers[slots === null ? place : slots[place]!];
    if (buffer === undefined) continue;
    const kind = buffer instanceof Uint8Array ? bytes! : numbers!;
    while (kind.length < place) kind.push(null);
    kind.push(buffer instanceof Uint8Array ? buffer : packed(buffer));
  }
  return { numbers: numbers!, bytes: bytes! };
}
