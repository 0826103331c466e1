// What the kinds share whose windows begin and end with records: parts with the time of their first and
// last record, rows that are added to them, and windows that are ready to be sent.

import {
  type Batch,
  type Collector,
  type Extent,
  type PartDeclaration,
  type PartTable,
  table,
} from "weir/sdk";
import type { Grouping } from "./kind.ts";
import { sendRows } from "./rows.ts";
import { mergeStates } from "./shared-state.ts";

/** The numbers of a part: event time of its first record, and of its last. Kinds may declare more after these. */
export const firstCell = 0;
export const lastCell = 1;
const initial: readonly number[] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The declaration of parts with some numbers of their own and `lists` lists a key. */
export function partsOf(
  { by, shared }: Grouping,
  own: readonly number[],
  lists: number,
  extent: Extent,
): PartDeclaration {
  return table.parts(by, shared.kept, [...initial, ...own], lists, extent);
}

export class Parts {
  readonly table: PartTable;
  readonly #grouping: Grouping;
  #slots = new Uint32Array(64);
  #rows = new Uint32Array(64);
  #added = 0;

  constructor(table: PartTable, grouping: Grouping) {
    this.table = table;
    this.#grouping = grouping;
  }

  /** Adds a row to a part; its value is there after `flush`. Rows are added in ascending order. */
  add(slot: number, row: number, { time, weight }: Batch): void {
    if (this.#added === this.#rows.length) {
      this.#slots = wider(this.#slots);
      this.#rows = wider(this.#rows);
    }
    this.#slots[this.#added] = slot;
    this.#rows[this.#added++] = row;
    this.table.hold(slot, weight === null ? 1 : weight[row]!);
    this.#extend(slot, time[row]!, time[row]!);
  }

  /** Brings what was added into the aggregates. */
  flush(batch: Batch): void {
    this.#aggregate(this.#slots, this.#rows, this.#added, batch);
    this.#added = 0;
  }

  /** Adds `rows[i]` to `slots[i]` for i below `count`, which are new parts, with their values. Rows are in ascending order. */
  addAll(slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void {
    const [first, last] = [this.table.cells[firstCell]!, this.table.cells[lastCell]!];
    const { time } = batch;
    for (let i = 0; i < count; i++) {
      first[slots[i]!] = time[rows[i]!]!;
      last[slots[i]!] = time[rows[i]!]!;
    }
    this.table.holdAll(slots, rows, count, batch);
    this.#aggregate(slots, rows, count, batch);
  }

  #aggregate(slots: Uint32Array, selection: Uint32Array, count: number, batch: Batch): void {
    if (count === 0) return;
    // Only these rows are evaluated, so that flushing often costs no more than flushing once.
    const rows = { ...batch, selection, count };
    for (const { input, states } of this.#grouping.shared.inputs) {
      const column = input === null ? null : input.evaluate(rows);
      for (const { place, aggregate } of states)
        aggregate.add(this.table.states[place]!, slots, selection, count, column, rows);
    }
  }

  /** Merges part `from`, which came after it, into part `into`. The records stay held where they are. */
  merge(into: number, from: number): void {
    const { cells } = this.table;
    mergeStates(this.#grouping.shared.kept, this.table, into, this.table, from);
    this.#extend(into, cells[firstCell]![from]!, cells[lastCell]![from]!);
  }

  /** A new part with what `slot` has, and none of its records. What was added is flushed. */
  copy(slot: number): number {
    const copy = this.table.open();
    this.merge(copy, slot);
    return copy;
  }

  /** Merges part `from` into part `into` with its records, and frees it. */
  absorb(into: number, from: number): void {
    this.merge(into, from);
    this.table.hold(into, this.table.release(from));
    this.table.free(from);
  }

  #extend(slot: number, first: number, last: number): void {
    const { cells } = this.table;
    if (first < cells[firstCell]![slot]!) cells[firstCell]![slot] = first;
    if (last > cells[lastCell]![slot]!) cells[lastCell]![slot] = last;
  }
}

function wider(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(array.length * 2);
  copy.set(array);
  return copy;
}

interface Ready {
  readonly key: number;
  readonly slot: number;
  readonly start: number;
  readonly end: number;
  readonly time: number;
  readonly weight: number;
  /** The number of a column beside the window's end; null where the step has none. */
  readonly label: number | null;
}

/** Windows that are complete, in the order in which they were completed. */
export class ReadyWindows {
  readonly #table: PartTable;
  readonly #grouping: Grouping;
  #ready: Ready[] = [];

  constructor(table: PartTable, grouping: Grouping) {
    this.#table = table;
    this.#grouping = grouping;
  }

  /** The slot is freed when its row was sent. */
  add(window: Ready): void {
    this.#ready.push(window);
  }

  send(out: Collector): void {
    const ready = this.#ready;
    if (ready.length === 0) return;
    this.#ready = [];
    sendRows(out, this.#grouping, this.#table.keys, this.#table, {
      count: ready.length,
      keys: Uint32Array.from(ready, ({ key }) => key),
      slots: Uint32Array.from(ready, ({ slot }) => slot),
      start: Float64Array.from(ready, ({ start }) => start),
      end: Float64Array.from(ready, ({ end }) => end),
      time: Float64Array.from(ready, ({ time }) => time),
      weight: Float64Array.from(ready, ({ weight }) => weight),
      labels: ready[0]!.label === null ? [] : [Float64Array.from(ready, ({ label }) => label!)],
    });
    for (const { slot } of ready) this.#table.free(slot);
  }
}
