// Brings records into the order of event time: each waits, as a part of its own, until the watermark
// reaches its time. What is done with it then, and in which window it is, is the kind's to say.

import {
  type Batch,
  type Collector,
  type KeyTable,
  noKey,
  type Operator,
  type PartTable,
  type Reason,
  type ValueTable,
} from "weir/sdk";
import { type Parts, partsOf } from "./parts.ts";
import type { Grouping } from "./kind.ts";

/** As a signed number: comparing an id with `noKey` itself would make a float64 of every id. */
const noKeySigned = noKey | 0;

/** Records that are let in in one go, and that have their turn in one go. */
const rowsAtOnce = 2_048;
const turnsAtOnce = 512;

/** The numbers of a part that waits: its key, and one that the kind gives it. */
export const keyCell = 2;
export const ownCell = 3;

/**
 * The declaration of parts that come in order, with `lists` lists a key: each is kept for at most `after` ms
 * after its turn, and of each key some others beside them. `own`: numbers behind those that every part has which waits.
 */
export function orderedParts(
  grouping: Grouping,
  lists: number,
  after: number,
  others: number,
  own: readonly number[] = [],
): ReturnType<typeof partsOf> {
  return partsOf(grouping, [0, 0, ...own], lists, {
    within: (lateness) => lateness + after,
    perKey: () => others,
  });
}

export interface OrderRules {
  /** Before the rows of a batch. */
  begin?(batch: Batch): void;
  /** Writes the kind's own number for `rows[i]` to `numbers[slots[i]]`, for i below `count`. */
  number(numbers: Float64Array, slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void;
  /**
   * The records of the first `count` slots have their turn, one after the other: later ones come after them. `passes`:
   * event time goes along with them, so that what `passed` does comes before each.
   */
  take(slots: Uint32Array, count: number, passes: boolean): void;
  /** Every record before `time` has had its turn, and none of that time. */
  passed?(time: number): void;
  /** Every record up to the watermark has had its turn; it is Infinity when the stream has ended. */
  reached?(watermark: number): void;
  /** A key is about to be forgotten, and the last of its records has had its turn: ends what is open of it. */
  forget?(key: number): void;
  /** Records that `take` has left out since the last time that it was asked. */
  leave?(): number;
}

/** What has become of the records that had their turn. */
interface Ready {
  /** Sends it. */
  send(out: Collector): void;
}

/** A row that does not enter, and why. */
type Left = readonly [row: number, reason: "late" | "overflow"];

export class EventOrder implements Operator {
  readonly #table: PartTable;
  readonly #parts: Parts;
  readonly #ready: Ready;
  readonly #rules: OrderRules;
  #ids = new Uint32Array(0);
  #rows = new Uint32Array(0);
  #slots = new Uint32Array(0);
  /** How far event time has come; the end of the stream is no time. */
  readonly #course: Float64Array;
  /** Those that have their turn. */
  readonly #turns = new Uint32Array(turnsAtOnce);

  constructor(parts: Parts, course: ValueTable, ready: Ready, rules: OrderRules) {
    this.#table = parts.table;
    this.#course = course.values;
    this.#parts = parts;
    this.#ready = ready;
    this.#rules = rules;
  }

  /**
   * Lets some rows in, and then all take their turn that have it by then: a record that is let in is no earlier than those that had
   * their turn when it came, so that their order is the same as row by row. So few at a time that what is written of them is still
   * near when they have their turn.
   */
  onBatch(batch: Batch, out: Collector): void {
    const { count } = batch;
    if (this.#ids.length < count) {
      this.#ids = new Uint32Array(count);
      this.#rows = new Uint32Array(count);
      this.#slots = new Uint32Array(count);
    }
    this.#table.keys.identify(batch, this.#ids);
    this.#rules.begin?.(batch);
    const left: Left[] = [];
    for (let from = 0; from < count; from += rowsAtOnce)
      this.#letIn(batch, from, Math.min(from + rowsAtOnce, count), left, out);
    // Behind all that is left out otherwise, which is counted as what a batch has beside its rows that are dropped.
    for (const [row, reason] of left) out.drop(batch, row, reason);
  }

  #letIn(batch: Batch, from: number, to: number, left: Left[], out: Collector): void {
    const { selection, time, watermark } = batch;
    const [ids, rows] = [this.#ids, this.#rows];
    const { room } = this.#table;
    let now = this.#course[0]!;
    let taken = 0;
    for (let i = from; i < to; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (watermark[row]! > now) now = watermark[row]!;
      if (time[row]! < now) left.push([row, "late"]);
      else if (key === noKeySigned || taken === room) left.push([row, "overflow"]);
      else {
        rows[taken] = row;
        ids[taken++] = key;
      }
    }
    this.#wait(taken, batch);
    this.#take(now, out);
  }

  onWatermark(watermark: number, out: Collector): void {
    this.#take(watermark, out);
    this.#rules.reached?.(watermark);
    this.#ready.send(out);
  }

  onForget(_keys: KeyTable, key: number, out: Collector): void {
    const isOfKey = (slot: number): boolean => this.#table.cells[keyCell]![slot] === key;
    this.#table.waiting.take(isOfKey, (slot) => this.#rules.take(Uint32Array.of(slot), 1, false));
    this.#rules.forget?.(key);
    this.#send(out);
  }

  /** The first of the rows, which have room, wait for their turn with their keys. */
  #wait(count: number, batch: Batch): void {
    const [rows, slots] = [this.#rows, this.#slots];
    this.#table.openAll(count, slots);
    this.#parts.addAll(slots, rows, count, batch);
    const { cells, waiting } = this.#table;
    const keys = cells[keyCell]!;
    for (let i = 0; i < count; i++) {
      keys[slots[i]!] = this.#ids[i]!;
      waiting.add(slots[i]!, batch.time[rows[i]!]!);
    }
    this.#rules.number(cells[ownCell]!, slots, rows, count, batch);
  }

  /** Lets those take their turn whose time has come. Their values are in the aggregates by now. */
  #take(watermark: number, out: Collector): void {
    const now = Math.max(this.#course[0]!, watermark);
    if (now < Number.POSITIVE_INFINITY) this.#course[0] = now;
    // Also where it stands still: a record of that very time may have come since.
    const turns = this.#turns;
    for (
      let count = this.#table.waiting.due(now, turns);
      count > 0;
      count = this.#table.waiting.due(now, turns)
    )
      this.#rules.take(turns, count, true);
    this.#rules.passed?.(watermark);
    this.#send(out);
  }

  #send(out: Collector): void {
    this.#ready.send(out);
    const records = this.#rules.leave?.() ?? 0;
    leaveOut(out, records, this.#course[0]!);
  }
}

/** Counts records under a reason that came in earlier batches: as one row that stands for them all, and is not selected. */
export function leaveOut(out: Collector, records: number, now: number, reason: Reason = "filtered"): void {
  if (records === 0) return;
  const rows = new Uint32Array(1);
  const batch: Batch = {
    schema: { fields: [], rest: null },
    columns: [],
    rows: 1,
    selection: rows,
    count: 1,
    time: Float64Array.of(now),
    watermark: Float64Array.of(now),
    weight: Float64Array.of(records),
    origin: null,
  };
  out.select(batch, rows, 0, reason);
}
