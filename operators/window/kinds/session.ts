// Session windows: the records of a key that follow each other within a gap. The open sessions of a key
// are a list in order of time; a timer stands where something is to be done with one of them, or earlier.

import {
  type Batch,
  type Collector,
  type KeyTable,
  noKey,
  type Operator,
  type PartTable,
  type ValueTable,
} from "weir/sdk";
import { justAfter } from "../just-after.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { firstCell, lastCell, Parts, partsOf, ReadyWindows } from "../parts.ts";
import { type Multiples, nextMultiple } from "./steps.ts";

export interface SessionSettings {
  /** Longest time between two records of a session, ms. */
  readonly gap: number;
  /** A session ends at the latest this long after its first record, ms; Infinity where it may be of any length. */
  readonly max: number;
  /** When sessions are sent before they end; null for never. */
  readonly early: Multiples | null;
  /** How long a session takes late records after its end, ms; null when it is sent once. */
  readonly updates: number | null;
}

const never = Number.POSITIVE_INFINITY;

/** The numbers of a session: the watermark in force when it last changed, Infinity once that was sent; how often it was sent; when it is due early. */
const changedCell = 2;
const sentCell = 3;
const earlyCell = 4;
const ownCells: readonly number[] = [never, 0, never];

class Sessions implements Operator {
  readonly #settings: SessionSettings;
  readonly #table: PartTable;
  readonly #course: Float64Array;
  readonly #parts: Parts;
  readonly #ready: ReadyWindows;
  #ids = new Uint32Array(0);
  /** During a call, the batch whose rows may be in no aggregate yet. */
  #batch: Batch | null = null;
  readonly #atTimer = (key: number, time: number): void => this.#visit(key, time);

  constructor(grouping: Grouping, settings: SessionSettings, table: PartTable, course: ValueTable) {
    this.#settings = settings;
    this.#table = table;
    this.#course = course.values;
    this.#parts = new Parts(table, grouping);
    this.#ready = new ReadyWindows(table, grouping);
  }

  onBatch(batch: Batch, out: Collector): void {
    const { selection, count, watermark } = batch;
    if (this.#ids.length < count) this.#ids = new Uint32Array(count);
    this.#table.keys.identify(batch, this.#ids);
    this.#batch = batch;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      this.#advance(watermark[row]!);
      const key = this.#ids[i]!;
      const reason = key === noKey ? "overflow" : this.#place(key, row, batch);
      if (reason !== null) out.drop(batch, row, reason);
    }
    this.#parts.flush(batch);
    this.#batch = null;
    this.#ready.send(out);
  }

  onWatermark(watermark: number, out: Collector): void {
    this.#advance(watermark);
    this.#ready.send(out);
  }

  onForget(_keys: KeyTable, key: number, out: Collector): void {
    // Once to send its sessions, and once more to let go of those that were kept for late records.
    this.#visit(key, never);
    this.#visit(key, never);
    this.#ready.send(out);
  }

  #advance(watermark: number): void {
    if (watermark <= this.#course[0]!) return;
    this.#course[0] = watermark;
    this.#table.timers.due(watermark, this.#atTimer);
  }

  /** Puts a row into the session that it belongs to; says why, where there is none. */
  #place(key: number, row: number, batch: Batch): "late" | "overflow" | null {
    const { gap, max, updates } = this.#settings;
    const time = batch.time[row]!;
    const list = this.#table.list(key, 0);
    let next = list.length;
    while (next > 0 && this.#first(list[next - 1]!) > time) next--;
    const before = list[next - 1];
    const after = list[next];
    const joinsBefore =
      before !== undefined && time - this.#last(before) <= gap && time - this.#first(before) < max;
    const joinsAfter =
      after !== undefined && this.#first(after) - time <= gap && this.#last(after) - time < max;
    let session: number;
    if (joinsBefore) {
      session = before;
      if (joinsAfter && this.#last(after) - this.#first(before) < max) {
        this.#bridge(before, after);
        list.splice(next, 1);
      }
    } else if (joinsAfter) session = after;
    else {
      // Its session of one would end so long after it.
      if (time + Math.min(gap, max) + (updates ?? 0) < this.#course[0]!) return "late";
      if (this.#table.room === 0) return "overflow";
      session = this.#table.open();
      list.splice(next, 0, session);
    }
    this.#parts.add(session, row, batch);
    this.#changed(key, session, time);
    return null;
  }

  /** Makes one session of two. */
  #bridge(before: number, after: number): void {
    const { cells } = this.#table;
    // What was added to either so far has come before this row.
    this.#flush();
    cells[sentCell]![before] = Math.max(cells[sentCell]![before]!, cells[sentCell]![after]!);
    cells[earlyCell]![before] = Math.min(cells[earlyCell]![before]!, cells[earlyCell]![after]!);
    this.#parts.absorb(before, after);
  }

  /** A record of that time has come into a session. */
  #changed(key: number, session: number, time: number): void {
    const { cells, timers } = this.#table;
    const { early } = this.#settings;
    const now = this.#course[0]!;
    cells[changedCell]![session] = now;
    if (early !== null) {
      const due = nextMultiple(Math.max(time, now), early);
      cells[earlyCell]![session] = Math.min(cells[earlyCell]![session]!, due);
    }
    // A timer that would come too late is set anew; one that comes too early is set again then.
    const next = this.#nextOf(session);
    if (timers.at(key) > next) timers.set(key, next);
  }

  /** When something is to be done with a session. */
  #nextOf(session: number): number {
    return Math.min(this.#table.cells[earlyCell]![session]!, justAfter(this.#closing(session)));
  }

  /** After that time, what a session holds is sent; or, where that was done, it is let go of. */
  #closing(session: number): number {
    const changed = this.#table.cells[changedCell]![session]!;
    const end = this.#endOf(session);
    return changed === never ? end + (this.#settings.updates ?? 0) : Math.max(end, changed);
  }

  /** Does what is due at `time` with the sessions of a key. */
  #visit(key: number, time: number): void {
    const list = this.#table.list(key, 0);
    let kept = 0;
    let next = never;
    for (const session of list) {
      if (!this.#isDone(key, session, time)) {
        list[kept++] = session;
        next = Math.min(next, this.#nextOf(session));
      }
    }
    list.length = kept;
    this.#table.timers.set(key, next);
  }

  /** Does what is due at `time` with a session; true when that was the last. */
  #isDone(key: number, session: number, time: number): boolean {
    const { cells } = this.#table;
    if (justAfter(this.#closing(session)) <= time) {
      if (cells[changedCell]![session] !== never) return this.#sendFinal(key, session);
      this.#table.free(session);
      return true;
    }
    if (cells[earlyCell]![session]! <= time) {
      // Before the copy, which may move the table's numbers.
      cells[earlyCell]![session] = never;
      this.#send(key, this.#copy(session), time, 0, 0);
    }
    return false;
  }

  /** Sends a session; true when it takes no more records. */
  #sendFinal(key: number, session: number): boolean {
    const { early, updates } = this.#settings;
    const time = this.#closing(session);
    const weight = this.#table.release(session);
    if (updates === null) {
      this.#send(key, session, time, weight, early === null ? null : 1);
      return true;
    }
    const slot = this.#copy(session);
    const { cells } = this.#table;
    this.#send(key, slot, time, weight, cells[sentCell]![session]!++);
    cells[changedCell]![session] = never;
    return false;
  }

  #send(key: number, slot: number, time: number, weight: number, label: number | null): void {
    this.#ready.add({ key, slot, start: this.#first(slot), end: this.#endOf(slot), time, weight }, label);
  }

  #copy(session: number): number {
    this.#flush();
    return this.#parts.copy(session);
  }

  #flush(): void {
    if (this.#batch !== null) this.#parts.flush(this.#batch);
  }

  #endOf(slot: number): number {
    const { gap, max } = this.#settings;
    return Math.min(this.#last(slot) + gap, this.#first(slot) + max);
  }

  #first(slot: number): number {
    return this.#table.cells[firstCell]![slot]!;
  }

  #last(slot: number): number {
    return this.#table.cells[lastCell]![slot]!;
  }
}

export function sessionWindows(grouping: Grouping, settings: SessionSettings): WindowKind {
  const apart = Math.min(settings.gap, settings.max);
  const kept = settings.gap + (settings.updates ?? 0);
  const extent = { perKey: (lateness: number) => Math.floor((lateness + kept) / apart) + 1 };
  return kindOn(
    { sessions: partsOf(grouping, ownCells, 1, extent), course },
    (tables) => new Sessions(grouping, settings, tables.sessions, tables.course),
  );
}
