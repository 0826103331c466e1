// What an operator holds back, as cheaply as can be: a row of the present batch for as long as the batch
// lasts, a kept record only beyond it. Also a deadline for each key, and the way out. Decides nothing, and allocates nothing for a row.

import {
  type Batch,
  type Collector,
  type Extent,
  type KeyedTable,
  type Reason,
  table,
  type ValueDeclaration,
  type ValueTable,
} from "weir/sdk";
import { longer } from "../longer.ts";
import { Deadlines } from "./deadlines.ts";
import { noKeySigned } from "./key-ids.ts";
import { isRow, nothing, rowOf, rowReference } from "./record-reference.ts";
import { SentRecords } from "./sent-records.ts";
import { SettledRows } from "./settled-rows.ts";

const never = Number.POSITIVE_INFINITY;

/** Keys are few where a batch has at least so many rows for each. */
const rowsPerKeyMin = 4;

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
  readonly #settled = new SettledRows();
  readonly #sent: SentRecords;
  #due: (key: number, moment: number) => void = () => undefined;
  #batch: Batch | null = null;
  #out!: Collector;
  /** The table's second cell, as it is in this call: the record that was in hand before it. */
  #hands!: Float64Array;
  /** By key, one more than the row of the batch that took its place; 0 for none, as between two calls. */
  #rowInHand = new Int32Array(0);
  /** The keys that a row was taken in hand of, some more than once; where keys are few, all of them are looked at instead. */
  #isListed = false;
  #taken = new Uint32Array(0);
  #takenCount = 0;
  /** The watermark in force: what is sent carries it, so that a later step can tell what is late. */
  now: number = Number.NEGATIVE_INFINITY;
  /** By row of the batch, the weight and the watermark of a copy: of all but the row that is sent they say nothing. */
  #copyWeights = new Float64Array(0);
  #copyWatermarks = new Float64Array(0);
  #slots = new Uint32Array(0);
  /** Rows that are to be kept, with the places of an array that refer to them. */
  #keptCell = new Float64Array(0);
  #keptPlaces = new Uint32Array(0);
  #keptRows = new Uint32Array(0);
  #kept = 0;
  /** Kept records that are let go of. */
  #discarded = new Int32Array(64);
  #discardedCount = 0;

  /** `period`: how far ahead deadlines are, for the most part. */
  constructor(table: KeyedTable, progress: ValueTable, period: number) {
    this.#table = table;
    this.#progress = progress;
    this.#sent = new SentRecords(table.records, this.#settled);
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
    if (this.#rowInHand.length < this.#hands.length) this.#rowInHand = new Int32Array(this.#hands.length);
    this.#settled.begin(batch);
    if (batch === null) return;
    this.#isListed = this.#table.keys.size > batch.count / rowsPerKeyMin;
    if (this.#slots.length < batch.count) {
      this.#slots = new Uint32Array(batch.count);
      this.#taken = new Uint32Array(batch.count);
      this.#keptPlaces = new Uint32Array(batch.count);
      this.#keptRows = new Uint32Array(batch.count);
    }
  }

  /** Ends it: keeps, sends and counts what is still waiting to be. */
  close(): void {
    this.#sent.flush(this.#batch, this.#out);
    this.#out.discard(this.#table.records, this.#discarded, this.#discardedCount, "filtered");
    this.#discardedCount = 0;
    this.#keepInHand();
    this.#settled.book(this.#out);
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
    const row = this.#rowInHand[key]!;
    return row === 0 ? this.#hands[key]! : rowReference(row - 1);
  }

  /** Takes a row in hand in place of the key's record, which is counted as filtered. */
  put(key: number, row: number): void {
    this.#rowInHand[key] = row + 1;
    if (this.#isListed) this.#taken[this.#takenCount++] = key;
  }

  /** Sends the key's record in hand, if there is one. */
  sendHeld(key: number): void {
    const held = this.of(key);
    if (held === nothing) return;
    this.#rowInHand[key] = 0;
    if (isRow(held)) this.#leaveKept(key);
    this.send(held);
    this.#hands[key] = nothing;
  }

  /** The same, and it stays in hand: what it stands for goes with the first row of it. */
  sendAndKeep(key: number): void {
    const held = this.of(key);
    if (held === nothing) return;
    this.#sent.flush(this.#batch, this.#out);
    if (isRow(held)) this.#keepAtOnce(key, rowOf(held));
    const slots = Int32Array.of(this.#hands[key]!);
    this.#out.copy(this.#table.records, slots, Float64Array.of(this.now));
  }

  #keepAtOnce(key: number, row: number): void {
    this.leaveHeld(key);
    const slots = new Uint32Array(1);
    this.keepRows(Uint32Array.of(row), 1, slots);
    this.#hands[key] = slots[0]!;
  }

  /** Lets go of the key's record in hand, if there is one. */
  leaveHeld(key: number): void {
    this.#rowInHand[key] = 0;
    this.#leaveKept(key);
  }

  /** Lets go of the record that was in hand before this call. */
  #leaveKept(key: number): void {
    const kept = this.#hands[key]!;
    if (kept === nothing) return;
    this.leave(kept);
    this.#hands[key] = nothing;
  }

  sendRow(row: number): void {
    this.send(rowReference(row));
  }

  send(held: number): void {
    this.#sent.add(held, this.now);
  }

  /** Sends a row that stays in hand as well: it stands for no record, so that none is counted twice. */
  sendCopy(row: number): void {
    this.#sent.flush(this.#batch, this.#out);
    const batch = this.#batch!;
    if (this.#copyWeights.length < batch.rows) {
      this.#copyWeights = new Float64Array(batch.rows);
      this.#copyWatermarks = new Float64Array(batch.rows);
    }
    const [watermark, weight] = [this.#copyWatermarks, this.#copyWeights];
    watermark[row] = this.now;
    this.#out.emit({ ...batch, selection: Uint32Array.of(row), count: 1, watermark, weight });
  }

  leaveRow(row: number, reason: Reason): void {
    this.#settled.leave(row, reason);
  }

  /** Lets go of a record: counted as filtered, as every row is with which nothing else is done. */
  leave(held: number): void {
    if (isRow(held)) return;
    if (this.#discardedCount === this.#discarded.length) this.#discarded = longer(this.#discarded);
    this.#discarded[this.#discardedCount++] = held;
  }

  time(held: number): number {
    return isRow(held) ? this.#batch!.time[rowOf(held)]! : this.#table.records.time(held);
  }

  /** Takes a row into a place of the operator's own. */
  takeInto(cell: Float64Array, place: number, row: number): void {
    cell[place] = rowReference(row);
  }

  /** Sees to it that every row in hand is kept beyond the batch. Nothing else is done until `close`. */
  keepHands(): void {
    const { size } = this.#table.keys;
    const count = this.#takenCount;
    this.#takenCount = 0;
    this.#keptCell = this.#hands as Float64Array<ArrayBuffer>;
    if (this.#isListed) for (let i = 0; i < count; i++) this.#keepHand(this.#taken[i]!);
    else for (let key = 0; key < size; key++) this.#keepHand(key);
  }

  #keepHand(key: number): void {
    const row = this.#rowInHand[key]!;
    if (row === 0) return;
    this.#rowInHand[key] = 0;
    this.#leaveKept(key);
    this.#keptPlaces[this.#kept] = key;
    this.#keptRows[this.#kept++] = row - 1;
  }

  /** The same for the row that a place of an array refers to; the same array in all of a call. */
  keepIn(cell: Float64Array, place: number): void {
    const held = cell[place]!;
    if (!isRow(held)) return;
    cell[place] = nothing;
    this.#keptCell = cell as Float64Array<ArrayBuffer>;
    this.#keptPlaces[this.#kept] = place;
    this.#keptRows[this.#kept++] = rowOf(held);
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
    if (count === 0) return;
    this.#table.records.keepAll(this.#batch!, rows, count, records);
    this.#settled.kept(rows, count);
  }

  #keepInHand(): void {
    const [count, cell, places, slots] = [this.#kept, this.#keptCell, this.#keptPlaces, this.#slots];
    this.keepRows(this.#keptRows, count, slots);
    for (let i = 0; i < count; i++) cell[places[i]!] = slots[i]!;
    this.#kept = 0;
  }
}
