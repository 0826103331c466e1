// State windows: from a record for which one condition is true up to that for which another is. Records
// are taken in event time, so that what is open and what is not does not depend on how they came.

import type { Batch, Expression, PartTable, ValueTable } from "weir/sdk";
import { EventOrder, keyCell, orderedParts, type OrderRules, ownCell } from "../event-order.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { firstCell, lastCell, Parts, ReadyWindows } from "../parts.ts";
import { type Multiples, nextMultiple } from "./steps.ts";

export interface StateSettings {
  readonly open: Expression;
  readonly close: Expression;
  /** When windows are sent before they end; null for never. */
  readonly early: Multiples | null;
}

/** What is true of a record, as a part's own number. */
const opens = 1;
const closes = 2;

class States implements OrderRules {
  readonly #settings: StateSettings;
  readonly #table: PartTable;
  readonly #parts: Parts;
  readonly #ready: ReadyWindows;
  #flags = new Uint8Array(0);
  #rows = new Uint32Array(0);
  #left = 0;
  readonly #early: Multiples | null;
  readonly #course: Float64Array;
  readonly #atTimer = (key: number, time: number): void => this.#sendEarly(key, time);

  constructor(settings: StateSettings, parts: Parts, course: ValueTable, ready: ReadyWindows) {
    this.#settings = settings;
    this.#early = settings.early;
    this.#course = course.values;
    this.#table = parts.table;
    this.#parts = parts;
    this.#ready = ready;
  }

  begin(batch: Batch): void {
    if (this.#flags.length < batch.rows) this.#flags = new Uint8Array(batch.rows);
    if (this.#rows.length < batch.count) this.#rows = new Uint32Array(batch.count);
    this.#flags.fill(0, 0, batch.rows);
    this.#mark(this.#settings.open, opens, batch);
    this.#mark(this.#settings.close, closes, batch);
  }

  number(numbers: Float64Array, slots: Uint32Array, rows: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) numbers[slots[i]!] = this.#flags[rows[i]!]!;
  }

  take(slots: Uint32Array, count: number, passes: boolean): void {
    for (let i = 0; i < count; i++) {
      const { cells } = this.#table;
      if (passes) this.passed(cells[firstCell]![slots[i]!]!);
      this.#take(slots[i]!, cells[keyCell]![slots[i]!]!);
    }
  }

  #take(slot: number, key: number): void {
    const flags = this.#table.cells[ownCell]![slot]!;
    const list = this.#table.list(key, 0);
    if (list.length > 0) this.#parts.absorb(list[0]!, slot);
    else if ((flags & opens) !== 0) list.push(slot);
    else {
      this.#left += this.#table.release(slot);
      this.#table.free(slot);
      return;
    }
    if ((flags & closes) !== 0) this.#send(key, Number.NEGATIVE_INFINITY);
    else if (this.#early !== null) {
      const due = nextMultiple(this.#table.cells[lastCell]![list[0]!]!, this.#early);
      if (this.#table.timers.at(key) > due) this.#table.timers.set(key, due);
    }
  }

  passed(time: number): void {
    if (this.#early !== null) this.#table.timers.due(time, this.#atTimer);
  }

  reached(watermark: number): void {
    if (watermark < Number.POSITIVE_INFINITY) return;
    for (let key = 0; key < this.#table.keys.size; key++) this.forget(key);
  }

  /** What is still open is sent with what it holds. */
  forget(key: number): void {
    // A row has the time at which it was known, which is later than its last record.
    this.#send(key, this.#course[0]!);
  }

  leave(): number {
    const left = this.#left;
    this.#left = 0;
    return left;
  }

  #mark(condition: Expression, flag: number, batch: Batch): void {
    const count = condition.select(batch, this.#rows);
    for (let i = 0; i < count; i++) this.#flags[this.#rows[i]!]! |= flag;
  }

  #send(key: number, now: number): void {
    const slot = this.#table.list(key, 0).pop();
    if (slot === undefined) return;
    const [start, end] = [this.#table.cells[firstCell]![slot]!, this.#table.cells[lastCell]![slot]!];
    const time = Math.max(end, now);
    const label = this.#early === null ? null : 1;
    this.#ready.add({ key, slot, start, end, time, weight: this.#table.weight(slot) }, label);
    this.#table.timers.clear(key);
  }

  /** Sends the open window of a key, which has grown since it was last sent. */
  #sendEarly(key: number, time: number): void {
    const slot = this.#parts.copy(this.#table.list(key, 0)[0]!);
    const [start, end] = [this.#table.cells[firstCell]![slot]!, this.#table.cells[lastCell]![slot]!];
    this.#ready.add({ key, slot, start, end, time, weight: 0 }, 0);
  }
}

export function stateWindows(grouping: Grouping, settings: StateSettings): WindowKind {
  return kindOn({ parts: orderedParts(grouping, 1, 0, 1), course }, (tables) => {
    const parts = new Parts(tables.parts, grouping);
    const ready = new ReadyWindows(tables.parts, grouping);
    return new EventOrder(parts, tables.course, ready, new States(settings, parts, tables.course, ready));
  });
}
