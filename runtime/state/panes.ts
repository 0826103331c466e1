// One slot per open (window, key): the cells of every aggregate side by side, indexed by slot. Slots
// of closed panes are used again. Knows nothing of when a window closes or what an aggregate means.

import type {
  Batch,
  AggregateState,
  ClosedPane,
  KeyTable,
  Pane,
  PaneDeclaration,
  PaneTable,
} from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { makeKeyTable } from "./keys.ts";

interface GrowingState extends AggregateState {
  cells: Float64Array[];
  readonly initial: readonly number[];
}

class OpenPane implements Pane {
  readonly start: number;
  readonly #open: () => number;
  /** By key, slot + 1; 0 where the key has none. */
  #slotOf = new Int32Array(64);
  #keys = new Uint32Array(16);
  #slots = new Uint32Array(16);
  #count = 0;

  constructor(start: number, open: () => number) {
    this.start = start;
    this.#open = open;
  }

  slot(key: number): number {
    const found = key < this.#slotOf.length ? this.#slotOf[key]! : 0;
    return found === 0 ? this.#add(key) : found - 1;
  }

  contents(): ClosedPane {
    return {
      start: this.start,
      count: this.#count,
      keys: this.#keys.subarray(0, this.#count),
      slots: this.#slots.subarray(0, this.#count),
    };
  }

  #add(key: number): number {
    if (key >= this.#slotOf.length) {
      const wider = new Int32Array(Math.max(key + 1, this.#slotOf.length * 2));
      wider.set(this.#slotOf);
      this.#slotOf = wider;
    }
    if (this.#count === this.#keys.length) {
      this.#keys = doubled(this.#keys);
      this.#slots = doubled(this.#slots);
    }
    const slot = this.#open();
    this.#slotOf[key] = slot + 1;
    this.#keys[this.#count] = key;
    this.#slots[this.#count++] = slot;
    return slot;
  }
}

class Panes implements PaneTable {
  readonly keys: KeyTable;
  readonly states: readonly GrowingState[];
  #held = 0;
  #weights = new Float64Array(64);
  #used = 0;
  #free: number[] = [];
  readonly #open = new Map<number, OpenPane>();
  #oldest = Number.POSITIVE_INFINITY;

  constructor(declaration: PaneDeclaration, keysMax: number) {
    this.keys = makeKeyTable(declaration.by, keysMax);
    this.states = declaration.aggregates.map(({ initial }) => ({
      initial,
      cells: initial.map(() => new Float64Array(64)),
      buffers: [],
    }));
  }

  get held(): number {
    return this.#held;
  }

  pane(start: number): Pane | null {
    const found = this.#open.get(start);
    if (found !== undefined) return found;
    if (this.#open.size >= limits.panes_open_max) return null;
    const pane = new OpenPane(start, () => this.#slot());
    this.#open.set(start, pane);
    if (start < this.#oldest) this.#oldest = start;
    return pane;
  }

  hold(slots: Uint32Array, rows: Uint32Array, count: number, { weight }: Batch): void {
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

  close(start: number, visit: (pane: ClosedPane) => void): void {
    if (start < this.#oldest) return;
    const due = [...this.#open.keys()].filter((each) => each <= start).sort((a, b) => a - b);
    for (const each of due) {
      const pane = this.#open.get(each)!.contents();
      visit(pane);
      this.#open.delete(each);
      for (const slot of pane.slots) this.#release(slot);
    }
    this.#oldest = Number.POSITIVE_INFINITY;
    for (const each of this.#open.keys()) if (each < this.#oldest) this.#oldest = each;
  }

  #slot(): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot === this.#weights.length) this.#grow();
    this.#weights[slot] = 0;
    for (const state of this.states) {
      for (let cell = 0; cell < state.initial.length; cell++) state.cells[cell]![slot] = state.initial[cell]!;
    }
    return slot;
  }

  #release(slot: number): void {
    this.#held -= this.#weights[slot]!;
    for (const state of this.states) if (state.buffers.length > slot) state.buffers[slot] = undefined;
    this.#free.push(slot);
  }

  #grow(): void {
    this.#weights = doubled(this.#weights);
    for (const state of this.states) state.cells = state.cells.map(doubled);
  }
}

function doubled<T extends Float64Array | Uint32Array>(array: T): T {
  const wider = new (array.constructor as new (length: number) => T)(array.length * 2);
  wider.set(array);
  return wider;
}

/** The table of a declaration, for at most `keysMax` keys. */
export function makePaneTable(declaration: PaneDeclaration, keysMax: number = limits.keys_max): PaneTable {
  return new Panes(declaration, keysMax);
}
