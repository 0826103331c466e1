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
  /** By row of the batch. */
  #rowWatermarks = new Float64Array(0);
  /** Whether it is rows of the batch alone, in their order. */
  #inOrder = true;
  #rows = new Uint32Array(0);
  #slots = new Uint32Array(0);
  #filtered = new Uint32Array(0);
  #filteredCount = 0;
  /** Rows that are to be kept, with the places of an array that refer to them. */
  #keptCell = new Float64Array(0);
  #keptPlaces = new Uint32Array(0);
  #keptRows = new Uint32Array(0);
  #kept = 0;
  /** Kept records that are let go of. */
  #discarded = new Int32Array(64);
  #discardedCount = 0;
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
      this.#keptPlaces = new Uint32Array(batch.count);
      this.#keptRows = new Uint32Array(batch.count);
    }
  }

  /** Ends it: keeps, sends and counts what is still waiting to be. */
  close(): void {
    this.#sendAll();
    this.#out.discard(this.#table.records, this.#discarded, this.#discardedCount, "filtered");
    this.#discardedCount = 0;
    this.#keepInHand();
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
    if (place === this.#sent.length) {
      this.#sent = longer(this.#sent);
      this.#sentWatermarks = longer(this.#sentWatermarks);
    }
    if (!isRow(held) || (place > 0 && held >= this.#sent[place - 1]!)) this.#inOrder = false;
    this.#sent[place] = held;
    this.#sentWatermarks[place] = this.now;
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
    else {
      if (this.#discardedCount === this.#discarded.length) this.#discarded = longer(this.#discarded);
      this.#discarded[this.#discardedCount++] = held;
    }
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
    const { size } = this.#table.keys;
    // Where keys are fewer than rows, all of them are looked at: that is as good, and sooner done.
    if (size < count) for (let key = 0; key < size; key++) this.keepIn(hands, key);
    else
      for (let i = 0; i < count; i++) {
        const key = ids[i]! | 0;
        if (key !== noKeySigned && hands[key] === reference(selection[i]!)) this.keepIn(hands, key);
      }
  }

  /** The same for what a place of an array refers to; the same array in all of a call. */
  keepIn(cell: Float64Array, place: number): void {
    const held = cell[place]!;
    if (!isRow(held)) return;
    cell[place] = nothing;
    this.#keptCell = cell as Float64Array<ArrayBuffer>;
    this.#keptPlaces[this.#kept] = place;
    this.#keptRows[this.#kept++] = -2 - held;
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

  /** Keeps the first `count` of `rows` at once, and writes what refers to them to `records`. */
  keepRows(rows: Uint32Array, count: number, records: Uint32Array): void {
    if (count > 0) this.#table.records.keepAll(this.#batch!, rows, count, records);
  }

  #keepInHand(): void {
    const [count, cell, places, slots] = [this.#kept, this.#keptCell, this.#keptPlaces, this.#slots];
    this.keepRows(this.#keptRows, count, slots);
    for (let i = 0; i < count; i++) cell[places[i]!] = slots[i]!;
    this.#kept = 0;
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
    if (this.#rowWatermarks.length < this.#batch!.rows)
      this.#rowWatermarks = new Float64Array(this.#batch!.rows);
    const watermark = this.#rowWatermarks;
    const selection = this.#rows;
    for (let i = 0; i < sent.length; i++) {
      const row = -2 - sent[i]!;
      selection[i] = row;
      watermark[row] = watermarks[i]!;
    }
    this.#out.emit({ ...this.#batch!, selection, count: sent.length, watermark });
  }
}

function longer<T extends Int32Array | Float64Array>(array: T): T {
  const copy = new (array.constructor as new (length: number) => T)(array.length * 2);
  copy.set(array);
  return copy;
}
