// Keeps the keys of a step within their bounds: forgets those that were silent for their time to live, and
// makes room for new ones. Cuts a batch where that happens between two rows, so that it does not matter how
// records were cut before. Knows nothing of what is kept of a key.

import { type Batch, type KeyTable, noKey, table } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { KeyBounds } from "../pipeline/pipeline.ts";
import { makeKeyedTable } from "../state/keyed.ts";
import { listOf, member, numberOf, type Plain } from "../state/plain.ts";
import type { SharedKeys } from "../state/tables.ts";
import type { TimerHeap } from "../state/timers.ts";

const never = Number.POSITIVE_INFINITY;
/** Rows whose keys are looked up ahead: a cut loses what was looked up behind it. */
const rowsAhead = 256;

/** The step whose keys these are. */
export interface Bounded {
  /** Some rows of a batch, in order. */
  give(batch: Batch): void;
  /** Event time has come so far between two rows. */
  onWatermark(watermark: number): void;
  /** The same for the operator alone, on the way to a later watermark. */
  pass(time: number): void;
  /** The key is about to be forgotten. */
  forget(keys: KeyTable, key: number): void;
}

/** How many keys make room at once, so that not every new key cuts a batch. */
export function forgottenAtOnce(max: number): number {
  return Math.min(limits.keys_forgotten_at_once, Math.ceil(max / 16));
}

/** The keys that some tables share, with when each of them was last heard of. */
class WatchedKeys {
  readonly shared: SharedKeys;
  readonly ids: Uint32Array = new Uint32Array(rowsAhead);
  readonly #bounds: KeyBounds;
  readonly #step: Bounded;
  readonly #seen;
  readonly #order;
  readonly #one = new Uint32Array(1);
  /** When the key was due that was taken last. */
  #dueAt = Number.NaN;
  /** How many keys were forgotten so far. */
  forgotten = 0;
  /** No room can be made until a window has closed, or event time is here. */
  #stuckSince = Number.NaN;
  #stuckUntil = never;

  constructor(shared: SharedKeys, bounds: KeyBounds, step: Bounded) {
    this.shared = shared;
    this.#bounds = bounds;
    this.#step = step;
    // Event time of the key's latest record; the timer says when to see whether it has expired.
    this.#seen = makeKeyedTable(table.keyed([], [Number.NEGATIVE_INFINITY]), bounds.max, shared.keys);
    // The timer says since when it may have been silent.
    this.#order = makeKeyedTable(table.keyed([], []), bounds.max, shared.keys);
  }

  get #last(): Float64Array {
    return this.#seen.cells[0]!;
  }

  snapshot(): Plain {
    return { seen: this.#seen.snapshot(), order: this.#order.snapshot() };
  }

  restore(data: Plain): void {
    this.#seen.restore(member(data, "seen"));
    this.#order.restore(member(data, "order"));
  }

  /** True when the i-th selected row has a new key and there is no room for it; `from` is the place of the first row looked up. */
  lacksRoom(batch: Batch, i: number, from: number): boolean {
    const { keys } = this.shared;
    if (this.ids[i - from] !== noKey || !keys.full) return false;
    // A row before it may have brought the key since.
    keys.find(rowOf(batch, i), this.#one);
    return this.#one[0] === noKey && keys.accepts(batch, batch.selection[i]!);
  }

  /** Lets the i-th selected row in, if there is room for its key. */
  admit(batch: Batch, i: number, from: number, time: number): void {
    let key = this.ids[i - from]!;
    if (key === noKey) {
      this.shared.keys.identify(rowOf(batch, i), this.#one);
      key = this.#one[0]!;
    }
    if (key !== noKey) this.#touch(key, time);
  }

  #touch(key: number, time: number): void {
    this.#seen.reserve();
    const last = this.#last;
    if (time <= last[key]!) return;
    last[key] = time;
    const { ttl, when_full } = this.#bounds;
    const { timers } = this.#seen;
    if (ttl !== null && timers.at(key) > time + ttl) timers.set(key, time + ttl);
    if (when_full === "forget_oldest" && this.#order.timers.at(key) === never)
      this.#order.timers.set(key, time);
  }

  /** When the time of the first key is up, where that is by `watermark`; else Infinity. */
  dueBy(watermark: number): number {
    const key = this.#takeDue(watermark);
    if (key < 0) return never;
    // It keeps its turn among those that are due.
    this.#seen.timers.set(key, this.#dueAt);
    return this.#dueAt;
  }

  /** Forgets the keys whose time is up. One with an open window waits as long again as it has been silent. */
  expire(watermark: number): void {
    for (let key = this.#takeDue(watermark); key >= 0; key = this.#takeDue(watermark)) {
      if (this.#isOpen(key, watermark) || !this.#forget(key))
        this.#seen.timers.set(key, watermark + Math.max(1, watermark - this.#last[key]!));
    }
  }

  /** Takes the first key whose time is up, its timer cleared; -1 when there is none. */
  #takeDue(watermark: number): number {
    const { ttl } = this.#bounds;
    const timers = this.#seen.timers as TimerHeap;
    if (ttl === null) return -1;
    for (let time = timers.next; time <= watermark; time = timers.next) {
      const key = timers.take();
      const due = this.#last[key]! + ttl;
      // Records that came since do not set the timer again: it is done here, once for all of them.
      if (due <= time) {
        this.#dueAt = time;
        return key;
      }
      timers.set(key, due);
    }
    return -1;
  }

  /** True when no key may be forgotten: it was tried, and nothing that could change it has happened since. */
  isStuck(watermark: number): boolean {
    return this.#closings() === this.#stuckSince && watermark < this.#stuckUntil;
  }

  /** Forgets those that were silent longest; false when no key may be. */
  makeRoom(watermark: number): boolean {
    if (this.isStuck(watermark)) return false;
    const timers = this.#order.timers as TimerHeap;
    const most = forgottenAtOnce(this.#bounds.max);
    const kept: number[] = [];
    let forgotten = 0;
    for (let time = timers.next; time !== never && forgotten < most; time = timers.next) {
      const key = timers.take();
      if (this.#last[key]! > time) timers.set(key, this.#last[key]!);
      else if (this.#isOpen(key, watermark) || !this.#forget(key)) kept.push(key);
      else forgotten++;
    }
    for (const key of kept) timers.set(key, this.#last[key]!);
    if (forgotten > 0) return true;
    this.#stuckSince = this.#closings();
    // Event time alone frees only a key whose records wait for it: of open windows, that one closes is what counts.
    const waiting = this.shared.waits ? kept.map((key) => this.#last[key]!) : [];
    const ahead = waiting.filter((time) => time > watermark);
    this.#stuckUntil = ahead.reduce((least, time) => Math.min(least, time), never);
    return false;
  }

  #closings(): number {
    return this.shared.tables.reduce((total, { closings }) => total + closings, 0);
  }

  /** True when a window of the key is open, or a record of it may wait for event time. */
  #isOpen(key: number, watermark: number): boolean {
    const { tables, waits } = this.shared;
    return (waits && this.#last[key]! > watermark) || tables.some((each) => each.isOpen(key));
  }

  /** False when the step does not let go of it. */
  #forget(key: number): boolean {
    const { keys, tables } = this.shared;
    this.#step.forget(keys, key);
    if (tables.some((each) => each.isKept(key))) return false;
    for (const each of [...tables, this.#seen, this.#order]) each.forget(key);
    keys.forget(key);
    this.forgotten++;
    return true;
  }
}

export class KeyGuard {
  readonly #watched: readonly WatchedKeys[];
  readonly #step: Bounded;
  readonly #forgetsOldest: boolean;
  #watermark = Number.NEGATIVE_INFINITY;
  /** How many keys had been forgotten when rows were looked up. */
  #lookedUpAt = 0;

  constructor(shared: readonly SharedKeys[], bounds: KeyBounds, step: Bounded) {
    this.#watched = shared.map((each) => new WatchedKeys(each, bounds, step));
    this.#step = step;
    this.#forgetsOldest = bounds.when_full === "forget_oldest";
  }

  /** When each key was last heard of; the keys themselves are in the snapshot of the tables. */
  snapshot(): Plain {
    return { watermark: this.#watermark, watched: this.#watched.map((each) => each.snapshot()) };
  }

  /** Null where keys had no bounds before: then each is watched from when it is next heard of. */
  restore(data: Plain): void {
    if (data === null) return;
    this.#watermark = numberOf(member(data, "watermark"));
    const kept = listOf(member(data, "watched"), this.#watched.length);
    this.#watched.forEach((each, place) => each.restore(kept[place]!));
  }

  /** Gives the step the rows of a batch, in one piece where no key is forgotten between them. */
  onBatch(batch: Batch): void {
    const { selection, count, watermark, time } = batch;
    let given = 0;
    let from = 0;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const now = Math.max(this.#watermark, watermark[row]!);
      if (i === to) to = this.#lookUp(batch, (from = i));
      const isDue = this.#dueBy(now) <= now;
      if (isDue || this.#isCrowded(batch, i, from, now)) {
        this.#give(batch, given, i);
        // The step has to have done all that comes before: a window that closes now leaves room, and what the rows just given
        // wait for may have come already.
        if (isDue || now > this.#watermark || i > given) this.#step.onWatermark(now);
        given = i;
        if (this.#forgotten !== this.#lookedUpAt) to = this.#lookUp(batch, (from = i));
        this.#makeRoom(batch, i, from, now);
        if (this.#forgotten !== this.#lookedUpAt) to = this.#lookUp(batch, (from = i));
      }
      for (const watched of this.#watched) watched.admit(batch, i, from, time[row]!);
    }
    this.#give(batch, given, count);
  }

  /**
   * Event time is about to come so far. Each key is forgotten at the very moment when its time is up, behind all that is due by then
   * and before what is due later: how far one watermark is from the next says nothing of it.
   */
  reaching(watermark: number): void {
    for (let time = this.#dueBy(watermark); time < watermark; time = this.#dueBy(watermark)) {
      this.#step.pass(time);
      for (const watched of this.#watched) watched.expire(time);
    }
  }

  /** Event time has come so far, and the step knows it. */
  reached(watermark: number): void {
    this.#watermark = watermark;
    for (const watched of this.#watched) watched.expire(watermark);
  }

  #give(batch: Batch, from: number, to: number): void {
    if (to - from === batch.count) this.#step.give(batch);
    else if (to > from)
      this.#step.give({ ...batch, selection: batch.selection.subarray(from, to), count: to - from });
  }

  get #forgotten(): number {
    return this.#watched.reduce((total, { forgotten }) => total + forgotten, 0);
  }

  /** Looks up some rows from `from` on, the first of which may have changed; returns where they end. */
  #lookUp(batch: Batch, from: number): number {
    const to = Math.min(batch.count, from + rowsAhead);
    const rows = { ...batch, selection: batch.selection.subarray(from, to), count: to - from };
    for (const { shared, ids } of this.#watched) shared.keys.find(rows, ids);
    this.#lookedUpAt = this.#forgotten;
    return to;
  }

  #dueBy(watermark: number): number {
    let least = never;
    for (const watched of this.#watched) least = Math.min(least, watched.dueBy(watermark));
    return least;
  }

  /** True when there is no room for a key of the row, and there may be some. */
  #isCrowded(batch: Batch, i: number, from: number, now: number): boolean {
    if (!this.#forgetsOldest) return false;
    for (const watched of this.#watched) {
      const mayChange = now > this.#watermark || !watched.isStuck(now);
      if (mayChange && watched.lacksRoom(batch, i, from)) return true;
    }
    return false;
  }

  #makeRoom(batch: Batch, i: number, from: number, now: number): void {
    if (!this.#forgetsOldest) return;
    for (const watched of this.#watched) if (watched.lacksRoom(batch, i, from)) watched.makeRoom(now);
  }
}

function rowOf(batch: Batch, i: number): Batch {
  return { ...batch, selection: batch.selection.subarray(i, i + 1), count: 1 };
}
