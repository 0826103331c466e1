// What an operator holds back, as cheaply as can be: a row of the present batch for as long as the batch
// lasts, a kept record only beyond it. Also the way out for both in the order of the calls, a deadline
// for each key, and the count of what is left out. Decides nothing, and allocates nothing for a row.

import type { Batch, Collector, ColumnReference, KeyedTable, Reason } from "weir/sdk";

/** In place of a reference: no record is in hand. */
export const nothing = -1;

/** A reference to a row of the present batch. Zero and above are slots of kept records. */
function reference(row: number): number {
  return -2 - row;
}

const isRow = (held: number): boolean => held <= -2;

const never = Number.POSITIVE_INFINITY;

/** The first cells of every table that is held this way: the key's deadline, and the record in hand. */
export const heldCells: readonly number[] = [never, nothing];

export class Held {
  readonly #table: KeyedTable;
  #batch: Batch | null = null;
  #out!: Collector;
  /** The watermark in force: what is sent carries it, so that a later step can tell what is late. */
  now: number = Number.NEGATIVE_INFINITY;
  #rows = new Uint32Array(0);
  #rowCount = 0;
  /** By row that is sent, the watermark in force when it was. */
  #watermarks = new Float64Array(0);
  readonly #slots: number[] = [];
  readonly #slotWatermarks: number[] = [];
  #filtered = new Uint32Array(0);
  #filteredCount = 0;
  /** By row that is to be kept, the cell and the key that refer to it; null for the others. */
  readonly #keptCells: (Float64Array | null)[] = [];
  #keptKeys = new Uint32Array(0);
  #keptCount = 0;
  #keptRows = new Uint32Array(0);
  #keptSlots = new Uint32Array(0);
  readonly #left: { readonly row: number; readonly reason: Reason }[] = [];

  constructor(table: KeyedTable) {
    this.#table = table;
  }

  /** Begins a call of the engine's; `batch` is null when there are no rows. */
  open(batch: Batch | null, out: Collector): void {
    this.#batch = batch;
    this.#out = out;
    if (batch === null) return;
    if (this.#rows.length < batch.count) {
      this.#rows = new Uint32Array(batch.count);
      this.#filtered = new Uint32Array(batch.count);
      this.#keptRows = new Uint32Array(batch.count);
      this.#keptSlots = new Uint32Array(batch.count);
    }
    if (this.#watermarks.length < batch.rows) {
      this.#watermarks = new Float64Array(batch.rows);
      this.#keptKeys = new Uint32Array(batch.rows);
      while (this.#keptCells.length < batch.rows) this.#keptCells.push(null);
    }
  }

  /** Ends it: keeps, sends and counts what is still waiting to be. */
  close(): void {
    this.#keepRows();
    this.#sendRows();
    this.#sendSlots();
    if (this.#filteredCount > 0) {
      const selection = this.#filtered;
      this.#out.select({ ...this.#batch!, selection, count: this.#filteredCount }, selection, 0);
      this.#filteredCount = 0;
    }
    for (const { row, reason } of this.#left) this.#out.drop(this.#batch!, row, reason);
    this.#left.length = 0;
    this.#batch = null;
  }

  /** The record of a key that is in hand; `nothing` when there is none. */
  of(key: number): number {
    return this.#table.cells[1]![key]!;
  }

  /** Takes a row in hand in place of the key's record, which is counted as filtered. */
  put(key: number, row: number): void {
    const hand = this.#table.cells[1]!;
    const before = hand[key]!;
    if (before !== nothing) this.leave(before);
    hand[key] = reference(row);
  }

  /** Sends the key's record in hand, if there is one. */
  sendHeld(key: number): void {
    const hand = this.#table.cells[1]!;
    if (hand[key] === nothing) return;
    this.send(hand[key]!);
    hand[key] = nothing;
  }

  /** Lets go of the key's record in hand, if there is one. */
  leaveHeld(key: number): void {
    const hand = this.#table.cells[1]!;
    if (hand[key] === nothing) return;
    this.leave(hand[key]!);
    hand[key] = nothing;
  }

  sendRow(row: number): void {
    this.send(reference(row));
  }

  send(held: number): void {
    if (isRow(held)) {
      const row = -2 - held;
      if (this.#slots.length > 0) this.#sendSlots();
      // Rows of one batch go out in ascending order only.
      if (this.#rowCount > 0 && row <= this.#rows[this.#rowCount - 1]!) this.#sendRows();
      this.#rows[this.#rowCount++] = row;
      this.#watermarks[row] = this.now;
    } else {
      if (this.#rowCount > 0) this.#sendRows();
      this.#slots.push(held);
      this.#slotWatermarks.push(this.now);
    }
  }

  /** Sends a row that stays in hand as well: it stands for no record, so that none is counted twice. */
  sendCopy(row: number): void {
    this.#sendRows();
    this.#sendSlots();
    const batch = this.#batch!;
    const weight = new Float64Array(batch.rows);
    const watermark = new Float64Array(batch.rows).fill(this.now);
    this.#out.emit({ ...batch, selection: Uint32Array.of(row), count: 1, watermark, weight });
  }

  leaveRow(row: number, reason: Reason): void {
    this.#left.push({ row, reason });
  }

  filterRow(row: number): void {
    this.#filtered[this.#filteredCount++] = row;
  }

  /** Lets go of a record: counted as filtered. */
  leave(held: number): void {
    if (isRow(held)) this.filterRow(-2 - held);
    else this.#out.discard(this.#table.records, held, "filtered");
  }

  time(held: number): number {
    return isRow(held) ? this.#batch!.time[-2 - held]! : this.#table.records.time(held);
  }

  /** The value of a number column; NaN when it is null. */
  number(held: number, column: ColumnReference): number {
    if (!isRow(held)) return this.#table.records.number(held, column);
    const { values, valid } = this.#batch!.columns[column.index]!;
    const row = -2 - held;
    return valid !== null && valid[row] === 0 ? Number.NaN : Number(values[row]);
  }

  /** Takes a row into a cell of the operator's own. */
  takeInto(cell: Float64Array, key: number, row: number): void {
    cell[key] = reference(row);
  }

  /** Sees to it that what a cell refers to is kept beyond the batch; false when it is, or will be. Nothing else is done until `close`. */
  keepIn(cell: Float64Array, key: number): boolean {
    const held = cell[key]!;
    if (!isRow(held)) return false;
    cell[key] = nothing;
    const row = -2 - held;
    this.#keptCells[row] = cell;
    this.#keptKeys[row] = key;
    this.#keptCount++;
    return true;
  }

  /** Keeps them, all at once and in their order. */
  #keepRows(): void {
    if (this.#keptCount === 0) return;
    const { selection, count } = this.#batch!;
    const [rows, slots] = [this.#keptRows, this.#keptSlots];
    let kept = 0;
    for (let i = 0; i < count; i++) if (this.#keptCells[selection[i]!] !== null) rows[kept++] = selection[i]!;
    this.#table.records.keepAll(this.#batch!, rows, kept, slots);
    for (let i = 0; i < kept; i++) {
      const row = rows[i]!;
      this.#keptCells[row]![this.#keptKeys[row]!] = slots[i]!;
      this.#keptCells[row] = null;
    }
    this.#keptCount = 0;
  }

  deadline(key: number): number {
    return this.#table.cells[0]![key]!;
  }

  /**
   * Sets a key's deadline. Its timer is set only where it would come too late: one that comes too early is
   * set again then, so that a deadline which every record moves on costs next to nothing.
   */
  setDeadline(key: number, time: number): void {
    this.#table.cells[0]![key] = time;
    const { timers } = this.#table;
    if (timers.at(key) > time) timers.set(key, time);
  }

  clearDeadline(key: number): void {
    this.#table.cells[0]![key] = never;
  }

  /** True when a timer that has come is the key's deadline, which is then cleared. */
  isDue(key: number, time: number): boolean {
    const deadline = this.#table.cells[0]![key]!;
    if (deadline > time) {
      if (deadline !== never) this.#table.timers.set(key, deadline);
      return false;
    }
    this.#table.cells[0]![key] = never;
    return true;
  }

  #sendRows(): void {
    if (this.#rowCount === 0) return;
    const [selection, count, watermark] = [this.#rows, this.#rowCount, this.#watermarks];
    this.#rowCount = 0;
    this.#out.emit({ ...this.#batch!, selection, count, watermark });
  }

  #sendSlots(): void {
    if (this.#slots.length === 0) return;
    this.#out.release(this.#table.records, this.#slots, this.#slotWatermarks);
    this.#slots.length = 0;
    this.#slotWatermarks.length = 0;
  }
}
