// Cumulating windows: one that grows step by step up to its full length, and then begins anew. A record
// is added to the pane of its step; the steps that have ended are merged into the growing window.

import { type Collector, type PaneTable, table } from "weir/sdk";
import type { Slicing } from "../filler.ts";
import { type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { sendRows } from "../rows.ts";
import { overlapping, type Overlap } from "./overlapping.ts";
import { weightsOf, windowStart } from "./periods.ts";

export interface CumulateSettings {
  /** By how much the window grows, ms. */
  readonly step: number;
  /** Its full length, ms; a multiple of `step`. */
  readonly max: number;
  readonly offset: number;
  /** True for early results of a window of full length: every row has the full window's end, and says whether it is the last. */
  readonly early: boolean;
}

class Cumulating implements Overlap {
  readonly slicing: Slicing;
  readonly #grouping: Grouping;
  readonly #settings: CumulateSettings;
  readonly #steps: PaneTable;
  readonly #grown: PaneTable;

  constructor(grouping: Grouping, settings: CumulateSettings, steps: PaneTable, grown: PaneTable) {
    const { step, max, offset } = settings;
    this.slicing = {
      startOf: (time) => windowStart(time, step, offset),
      endOf: (start) => start + step,
      closingOf: (start) => windowStart(start, max, offset) + max,
    };
    this.#grouping = grouping;
    this.#settings = settings;
    this.#steps = steps;
    this.#grown = grown;
  }

  nextEnd(time: number): number {
    const { step, offset } = this.#settings;
    return windowStart(time, step, offset) + step;
  }

  send(closed: number, watermark: number, out: Collector): void {
    const { step, max, offset } = this.#settings;
    for (;;) {
      const oldest = this.#steps.oldest;
      const grown = this.#grown.oldest;
      const first = Math.min(oldest, grown);
      if (first === Number.POSITIVE_INFINITY) return;
      const start = windowStart(first, max, offset);
      const full = start + max;
      let end = this.nextEnd(closed);
      // A window that holds nothing yet is not sent; nor, once the stream has ended, one that only repeats the last.
      if (grown === Number.POSITIVE_INFINITY || watermark === Number.POSITIVE_INFINITY)
        end = oldest < full ? Math.max(end, oldest + step) : full;
      if (end > watermark) return;
      this.#grow(start, end);
      this.#sendWindow(start, end, end === full, out);
      closed = end;
    }
  }

  /** Merges the steps that have ended into the window at `start`. */
  #grow(start: number, end: number): void {
    const { kept } = this.#grouping.shared;
    const target = this.#grown.pane(start);
    if (target === null) return;
    this.#steps.close(end - this.#settings.step, ({ count, keys, slots }) => {
      for (let i = 0; i < count; i++) {
        const into = target.slot(keys[i]!);
        for (let place = 0; place < kept.length; place++)
          kept[place]!.merge(this.#grown.states[place]!, into, this.#steps.states[place]!, slots[i]!);
        this.#grown.carry(into, this.#steps.weight(slots[i]!));
      }
    });
  }

  #sendWindow(start: number, end: number, isFull: boolean, out: Collector): void {
    const grown = this.#grown;
    const { count, keys, slots } = grown.at(start)!;
    // Until the window is full its records are held, and its rows stand for none of them.
    const weight = isFull ? weightsOf(grown, slots, count) : 0;
    const { max, early } = this.#settings;
    const shown = early ? { end: start + max, label: isFull } : { end, label: null };
    const rows = { count, keys, slots, start, time: end - 1, weight, ...shown };
    sendRows(out, this.#grouping, this.#steps.keys, grown, rows);
    if (isFull) grown.close(start, () => undefined);
  }
}

export function cumulatingWindows(grouping: Grouping, settings: CumulateSettings): WindowKind {
  const { by, shared } = grouping;
  const tables = { steps: table.panes(by, shared.kept), grown: table.panes([], shared.kept) };
  return kindOn(tables, ({ steps, grown }) =>
    overlapping(steps, shared.inputs, new Cumulating(grouping, settings, steps, grown)),
  );
}
