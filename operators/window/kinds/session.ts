// Session windows: the records of a key that follow each other within a gap. The open sessions of a key
// are a list in order of time; a timer stands at the end of the first, or earlier.

import { type Batch, type Collector, noKey, type Operator, type PartTable } from "weir/sdk";
import { justAfter } from "../just-after.ts";
import { type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { firstCell, lastCell, Parts, partsOf, ReadyWindows } from "../parts.ts";

export interface SessionSettings {
  /** Longest time between two records of a session, ms. */
  readonly gap: number;
  /** A session ends at the latest this long after its first record, ms; Infinity where it may be of any length. */
  readonly max: number;
}

class Sessions implements Operator {
  readonly #settings: SessionSettings;
  readonly #table: PartTable;
  readonly #parts: Parts;
  readonly #ready: ReadyWindows;
  #ids = new Uint32Array(0);
  #now = Number.NEGATIVE_INFINITY;
  readonly #atTimer = (key: number, time: number): void => this.#end(key, time);

  constructor(grouping: Grouping, settings: SessionSettings, table: PartTable) {
    this.#settings = settings;
    this.#table = table;
    this.#parts = new Parts(table, grouping);
    this.#ready = new ReadyWindows(table, grouping);
  }

  onBatch(batch: Batch, out: Collector): void {
    const { selection, count, watermark } = batch;
    if (this.#ids.length < count) this.#ids = new Uint32Array(count);
    this.#table.keys.identify(batch, this.#ids);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      this.#advance(watermark[row]!);
      const key = this.#ids[i]!;
      const reason = key === noKey ? "overflow" : this.#place(key, row, batch);
      if (reason !== null) out.drop(batch, row, reason);
    }
    this.#parts.flush(batch);
    this.#ready.send(out);
  }

  onWatermark(watermark: number, out: Collector): void {
    this.#advance(watermark);
    this.#ready.send(out);
  }

  #advance(watermark: number): void {
    if (watermark > this.#now) this.#now = watermark;
    // Also where it stands still: a record that came late may have moved an end to before it.
    this.#table.timers.due(this.#now, this.#atTimer);
  }

  /** Puts a row into the session that it belongs to; says why, where there is none. */
  #place(key: number, row: number, batch: Batch): "late" | "overflow" | null {
    const { gap, max } = this.#settings;
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
        // What was added to either so far has come before this row.
        this.#parts.flush(batch);
        this.#parts.absorb(before, after);
        list.splice(next, 1);
      }
    } else if (joinsAfter) session = after;
    else {
      if (justAfter(time + gap) <= this.#now) return "late";
      if (this.#table.full) return "overflow";
      session = this.#table.open();
      list.splice(next, 0, session);
    }
    this.#parts.add(session, row, batch);
    this.#setTimer(key, list);
    return null;
  }

  /** Sends the sessions of a key that had ended before `time`. */
  #end(key: number, time: number): void {
    const list = this.#table.list(key, 0);
    while (list.length > 0 && justAfter(this.#endOf(list[0]!)) <= time) {
      const slot = list.shift()!;
      const end = this.#endOf(slot);
      const weight = this.#table.weight(slot);
      this.#ready.add({ key, slot, start: this.#first(slot), end, time: end, weight });
    }
    this.#setTimer(key, list);
  }

  /** A timer that would come too late is set anew; one that comes too early is set again then. */
  #setTimer(key: number, list: readonly number[]): void {
    if (list.length === 0) return;
    const end = this.#endOf(list[0]!);
    // A session is open while the watermark is at its end, because a record of that very time, which is
    // not late, would still join it.
    if (this.#table.timers.at(key) > end) this.#table.timers.set(key, justAfter(end));
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
  return kindOn(
    { sessions: partsOf(grouping, [], 1) },
    ({ sessions }) => new Sessions(grouping, settings, sessions),
  );
}
