// One slot per open (window, key); the slots of closed panes are used again. Knows nothing of when a
// window closes or what an aggregate means.

import type {
  AggregateState,
  Batch,
  ClosedPane,
  KeyTable,
  Pane,
  PaneDeclaration,
  PaneTable,
} from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { grown } from "./growth.ts";
import { type KeyedRows, makeKeyTable } from "./keys.ts";
import { damaged, type LastingByKey, member, membersOf, packed, type Plain } from "./plain.ts";
import { AddedSections, addedWholes, addedWholesOf } from "./sections.ts";
import { Slots } from "./slots.ts";

/** Slots of one section of a snapshot: the last one is made anew for each. */
const sectionSlots = 1_024;
/** Keys of a pane that there is room for at first. */
const keysFirst = 16;
/** Arrays of closed panes that are kept for the next ones, and how long they are at most: where panes come and go fast, each would have new ones. */
const sparesMax = 4;
const spareKeysMax = 65_536;

/** What a pane knows its keys by. */
interface PaneMemory {
  /** By key, slot + 1; 0 where the key has none. */
  readonly slotOf: Int32Array<ArrayBuffer>;
  /** In the order in which they came. */
  readonly keys: Uint32Array<ArrayBuffer>;
}

class OpenPane implements Pane {
  readonly start: number;
  readonly #open: () => number;
  #slotOf: PaneMemory["slotOf"];
  #keys: PaneMemory["keys"];
  #count = 0;
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
    if (slotOf.length > spareKeysMax) return null;
    for (let i = 0; i < this.#count; i++) slotOf[keys[i]!] = 0;
    return { slotOf, keys };
  }

  /** Takes a key out; returns the slot that it had, -1 when it had none. */
  remove(key: number): number {
    const slot = this.find(key);
    if (slot < 0) return slot;
    this.#slotOf[key] = 0;
    this.#removed++;
    return slot;
  }

  /** Closes the ranks where keys were taken out: once for all of them, as many are forgotten together. */
  #closeRanks(): void {
    if (this.#removed === 0) return;
    // Another array, as sections of a snapshot are of one that is only added to.
    const left = new Uint32Array(this.#keys.length);
    let count = 0;
    for (let i = 0; i < this.#count; i++)
      if (this.#slotOf[this.#keys[i]!] !== 0) left[count++] = this.#keys[i]!;
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
    return key < this.#slotOf.length ? this.#slotOf[key]! - 1 : -1;
  }

  slots(keys: Uint32Array, from: number, to: number, slots: Uint32Array, at: number): void {
    this.#reserve(keys, from, to);
    if (!readSlots(this.#slotOf, keys, from, to, slots, at)) return;
    // A key that comes for the first time may stand there several times.
    for (let i = from, place = at; i < to; i++, place++)
      if ((slots[place]! | 0) === -1) slots[place] = this.slot(keys[i]!);
  }

  /** Makes room for the highest of some keys. */
  #reserve(keys: Uint32Array, from: number, to: number): void {
    let highest = 0;
    for (let i = from; i < to; i++) if ((keys[i]! | 0) > highest) highest = keys[i]! | 0;
    if (highest >= this.#slotOf.length) this.#slotOf = grown(this.#slotOf, highest + 1);
  }

  contents(): ClosedPane {
    this.#closeRanks();
    const count = this.#count;
    const keys = this.#keys.subarray(0, count);
    return { start: this.start, count, keys, slots: this.#slotsOf(keys) };
  }

  #slotsOf(keys: Uint32Array): Uint32Array {
    const slots = new Uint32Array(keys.length);
    for (let i = 0; i < keys.length; i++) slots[i] = this.#slotOf[keys[i]!]! - 1;
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
    const slotOf = keysEnd > this.#slotOf.length ? grown(this.#slotOf, keysEnd) : this.#slotOf;
    for (let place = 0; place < slots.length; place++) {
      const key = keys[place]!;
      const slot = slots[place]!;
      if (isUnused[slot] !== 1) throw damaged(`expected slot ${slot} to be open and in one pane`);
      isUnused[slot] = 0;
      if (slotOf[key] !== 0) throw damaged("expected one slot a key and pane");
      slotOf[key] = slot + 1;
    }
    this.#slotOf = slotOf;
    this.#keys = keys;
    this.#count = slots.length;
  }

  #add(key: number): number {
    this.#closeRanks();
    const slot = this.#open();
    if (key >= this.#slotOf.length) this.#slotOf = grown(this.#slotOf, key + 1);
    if (this.#count === this.#keys.length) this.#keys = grown(this.#keys);
    this.#slotOf[key] = slot + 1;
    this.#keys[this.#count] = key;
    this.#count++;
    return slot;
  }
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

class Panes implements PaneTable, KeyedRows, LastingByKey {
  readonly keys: KeyTable;
  closings = 0;
  readonly due: number = Number.POSITIVE_INFINITY;
  readonly #slots: Slots;
  readonly #yields: boolean;
  readonly #open = new Map<number, OpenPane>();
  readonly #spares: PaneMemory[] = [];
  #oldest = Number.POSITIVE_INFINITY;

  constructor(declaration: PaneDeclaration, keys: KeyTable) {
    this.keys = keys;
    this.#slots = new Slots(declaration.aggregates, declaration.initial);
    this.#yields = declaration.yields === true;
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

  isOpen(key: number): boolean {
    if (this.#yields) return false;
    for (const pane of this.#open.values()) if (pane.find(key) >= 0) return true;
    return false;
  }

  isKept(): boolean {
    return false;
  }

  forget(key: number): void {
    // A key that is in an open pane is not forgotten.
    if (!this.#yields) return;
    for (const pane of this.#open.values()) {
      const slot = pane.remove(key);
      if (slot >= 0) this.#slots.free(slot);
    }
  }

  pane(start: number): Pane | null {
    const found = this.#open.get(start);
    if (found !== undefined) return found;
    if (this.#open.size >= limits.panes_open_max) return null;
    const pane = new OpenPane(start, () => this.#slots.open(), this.#spares.pop() ?? null);
    this.#open.set(start, pane);
    if (start < this.#oldest) this.#oldest = start;
    return pane;
  }

  hold(slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void {
    this.#slots.holdRows(slots, rows, count, batch);
  }

  carry(slot: number, weight: number): void {
    this.#slots.hold(slot, weight);
  }

  weight(slot: number): number {
    return this.#slots.weight(slot);
  }

  release(slot: number): number {
    return this.#slots.release(slot);
  }

  get oldest(): number {
    return this.#oldest;
  }

  find(start: number, key: number): number {
    return this.#open.get(start)?.find(key) ?? -1;
  }

  at(start: number): ClosedPane | null {
    return this.#open.get(start)?.contents() ?? null;
  }

  /** Panes by their start, so that each is where it was in the last snapshot when another one has closed. */
  snapshot(): Plain {
    const panes = [...this.#open.values()].sort((a, b) => a.start - b.start);
    return {
      slots: this.#slots.snapshot(),
      panes: Object.fromEntries(
        panes.map((pane) => {
          return [String(pane.start), pane.snapshot()];
        }),
      ),
    };
  }

  restore(data: Plain, keysEnd: number): void {
    this.#slots.restore(member(data, "slots"));
    const isUnused = this.#slots.openOnes();
    for (const [name, each] of membersOf(member(data, "panes"))) {
      const start = Number(name);
      const pane = String(start) === name ? (this.pane(start) as OpenPane | null) : null;
      if (pane === null)
        throw damaged(`expected no more than ${limits.panes_open_max} panes, by their start`);
      pane.restore(each, keysEnd, isUnused);
    }
    if (isUnused.includes(1)) throw damaged("expected every slot to be in a pane");
  }

  close(start: number, visit: (pane: ClosedPane) => void): void {
    if (start < this.#oldest) return;
    const due = [...this.#open.keys()].filter((each) => each <= start).sort((a, b) => a - b);
    for (const each of due) {
      const pane = this.#open.get(each)!;
      const contents = pane.contents();
      visit(contents);
      this.#open.delete(each);
      this.closings++;
      for (const slot of contents.slots) this.#slots.free(slot);
      const memory = this.#spares.length < sparesMax ? pane.memory() : null;
      if (memory !== null) this.#spares.push(memory);
    }
    this.#oldest = Number.POSITIVE_INFINITY;
    for (const each of this.#open.keys()) if (each < this.#oldest) this.#oldest = each;
  }
}

/** The table of a declaration, for at most `keysMax` keys. */
export function makePaneTable(
  declaration: PaneDeclaration,
  keysMax: number = limits.keys_max,
  keys: KeyTable = makeKeyTable(declaration.by, keysMax),
): PaneTable & KeyedRows & LastingByKey {
  return new Panes(declaration, keys);
}
