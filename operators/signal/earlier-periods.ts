// Of each key, the periods before its two newest that event time has not passed yet, each with the records that
// are the largest so far. They are few and seldom looked at, so that a record is kept as soon as it comes here.
// Decides neither which period a record is of nor when one ends.

import { type ColumnReference, type KeyedTable, type PaneTable, table, type Tables } from "weir/sdk";
import type { Held } from "./held.ts";
import { isRow, rowOf } from "./record-reference.ts";

const none = Number.NEGATIVE_INFINITY;

/** The numbers of a key: the oldest and the newest of these periods. */
const oldestCell = 0;
const newestCell = 1;

/** The numbers of a period of a key: the next newer one, and how many records it has; then by rank the record; then their values. */
const nextCell = 0;
const sizeCell = 1;
const recordsCell = 2;

/** `periods`: how many of a key there may be, by the lateness. */
export function earlierTables(
  by: readonly ColumnReference[],
  count: number,
  periods: (lateness: number) => number,
): { readonly ends: ReturnType<typeof table.keyed>; readonly earlier: ReturnType<typeof table.panes> } {
  const numbers = [none, 0, ...Array.from({ length: 2 * count }, () => 0)];
  return {
    ends: table.keyed(by, [none, none]),
    // What is held for a key is sent when it is forgotten, so that nothing here keeps it.
    earlier: table.panes(by, [], numbers, { yields: true, perKey: periods }),
  };
}

/** Records of a period in an array: by rank the record and its value. */
interface Ranked {
  readonly numbers: Float64Array;
  readonly size: number;
  readonly records: number;
  readonly values: number;
}

export class EarlierPeriods {
  readonly #ends: KeyedTable;
  readonly #panes: PaneTable;
  readonly #held: Held;
  readonly #count: number;
  readonly #row = new Uint32Array(1);
  readonly #record = new Uint32Array(1);

  constructor(tables: Tables<ReturnType<typeof earlierTables>>, held: Held, count: number) {
    this.#ends = tables.ends;
    this.#panes = tables.earlier;
    this.#held = held;
    this.#count = count;
  }

  /** Begins a call: frees the periods up to `ended`, all of which were sent. */
  open(ended: number): void {
    this.#ends.reserve();
    this.#panes.close(ended, () => undefined);
  }

  /** The oldest of a key; none is before all. */
  oldest(key: number): number {
    return this.#ends.cells[oldestCell]![key]!;
  }

  /** Takes over a period that is newer than all there are of the key; false when there is no room for it. */
  add(key: number, period: number, { numbers, size, records, values }: Ranked): boolean {
    const slot = this.#open(key, period);
    if (slot < 0) return false;
    const { cells } = this.#panes;
    cells[sizeCell]![slot] = size;
    for (let rank = 0; rank < size; rank++) {
      const record = numbers[records + rank]!;
      cells[recordsCell + rank]![slot] = isRow(record) ? this.#kept(rowOf(record)) : record;
      cells[recordsCell + this.#count + rank]![slot] = numbers[values + rank]!;
    }
    return true;
  }

  /** Takes a row among the largest of a period, if it is one of them; false when there is no room for the period. */
  rank(key: number, period: number, row: number, reading: number): boolean {
    const found = this.#panes.find(period, key);
    const slot = found < 0 ? this.#open(key, period) : found;
    if (slot < 0) return false;
    const { cells } = this.#panes;
    const [records, values] = [recordsCell, recordsCell + this.#count];
    let rank = cells[sizeCell]![slot]!;
    if (rank < this.#count) cells[sizeCell]![slot] = rank + 1;
    else if (reading <= cells[values + rank - 1]![slot]!) return true;
    else this.#held.leave(cells[records + --rank]![slot]!);
    for (; rank > 0 && cells[values + rank - 1]![slot]! < reading; rank--) {
      cells[records + rank]![slot] = cells[records + rank - 1]![slot]!;
      cells[values + rank]![slot] = cells[values + rank - 1]![slot]!;
    }
    cells[values + rank]![slot] = reading;
    cells[records + rank]![slot] = this.#kept(row);
    return true;
  }

  /** Sends the periods of a key that are `isDue`, the oldest first. */
  send(key: number, isDue: (period: number) => boolean): void {
    const oldest = this.#ends.cells[oldestCell]!;
    const { cells } = this.#panes;
    for (let period = oldest[key]!; period !== none && isDue(period); period = oldest[key]!) {
      const slot = this.#panes.find(period, key);
      const size = cells[sizeCell]![slot]!;
      for (let rank = 0; rank < size; rank++) this.#held.send(cells[recordsCell + rank]![slot]!);
      cells[sizeCell]![slot] = 0;
      oldest[key] = cells[nextCell]![slot]!;
      if (oldest[key] === none) this.#ends.cells[newestCell]![key] = none;
    }
  }

  /** A slot for a period that the key has not; -1 when there is no room. */
  #open(key: number, period: number): number {
    const slot = this.#panes.pane(period)?.slot(key) ?? -1;
    if (slot >= 0) this.#link(key, period, slot);
    return slot;
  }

  /** Puts a period in its place among those of the key: behind all of them, mostly. */
  #link(key: number, period: number, slot: number): void {
    const [oldest, newest] = [this.#ends.cells[oldestCell]!, this.#ends.cells[newestCell]!];
    const next = this.#panes.cells[nextCell]!;
    let before = newest[key]! < period ? newest[key]! : none;
    let after = before === none ? oldest[key]! : none;
    while (after !== none && after < period) {
      before = after;
      after = next[this.#panes.find(after, key)]!;
    }
    next[slot] = after;
    if (before === none) oldest[key] = period;
    else next[this.#panes.find(before, key)] = period;
    if (after === none) newest[key] = period;
  }

  #kept(row: number): number {
    this.#row[0] = row;
    this.#held.keepRows(this.#row, 1, this.#record);
    return this.#record[0]!;
  }
}
