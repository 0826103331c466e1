// Partial aggregates in slots, in lists that each key has for itself, with timers and a queue of slots
// that wait for event time. Knows nothing of when a part begins, ends or is merged.

import type { AggregateState, KeyTable, PartDeclaration, PartTable } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { makeKeyTable } from "./keys.ts";
import { Slots } from "./slots.ts";
import { SlotHeap } from "./timed-slots.ts";
import { TimerHeap } from "./timers.ts";

class Parts implements PartTable {
  readonly keys: KeyTable;
  readonly waiting: SlotHeap = new SlotHeap();
  readonly timers: TimerHeap = new TimerHeap();
  readonly #slots: Slots;
  readonly #slotsMax: number;
  /** By place, by key. */
  readonly #lists: number[][][];

  constructor({ by, aggregates, initial, lists }: PartDeclaration, keysMax: number, slotsMax: number) {
    this.keys = makeKeyTable(by, keysMax);
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

  get full(): boolean {
    return this.#slots.size >= this.#slotsMax;
  }

  open(): number {
    return this.#slots.open();
  }

  free(slot: number): void {
    this.#slots.free(slot);
  }

  hold(slot: number, weight: number): void {
    this.#slots.hold(slot, weight);
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
}

/** The table of a declaration, for at most `keysMax` keys and `slotsMax` slots. */
export function makePartTable(
  declaration: PartDeclaration,
  keysMax: number = limits.keys_max,
  slotsMax: number = limits.window_parts_max,
): PartTable {
  return new Parts(declaration, keysMax, slotsMax);
}
