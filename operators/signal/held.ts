// What an operator holds back, as cheaply as can be: a row of the present batch for as long as the batch
// lasts, a kept record only beyond it. Also the way out for both in the order of the calls, a deadline
// for each key, and the count of what is left out. Decides nothing, and allocates nothing for a row.

import {
  type Batch,
  type Collector,
  type ColumnReference,
  type Extent,
  type KeyedTable,
  type Reason,
  table,
  type ValueDeclaration,
  type ValueTable,
} from "weir/sdk";
import { Deadlines } from "./deadlines.ts";
import { noKeySigned } from "./key-ids.ts";

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

/** What such a table keeps: the record in hand. */
export const heldExtent: Extent = { perKey: () => 1 };

/** The table beside it, of the step as a whole: the watermark in force, and the last that came by itself. */
export const heldProgress: ValueDeclaration = table.values([
  Number.NEGATIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]);

export class Held {
  readonly #table: KeyedTable;
  readonly #progress: ValueTable;
  readonly #deadlines: Deadlines;
  #due: (key: number, moment: number) => void = () => undefined;
  #batch: Batch | null = null;
  #out!: Collector;
  /** The table's second cell, as it is in this call. */
  #hands!: Float64Array;
  /** The watermark in force: what is sent carries it, so that a later step can tell what is late. */
  now: number = Number.NEGATIVE_INFINITY;
  /** Whether a row of the batch was taken in hand. */
  #hasTaken = false;
  /** What is sent, in order, and the watermark in force when it was. */
  #sent = new Int32Array(64);
  #sentWatermarks = new Float64Array(64);
  #sentCount = 0;
  /** Whether it is rows of the batch alone, in their order. */
  #inOrder = true;
  #rows = new Uint32Array(0);
  #slots = new Uint32Array(0);
  #filtered = new Uint32Array(0);
  #filteredCount = 0;
  /** Rows that are to be kept, with the cell and the key that refer to each. */
  readonly #keptCells: Float64Array[] = [];
  #keptKeys = new Uint32Array(0);
  #keptRows = new Uint32Array(0);
  #kept = 0;
  /** Whether those rows are in the order of the batch. */
  #keptInOrder = true;
  /** By row, its place among those + 1. */
  #places = new Uint32Array(0);
  readonly #left: { readonly row: number; readonly reason: Reason }[] = [];

  /** `period`: how far ahead deadlines are, for the most part. */
  constructor(table: KeyedTable, progress: ValueTable, period: number) {
    this.#table = table;
    this.#progress = progress;
    this.#deadlines = new Deadlines(table, period, (key, time) => {
      // A deadline may be set that has already passed.
      this.now = Math.max(this.now, time);
      this.#due(key, time);
    });
  }

  /** What is to be done for a key whose deadline has come, `moment`. */
  onDue(due: (key: number, moment: number) => void): void {
    this.#due = due;
  }

  /** The earliest deadline. */
  get due(): number {
    return this.#deadlines.earliest;
  }

  /** The last watermark that came by itself, not with a row; the end of the stream is none. */
  get reached(): number {
    return this.#progress.values[1]!;
  }

  set reached(watermark: number) {
    this.#progress.values[1] = watermark;
  }

  /** Begins a call of the engine's; `batch` is null when there are no rows. */
  open(batch: Batch | null, out: Collector): void {
    this.#batch = batch;
    this.#out = out;
    this.now = this.#progress.values[0]!;
    this.#deadlines.open(this.now);
    this.#hands = this.#table.cells[1] as Float64Array<ArrayBuffer>;
    if (batch === null) return;
    if (this.#filtered.length < batch.count) {
      this.#filtered = new Uint32Array(batch.count);
      this.#rows = new Uint32Array(batch.count);
      this.#slots = new Uint32Array(batch.count);
      this.#keptKeys = new Uint32Array(batch.count);
      this.#keptRows = new Uint32Array(batch.count);
    }
    if (this.#places.length < batch.rows) this.#places = new Uint32Array(batch.rows);
  }

  /** Ends it: keeps, sends and counts what is still waiting to be. */
  close(): void {
    this.#sendAll();
    this.#keepRows();
    if (this.#filteredCount > 0) {
      const selection = this.#filtered;
      this.#out.select({ ...this.#batch!, selection, count: this.#filteredCount }, selection, 0);
      this.#filteredCount = 0;
    }
    for (const { row, reason } of this.#left) this.#out.drop(this.#batch!, row, reason);
    this.#left.length = 0;
    this.#batch = null;
    this.#progress.values[0] = this.now;
  }

  /** Before each row: what is due by then comes first. False, and the row is counted, when it has no key. */
  meet(key: number, row: number, now: number): boolean {
    if (this.#deadlines.next <= now) this.reach(now);
    this.now = now;
    if (key !== noKeySigned) return true;
    this.leaveRow(row, "overflow");
    return false;
  }

  /** Visits the deadlines that event time has reached. */
  reach(now: number): void {
    this.#deadlines.reach(now);
  }

  /** The record of a key that is in hand; `nothing` when there is none. */
  of(key: number): number {
    return this.#hands[key]!;
  }

  /** Takes a row in hand in place of the key's record, which is counted as filtered. */
  put(key: number, row: number): void {
    const before = this.#hands[key]!;
    if (before !== nothing) this.leave(before);
    this.#hands[key] = reference(row);
    this.#hasTaken = true;
  }

  /** Sends the key's record in hand, if there is one. */
  sendHeld(key: number): void {
    const held = this.#hands[key]!;
    if (held === nothing) return;
    this.send(held);
    this.#hands[key] = nothing;
  }

  /** Lets go of the key's record in hand, if there is one. */
  leaveHeld(key: number): void {
    const held = this.#hands[key]!;
    if (held === nothing) return;
    this.leave(held);
    this.#hands[key] = nothing;
  }

  sendRow(row: number): void {
    this.send(reference(row));
  }

  send(held: number): void {
    const place = this.#sentCount++;
    if (place === this.#sent.length) this.#growSent();
    if (!isRow(held) || (place > 0 && held >= this.#sent[place - 1]!)) this.#inOrder = false;
    this.#sent[place] = held;
    this.#sentWatermarks[place] = this.now;
  }

  #growSent(): void {
    const [sent, watermarks] = [new Int32Array(this.#sentCount * 2), new Float64Array(this.#sentCount * 2)];
    sent.set(this.#sent);
    watermarks.set(this.#sentWatermarks);
    [this.#sent, this.#sentWatermarks] = [sent, watermarks];
  }

  /** Sends a row that stays in hand as well: it stands for no record, so that none is counted twice. */
  sendCopy(row: number): void {
    this.#sendAll();
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

  /** Takes a row into a place of the operator's own. */
  takeInto(cell: Float64Array, place: number, row: number): void {
    cell[place] = reference(row);
  }

  /** Sees to it that every row in hand is kept beyond the batch, where no key has another. Nothing else is done until `close`. */
  keepHands(ids: Uint32Array): void {
    if (!this.#hasTaken) return;
    this.#hasTaken = false;
    const hands = this.#hands;
    const { selection, count } = this.#batch!;
    for (let i = 0; i < count; i++) {
      const key = ids[i]! | 0;
      if (key !== noKeySigned && hands[key] === reference(selection[i]!)) this.keepIn(hands, key);
    }
  }

  /** The same for what a place refers to; false when that is kept already. */
  keepIn(cell: Float64Array, place: number): boolean {
    const held = cell[place]!;
    if (!isRow(held)) return false;
    cell[place] = nothing;
    const row = -2 - held;
    if (this.#kept > 0 && row < this.#keptRows[this.#kept - 1]!) this.#keptInOrder = false;
    this.#keptCells[this.#kept] = cell;
    this.#keptKeys[this.#kept] = place;
    this.#keptRows[this.#kept++] = row;
    return true;
  }

  deadline(key: number): number {
    return this.#deadlines.of(key);
  }

  setDeadline(key: number, time: number): void {
    this.#deadlines.set(key, time);
  }

  clearDeadline(key: number): void {
    this.#deadlines.clear(key);
  }

  /** Keeps all rows at once, in the order of the batch: neighbours are copied in one piece. */
  #keepRows(): void {
    if (this.#kept === 0) return;
    if (this.#keptInOrder) {
      const slots = this.#slots;
      this.#table.records.keepAll(this.#batch!, this.#keptRows, this.#kept, slots);
      for (let i = 0; i < this.#kept; i++) this.#keptCells[i]![this.#keptKeys[i]!] = slots[i]!;
    } else this.#keepSorted();
    this.#kept = 0;
    this.#keptInOrder = true;
  }

  #keepSorted(): void {
    const { selection, count } = this.#batch!;
    const [rows, slots, places] = [this.#rows, this.#slots, this.#places];
    for (let place = 0; place < this.#kept; place++) places[this.#keptRows[place]!] = place + 1;
    let kept = 0;
    for (let i = 0; i < count; i++) if (places[selection[i]!] !== 0) rows[kept++] = selection[i]!;
    this.#table.records.keepAll(this.#batch!, rows, kept, slots);
    for (let i = 0; i < kept; i++) {
      const place = places[rows[i]!]! - 1;
      this.#keptCells[place]![this.#keptKeys[place]!] = slots[i]!;
      places[rows[i]!] = 0;
    }
  }

  /** Sends rows of the batch as they are where they are alone and in order; else all goes out as a batch of its own. */
  #sendAll(): void {
    const count = this.#sentCount;
    if (count === 0) return;
    const [sent, watermarks] = [this.#sent.subarray(0, count), this.#sentWatermarks.subarray(0, count)];
    if (this.#inOrder) this.#sendRows(sent, watermarks);
    else this.#out.release(this.#table.records, sent, watermarks, this.#batch);
    this.#sentCount = 0;
    this.#inOrder = true;
  }

  #sendRows(sent: Int32Array, watermarks: Float64Array): void {
    const watermark = new Float64Array(this.#batch!.rows);
    const selection = this.#rows;
    for (let i = 0; i < sent.length; i++) {
      const row = -2 - sent[i]!;
      selection[i] = row;
      watermark[row] = watermarks[i]!;
    }
    this.#out.emit({ ...this.#batch!, selection, count: sent.length, watermark });
  }
}
