// Adds the rows of a batch to the slots of the panes that they fall into. Decides nothing about time:
// where panes begin and end, and when one takes no more records, is told by a `Slicing`.

import { type Batch, type Column, noKey, type PaneTable } from "weir/sdk";
import type { Present } from "./aggregates/present.ts";

/** How time is cut into panes that follow each other without overlap. */
export interface Slicing {
  /** Where the pane begins that holds `time`. */
  startOf(time: number): number;
  /** Where the pane that begins at `start` ends. */
  endOf(start: number): number;
  /** From which watermark on that pane takes no more records, as every window that it is part of has closed. */
  closingOf(start: number): number;
}

/** What is done with rows that have a slot: their values are added to it, or what they hold of others is merged into it. */
export interface Adder {
  /** What it needs of every row of a batch. */
  evaluate(batch: Batch): readonly Column[];
  /** Adds row `rows[i]` to slot `slots[i]`, for i below `count`; `columns` is what `evaluate` gave. */
  add(batch: Batch, columns: readonly Column[], rows: Present): void;
}

/** Hears that the rows `selection[from … to - 1]`, whose keys have those numbers in `keys`, fell into the pane at `start`. */
export type Placed = (batch: Batch, start: number, keys: Uint32Array, from: number, to: number) => void;

/** Rows that are added to all aggregates before the next ones, so that their slots are still in the processor's cache. */
const rowsAtOnce = 512;

export class Filler {
  readonly #panes: PaneTable;
  readonly #adder: Adder;
  readonly #slicing: Slicing;
  readonly #placed: Placed | undefined;
  #ids = new Uint32Array(0);
  #slots = new Uint32Array(0);
  #rows = new Uint32Array(0);

  constructor(panes: PaneTable, adder: Adder, slicing: Slicing, placed?: Placed) {
    this.#panes = panes;
    this.#adder = adder;
    this.#slicing = slicing;
    this.#placed = placed;
  }

  /** `closed`: the watermark up to which windows were sent, in case that of a row is behind it. */
  fill(batch: Batch, closed: number, leave: (row: number, reason: "late" | "overflow") => void): void {
    if (this.#ids.length < batch.count) {
      this.#ids = new Uint32Array(batch.count);
      this.#slots = new Uint32Array(batch.count);
      this.#rows = new Uint32Array(batch.count);
    }
    this.#panes.keys.identify(batch, this.#ids);
    const filled = this.#place(batch, closed, leave);
    const columns = this.#adder.evaluate(batch);
    for (let from = 0; from < filled; from += rowsAtOnce) {
      const to = Math.min(filled, from + rowsAtOnce);
      const rows = {
        slots: this.#slots.subarray(from, to),
        rows: this.#rows.subarray(from, to),
        count: to - from,
      };
      this.#panes.hold(rows.slots, rows.rows, rows.count, batch);
      this.#adder.add(batch, columns, rows);
    }
  }

  /** Finds the slot of every row; returns how many have one. Rows of one pane mostly follow each other. */
  #place(batch: Batch, closed: number, leave: (row: number, reason: "late" | "overflow") => void): number {
    const { selection, count, time } = batch;
    let filled = 0;
    let i = 0;
    while (i < count) {
      const start = this.#slicing.startOf(time[selection[i]!]!);
      const end = this.#slicing.endOf(start);
      const closing = this.#slicing.closingOf(start);
      const next = closing <= closed ? i : this.#runEnd(batch, i, start, end, closing);
      if (next === i) leave(selection[i++]!, "late");
      else filled = this.#placeRun(batch, i, (i = next), start, filled, leave);
    }
    return filled;
  }

  /** Where the rows end, from the i-th on, that belong to the pane and came before it closed. */
  #runEnd(
    { selection, count, time, watermark }: Batch,
    i: number,
    start: number,
    end: number,
    closing: number,
  ): number {
    for (; i < count; i++) {
      const row = selection[i]!;
      const at = time[row]!;
      if (at < start || at >= end || closing <= watermark[row]!) break;
    }
    return i;
  }

  /** Finds the slots of the rows `from … to - 1`, which are of one pane; returns how many are filled now. */
  #placeRun(
    batch: Batch,
    from: number,
    to: number,
    start: number,
    filled: number,
    leave: (row: number, reason: "overflow") => void,
  ): number {
    const { selection } = batch;
    const ids = this.#ids;
    const pane = this.#panes.pane(start);
    if (pane !== null) this.#placed?.(batch, start, ids, from, to);
    // Runs without a key that found no room are the rule, and go in one piece.
    if (pane !== null && !ids.subarray(from, to).includes(noKey)) {
      pane.slots(ids, from, to, this.#slots, filled);
      this.#rows.set(selection.subarray(from, to), filled);
      return filled + to - from;
    }
    let place = filled;
    for (let i = from; i < to; i++) {
      const key = ids[i]!;
      if (pane === null || key === noKey) {
        leave(selection[i]!, "overflow");
        continue;
      }
      this.#slots[place] = pane.slot(key);
      this.#rows[place++] = selection[i]!;
    }
    return place;
  }
}
