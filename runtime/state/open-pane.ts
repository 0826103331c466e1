// One open window: the slot of each of its keys, in the order in which they came. Knows nothing of what a slot holds.

import type { ClosedPane, Pane } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { grown } from "./growth.ts";
import { damaged, member, packed, type Plain } from "./plain.ts";
import { AddedSections, addedWholes, addedWholesOf } from "./sections.ts";
import { SparseSlots } from "./sparse-slots.ts";

/** Slots of one section of a snapshot: the last one is made anew for each. */
const sectionSlots = 1_024;
/** Keys of a pane that there is room for at first. */
const keysFirst = 16;
/** Below that many, an array by key is small enough for every pane, and is kept for the next. Above, a pane has one when it has one key of `sparseShare`. */
const directKeys = 65_536;
const sparseShare = 16;

/** What a pane knows its keys by. */
export interface PaneMemory {
  /** By key, slot + 1; 0 where the key has none. */
  readonly slotOf: Int32Array<ArrayBuffer>;
  /** In the order in which they came. */
  readonly keys: Uint32Array<ArrayBuffer>;
}

export class OpenPane implements Pane {
  readonly start: number;
  readonly #open: () => number;
  #slotOf: PaneMemory["slotOf"];
  /** In its place, as long as the pane has few keys of very many. */
  #sparse: SparseSlots | null = null;
  #keys: PaneMemory["keys"];
  #count = 0;
  #highest = 0;
  /** Keys among them that were taken out since. */
  #removed = 0;
  readonly #keySections = addedWholes();
  /** Of the keys in their order; a key keeps its slot. */
  readonly #slotSections = new AddedSections<Uint32Array>(sectionSlots, (keys, from, to) => [
    packed(this.#slotsOf(keys.subarray(from, to))),
  ]);

  /** `memory`: of a pane that is closed. */
  constructor(start: number, open: () => number, memory: PaneMemory | null) {
    this.start = start;
    this.#open = open;
    this.#slotOf = memory?.slotOf ?? new Int32Array(64);
    this.#keys = memory?.keys ?? new Uint32Array(keysFirst);
  }

  /** Its memory for another pane, once it is closed; null where that is not worth keeping. */
  memory(): PaneMemory | null {
    const [slotOf, keys] = [this.#slotOf, this.#keys];
    if (slotOf.length > directKeys || this.#sparse !== null) return null;
    for (let i = 0; i < this.#count; i++) slotOf[keys[i]!] = 0;
    return { slotOf, keys };
  }

  /** Takes a key out; returns the slot that it had, -1 when it had none. */
  remove(key: number): number {
    const slot = this.find(key);
    if (slot < 0) return slot;
    if (this.#sparse === null) this.#slotOf[key] = 0;
    else this.#sparse.remove(key);
    this.#removed++;
    return slot;
  }

  /** Closes the ranks where keys were taken out: once for all of them, as many are forgotten together. */
  #closeRanks(): void {
    if (this.#removed === 0) return;
    // Another array, as sections of a snapshot are of one that is only added to.
    const left = new Uint32Array(this.#keys.length);
    let count = 0;
    for (let i = 0; i < this.#count; i++) if (this.find(this.#keys[i]!) >= 0) left[count++] = this.#keys[i]!;
    this.#keys = left;
    this.#count = count;
    this.#removed = 0;
  }

  slot(key: number): number {
    const found = this.find(key);
    return found < 0 ? this.#add(key) : found;
  }

  /** The key's slot; -1 when it has none. */
  find(key: number): number {
    if (this.#sparse !== null) return this.#sparse.find(key);
    return key < this.#slotOf.length ? this.#slotOf[key]! - 1 : -1;
  }

  slots(keys: Uint32Array, from: number, to: number, slots: Uint32Array, at: number): void {
    if (!this.#reserve(highestOf(keys, from, to)))
      for (let i = from, place = at; i < to; i++, place++) slots[place] = this.slot(keys[i]! | 0);
    else if (readSlots(this.#slotOf, keys, from, to, slots, at)) {
      // A key that comes for the first time may stand there several times.
      for (let i = from, place = at; i < to; i++, place++)
        if ((slots[place]! | 0) === -1) slots[place] = this.slot(keys[i]!);
    }
  }

  /** Makes room in the array by key for all up to `highest`; false where the pane is better off without that array. */
  #reserve(highest: number): boolean {
    if (this.#sparse !== null) return false;
    if (highest < this.#slotOf.length) return true;
    if (highest >= directKeys && this.#count * sparseShare <= highest) {
      const sparse = new SparseSlots(this.#count);
      for (let i = 0; i < this.#count; i++) sparse.set(this.#keys[i]!, this.find(this.#keys[i]!));
      this.#sparse = sparse;
      this.#slotOf = none;
      return false;
    }
    this.#slotOf = grown(this.#slotOf, highest + 1);
    return true;
  }

  /** As soon as it is worth one, the pane has an array by key. */
  #makeDirect(sparse: SparseSlots): void {
    const slotOf = grown(new Int32Array(64), this.#highest + 1);
    for (let i = 0; i < this.#count; i++) slotOf[this.#keys[i]!] = sparse.find(this.#keys[i]!) + 1;
    this.#slotOf = slotOf;
    this.#sparse = null;
  }

  contents(): ClosedPane {
    this.#closeRanks();
    const count = this.#count;
    const keys = this.#keys.subarray(0, count);
    return { start: this.start, count, keys, slots: this.#slotsOf(keys) };
  }

  #slotsOf(keys: Uint32Array): Uint32Array {
    const slots = new Uint32Array(keys.length);
    if (this.#sparse === null) for (let i = 0; i < keys.length; i++) slots[i] = this.#slotOf[keys[i]!]! - 1;
    else for (let i = 0; i < keys.length; i++) slots[i] = this.#sparse.find(keys[i]!);
    return slots;
  }

  snapshot(): Plain {
    this.#closeRanks();
    return {
      keys: this.#keySections.snapshot(this.#keys, this.#count),
      slots: this.#slotSections.snapshot(this.#keys, this.#count),
    };
  }

  /** Takes what `snapshot` gave, of keys below `keysEnd`; 1 in `isUnused` for slots that no pane has becomes 0 for those of this one. */
  restore(data: Plain, keysEnd: number, isUnused: Uint8Array): void {
    const keys = addedWholesOf(member(data, "keys"), keysEnd, keysFirst);
    const slots = addedWholesOf(member(data, "slots"), limits.slots_max);
    if (slots.length !== keys.length - keysFirst) throw damaged("expected one slot a key and pane");
    this.#keys = keys;
    for (let place = 0; place < slots.length; place++) {
      const [key, slot] = [keys[place]!, slots[place]!];
      if (isUnused[slot] !== 1) throw damaged(`expected slot ${slot} to be open and in one pane`);
      isUnused[slot] = 0;
      if (this.find(key) >= 0) throw damaged("expected one slot a key and pane");
      this.#append(key, slot);
    }
  }

  #add(key: number): number {
    this.#closeRanks();
    const slot = this.#open();
    this.#append(key, slot);
    return slot;
  }

  #append(key: number, slot: number): void {
    if (key > this.#highest) this.#highest = key;
    if (this.#reserve(key)) this.#slotOf[key] = slot + 1;
    else this.#sparse!.set(key, slot);
    if (this.#count === this.#keys.length) this.#keys = grown(this.#keys);
    this.#keys[this.#count++] = key;
    if (this.#sparse !== null && this.#count * sparseShare > this.#highest) this.#makeDirect(this.#sparse);
  }
}

const none = new Int32Array(0);

function highestOf(keys: Uint32Array, from: number, to: number): number {
  let highest = 0;
  for (let i = from; i < to; i++) if ((keys[i]! | 0) > highest) highest = keys[i]! | 0;
  return highest;
}

/**
 * Writes the slots of `keys[from … to - 1]` to `slots` from `at` on; true when a key has none, whose slot is then
 * written as -1. No row waits for the memory that another reads, as it would for a branch.
 */
function readSlots(
  slotOf: Int32Array,
  keys: Uint32Array,
  from: number,
  to: number,
  slots: Uint32Array,
  at: number,
): boolean {
  let missing = 0;
  for (let i = from, place = at; i < to; i++, place++) {
    const slot = slotOf[keys[i]! | 0]! - 1;
    slots[place] = slot;
    missing |= slot;
  }
  return missing < 0;
}
