// Partial aggregates in slots, in lists that each key has for itself, with timers and queues of
// slots that wait for event time. Knows nothing of when a part begins, ends or is merged.

import type {
  AggregateState,
  Batch,
  KeyTable,
  PartDeclaration,
  PartTable,
} from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { type KeyedRows, makeKeyTable } from "./keys.ts";
import { damaged, type LastingByKey, listOf, member, packedWholes, type Plain, wholesOf } from "./plain.ts";
import { Slots } from "./slots.ts";
import { SlotQueue } from "./timed-slots.ts";
import { TimerHeap } from "./timers.ts";

class Parts implements PartTable, KeyedRows, LastingByKey {
  readonly keys: KeyTable;
  readonly waiting: SlotQueue = new SlotQueue();
  readonly expiring: SlotQueue = new SlotQueue();
  readonly timers: TimerHeap = new TimerHeap();
  readonly closings = 0;
  readonly #slots: Slots;
  readonly #slotsMax: number;
  /** By place, by key. */
  readonly #lists: number[][][];

  constructor({ aggregates, initial, lists }: PartDeclaration, keys: KeyTable, slotsMax: number) {
    this.keys = keys;
    this.#slots = new Slots(aggregates, initial);
    this.#slotsMax = slotsMax;
    this.#lists = Array.from({ length: lists }, () => []);
  }

  get states(): readonly AggregateState[] {
    return this.#slots.states;
  }

  get cells(): readonly Float64Array[] {
    return this.#slots.cells;
  }

  get held(): number {
    return this.#slots.held;
  }

  get due(): number {
    return Math.min(this.timers.next, this.waiting.next, this.expiring.next);
  }

  get room(): number {
    return Math.max(0, this.#slotsMax - this.#slots.size);
  }

  isOpen(): boolean {
    return false;
  }

  isKept(key: number): boolean {
    return this.#lists.some((lists) => key < lists.length && lists[key]!.length > 0);
  }

  forget(key: number): void {
    this.timers.clear(key);
  }

  open(): number {
    return this.#slots.open();
  }

  openAll(count: number, slots: Uint32Array): void {
    this.#slots.openAll(count, slots);
  }

  free(slot: number): void {
    this.#slots.free(slot);
  }

  hold(slot: number, weight: number): void {
    this.#slots.hold(slot, weight);
  }

  holdAll(slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void {
    this.#slots.holdRows(slots, rows, count, batch);
  }

  weight(slot: number): number {
    return this.#slots.weight(slot);
  }

  release(slot: number): number {
    return this.#slots.release(slot);
  }

  list(key: number, place: number): number[] {
    const lists = this.#lists[place]!;
    // Ids are dense, so that no hole is left between keys.
    while (lists.length <= key) lists.push([]);
    return lists[key]!;
  }

  snapshot(): Plain {
    return {
      slots: this.#slots.snapshot(),
      lists: this.#lists.map((lists) => {
        const keys = Array.from(lists.keys()).filter((key) => lists[key]!.length > 0);
        return {
          keys: packedWholes(keys),
          lengths: packedWholes(keys.map((key) => lists[key]!.length)),
          slots: packedWholes(keys.flatMap((key) => lists[key]!)),
        };
      }),
      waiting: this.waiting.snapshot(),
      expiring: this.expiring.snapshot(),
      timers: this.timers.snapshot(),
    };
  }

  restore(data: Plain, keysEnd: number): void {
    this.#slots.restore(member(data, "slots"));
    listOf(member(data, "lists"), this.#lists.length).forEach((each, place) =>
      this.#fill(place, each, keysEnd),
    );
    this.waiting.restore(member(data, "waiting"));
    this.expiring.restore(member(data, "expiring"));
    this.timers.restore(member(data, "timers"), keysEnd);
    const isOpen = this.#slots.openOnes();
    for (const slot of [...this.waiting.slots(), ...this.expiring.slots(), ...this.#lists.flat(2)])
      if (isOpen[slot] !== 1) throw damaged(`expected slot ${slot} to be open`);
  }

  #fill(place: number, data: Plain, keysEnd: number): void {
    const keys = wholesOf(member(data, "keys"), keysEnd);
    const lengths = wholesOf(member(data, "lengths"), limits.slots_max, keys.length);
    const slots = wholesOf(member(data, "slots"), limits.slots_max);
    let from = 0;
    for (const [at, key] of keys.entries()) {
      this.list(key, place).push(...slots.subarray(from, from + lengths[at]!));
      from += lengths[at]!;
    }
    if (from !== slots.length) throw damaged("expected as many slots as the lists are long");
  }
}

/** The table of a declaration, for at most `keysMax` keys and `slotsMax` slots. */
export function makePartTable(
  declaration: PartDeclaration,
  keysMax: number = limits.keys_max,
  slotsMax: number = limits.window_parts_max,
  keys: KeyTable = makeKeyTable(declaration.by, keysMax),
): PartTable & KeyedRows & LastingByKey {
  return new Parts(declaration, keys, slotsMax);
}
