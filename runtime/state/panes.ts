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
import { type KeyedRows, makeKeyTable } from "./keys.ts";
import { OpenPane, type PaneMemory } from "./open-pane.ts";
import { damaged, type LastingByKey, member, membersOf, type Plain } from "./plain.ts";
import { Slots } from "./slots.ts";

/** Arrays of closed panes that are kept for the next ones: where panes come and go fast, each would have new ones. */
const sparesMax = 4;

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
