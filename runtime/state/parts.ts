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
import { damaged, type LastingByKey, listOf, member, packed, type Plain, wholesOf } from "./plain.ts";
import { Sections, sectionsOf } from "./sections.ts";
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
  readonly #sections: readonly Sections[];

  constructor({ aggregates, initial, lists }: PartDeclaration, keys: KeyTable, slotsMax: number) {
    this.keys = keys;
    this.#slots = new Slots(aggregates, initial);
    this.#slotsMax = slotsMax;
    this.#lists = Array.from({ length: lists }, () => []);
    this.#sections = this.#lists.map((each) => new Sections((from, to) => written(each, from, to)));
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
    // Whoever asks for it may change it.
    this.#sections[place]!.touch(key);
    return lists[key]!;
  }

  snapshot(): Plain {
    return {
      slots: this.#slots.snapshot(),
      lists: this.#sections.map((sections, place) => sections.snapshot(this.#lists[place]!.length)),
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
    for (const [from, section] of sectionsOf(listOf(data))) {
      const wholes = wholesOf(listOf(section, 1)[0]!, limits.slots_max);
      const keys = wholes[0] ?? 0;
      if (from + keys > keysEnd) throw damaged("expected lists of keys");
      let at = 1 + keys;
      for (let i = 0; i < keys; i++) {
        const length = wholes[1 + i] ?? Number.NaN;
        if (!(at + length <= wholes.length)) throw damaged("expected as many slots as the lists are long");
        this.list(from + i, place).push(...wholes.subarray(at, at + length));
        at += length;
      }
      if (at !== wholes.length) throw damaged("expected as many slots as the lists are long");
    }
  }
}

/** Some lists: how many, how long each is, and what is in them. */
function written(lists: readonly (readonly number[])[], from: number, to: number): readonly Plain[] {
  let length = 1 + to - from;
  for (let key = from; key < to; key++) length += lists[key]!.length;
  const wholes = new Uint32Array(length);
  wholes[0] = to - from;
  let at = 1 + to - from;
  for (let key = from; key < to; key++) {
    const list = lists[key]!;
    wholes[1 + key - from] = list.length;
    for (let i = 0; i < list.length; i++) wholes[at++] = list[i]!;
  }
  return [packed(wholes)];
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
