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
import { longer } from "../longer.ts";
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
      this.#slots = longer(this.#slots);
      this.#rows = longer(this.#rows);
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

interface Ready {
  readonly key: number;
  readonly slot: number;
  readonly start: number;
  readonly end: number;
  readonly time: number;
  readonly weight: number;
}

/** Windows that are ready when there is room for no more; a power of two. */
const readyFirst = 64;

/** Windows that are complete, in the order in which they were completed: column by column, as they go out. */
export class ReadyWindows {
  readonly #table: PartTable;
  readonly #grouping: Grouping;
  #count = 0;
  #keys = new Uint32Array(readyFirst);
  #slots = new Uint32Array(readyFirst);
  #start = new Float64Array(readyFirst);
  #end = new Float64Array(readyFirst);
  #time = new Float64Array(readyFirst);
  #weight = new Float64Array(readyFirst);
  /** The number of a column beside the window's end; null where the step has none. */
  #label: Float64Array<ArrayBuffer> | null = null;

  constructor(table: PartTable, grouping: Grouping) {
    this.#table = table;
    this.#grouping = grouping;
  }

  /** The slot is freed when its row was sent. `label`: the number of a column beside the window's end, of all windows of a step or of none. */
  add({ key, slot, start, end, time, weight }: Ready, label: number | null = null): void {
    if (this.#count === this.#keys.length) this.#widen();
    const place = this.#count++;
    this.#keys[place] = key;
    this.#slots[place] = slot;
    this.#start[place] = start;
    this.#end[place] = end;
    this.#time[place] = time;
    this.#weight[place] = weight;
    if (label === null) return;
    this.#label ??= new Float64Array(this.#keys.length);
    this.#label[place] = label;
  }

  send(out: Collector): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const slots = this.#slots;
    sendRows(out, this.#grouping, this.#table.keys, this.#table, {
      count,
      keys: this.#keys,
      slots,
      start: this.#start,
      end: this.#end,
      time: this.#time,
      weight: this.#weight,
      labels: this.#label === null ? [] : [this.#label],
    });
    for (let place = 0; place < count; place++) this.#table.free(slots[place]!);
  }

  #widen(): void {
    this.#keys = longer(this.#keys);
    this.#slots = longer(this.#slots);
    this.#start = longer(this.#start);
    this.#end = longer(this.#end);
    this.#time = longer(this.#time);
    this.#weight = longer(this.#weight);
    if (this.#label !== null) this.#label = longer(this.#label);
  }
}
