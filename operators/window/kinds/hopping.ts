// Hopping windows. Time is cut where a window begins or ends, which is at most two panes for each step
// ("paired windows": Krishnamurthy, Wu, Franklin, "On-the-fly sharing for streamed aggregation", SIGMOD
// 2006); a record is added to one pane, and a window is merged from its panes when it closes.

import { type Collector, type PaneTable, table } from "weir/sdk";
import type { Slicing } from "../filler.ts";
import { type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { sendRows } from "../rows.ts";
import { overlapping, type Overlap } from "./overlapping.ts";
import { weightsOf, windowStart } from "./periods.ts";

export interface HoppingSettings {
  /** Length of a window, ms. */
  readonly size: number;
  /** From the start of one window to that of the next, ms; at most `size`. */
  readonly every: number;
  readonly offset: number;
}

/** Time cut where a window begins or ends. */
export function pairedSlices({ size, every, offset }: HoppingSettings): Slicing {
  const cut = size % every;
  return {
    startOf(time) {
      const step = windowStart(time, every, offset);
      return cut > 0 && time - step >= cut ? step + cut : step;
    },
    endOf(start) {
      const step = windowStart(start, every, offset);
      return start - step < cut ? step + cut : step + every;
    },
    closingOf: (start) => windowStart(start, every, offset) + size,
  };
}

class Hopping implements Overlap {
  readonly slicing: Slicing;
  readonly #grouping: Grouping;
  readonly #settings: HoppingSettings;
  readonly #panes: PaneTable;
  readonly #merged: PaneTable;

  constructor(grouping: Grouping, settings: HoppingSettings, panes: PaneTable, merged: PaneTable) {
    this.slicing = pairedSlices(settings);
    this.#grouping = grouping;
    this.#settings = settings;
    this.#panes = panes;
    this.#merged = merged;
  }

  nextEnd(time: number): number {
    const { size, every, offset } = this.#settings;
    return windowStart(time - size, every, offset) + every + size;
  }

  send(closed: number, watermark: number, out: Collector): void {
    for (;;) {
      // The first window that holds the oldest pane: windows without records are passed over.
      const end = Math.max(this.nextEnd(this.#panes.oldest), this.nextEnd(closed));
      if (this.#panes.oldest === Number.POSITIVE_INFINITY || end > watermark) return;
      this.#sendWindow(end - this.#settings.size, end, out);
      closed = end;
    }
  }

  #sendWindow(start: number, end: number, out: Collector): void {
    const merged = this.#merged;
    const next = start + this.#settings.every;
    for (let at = start; at < end; at = this.slicing.endOf(at)) this.#merge(at, start, at < next);
    // The panes before the next window have been in their last one.
    this.#panes.close(this.slicing.startOf(next - 1), () => undefined);
    merged.close(start, ({ count, keys, slots }) => {
      const weight = weightsOf(merged, slots, count);
      const rows = { count, keys, slots, start, end, time: end - 1, weight, label: null };
      sendRows(out, this.#grouping, this.#panes.keys, merged, rows);
    });
  }

  /** Merges the pane at `at` into the window at `start`; its records go out with the last window that holds it. */
  #merge(at: number, start: number, isLast: boolean): void {
    const pane = this.#panes.at(at);
    const target = this.#merged.pane(start);
    if (pane === null || target === null) return;
    const { kept } = this.#grouping.shared;
    for (let i = 0; i < pane.count; i++) {
      const from = pane.slots[i]!;
      const into = target.slot(pane.keys[i]!);
      for (let place = 0; place < kept.length; place++)
        kept[place]!.merge(this.#merged.states[place]!, into, this.#panes.states[place]!, from);
      if (isLast) this.#merged.carry(into, this.#panes.weight(from));
    }
  }
}

export function hoppingWindows(grouping: Grouping, settings: HoppingSettings): WindowKind {
  const { by, shared } = grouping;
  const tables = { panes: table.panes(by, shared.kept), merged: table.panes([], shared.kept) };
  return kindOn(tables, ({ panes, merged }) =>
    overlapping(panes, shared.inputs, new Hopping(grouping, settings, panes, merged)),
  );
}
