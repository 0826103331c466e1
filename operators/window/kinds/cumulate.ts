// Cumulating windows: one that grows step by step up to its full length, and then begins anew. A record
// is added to the pane of its step; the steps that have ended are merged into the growing window.

import { type Collector, type PaneTable, table } from "weir/sdk";
import type { Slicing } from "../filler.ts";
import type { Allowance } from "./allowance.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { type Label, sendRows } from "../rows.ts";
import { mergeStates } from "../shared-state.ts";
import { overlapping, type Overlap } from "./overlapping.ts";
import { namesOf, type Periods, weightsOf } from "./periods.ts";
import { openAtOnce } from "./open-at-once.ts";
import { cutAt, type Multiples, periodSteps } from "./steps.ts";

export interface CumulateSettings {
  /** The windows in full. */
  readonly periods: Periods;
  /** When they have grown: at these multiples, and in full. */
  readonly step: Multiples;
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
    this.slicing = cutAt(settings.periods, settings.step);
    this.#grouping = grouping;
    this.#settings = settings;
    this.#steps = steps;
    this.#grown = grown;
  }

  nextMoment(time: number): number {
    return nextMomentOf(this.slicing, time);
  }

  send(closed: number, watermark: number, out: Collector, allowance: Allowance): number {
    const { periods } = this.#settings;
    for (;;) {
      const oldest = this.#steps.oldest;
      const grown = this.#grown.oldest;
      const first = Math.min(oldest, grown);
      if (first === Number.POSITIVE_INFINITY) return watermark;
      const start = periods.startOf(first);
      const full = periods.endOf(start);
      let end = this.nextMoment(closed);
      // A window that holds nothing yet is not sent; nor, once the stream has ended, one that only repeats the last.
      if (grown === Number.POSITIVE_INFINITY || watermark === Number.POSITIVE_INFINITY)
        end = oldest < full ? Math.max(end, this.nextMoment(oldest)) : full;
      if (end > watermark) return watermark;
      if (allowance.isSpent) return closed;
      this.#grow(start, end);
      allowance.take(this.#sendWindow(start, end, full, out));
      closed = end;
    }
  }

  /** Merges the steps that have ended into the window at `start`. */
  #grow(start: number, end: number): void {
    const target = this.#grown.pane(start);
    if (target === null) return;
    this.#steps.close(end - 1, ({ count, keys, slots }) => {
      for (let i = 0; i < count; i++) {
        const into = target.slot(keys[i]!);
        mergeStates(this.#grouping.shared.kept, this.#grown, into, this.#steps, slots[i]!);
        this.#grown.carry(into, this.#steps.weight(slots[i]!));
      }
    });
  }

  /** Returns how many rows. */
  #sendWindow(start: number, end: number, full: number, out: Collector): number {
    const isFull = end === full;
    const grown = this.#grown;
    const { count, keys, slots } = grown.at(start)!;
    // Until the window is full its records are held, and its rows stand for none of them.
    const weight = isFull ? weightsOf(grown, slots, count) : 0;
    const { periods, early } = this.#settings;
    const labels: Label[] = [...namesOf(periods, start)];
    if (early) labels.push(isFull);
    const shown = early ? full : end;
    const rows = { count, keys, slots, start, end: shown, time: end - 1, weight, labels };
    sendRows(out, this.#grouping, this.#steps.keys, grown, rows);
    if (isFull) grown.close(start, () => undefined);
    return count;
  }
}

/** When a window has grown. */
function nextMomentOf(slicing: Slicing, time: number): number {
  return Number.isFinite(time) ? slicing.endOf(slicing.startOf(time)) : time;
}

export function cumulatingWindows(
  grouping: Grouping,
  settings: CumulateSettings,
  rowsAtOnce: number,
): WindowKind {
  const { by, shared } = grouping;
  const slicing = cutAt(settings.periods, settings.step);
  // Also of a step that has ended a pane may be open, for a late record of a window that has not.
  const open = (lateness: number): number =>
    openAtOnce(periodSteps(settings.periods), (start) => slicing.endOf(start), lateness, 0);
  const tables = {
    steps: table.panes(by, shared.kept, [], { perKey: open }),
    grown: table.panes([], shared.kept, [], { keysOf: by, perKey: () => 1 }),
    course,
  };
  return kindOn(
    tables,
    (made) =>
      overlapping(
        made.steps,
        made.course,
        grouping,
        new Cumulating(grouping, settings, made.steps, made.grown),
        rowsAtOnce,
      ),
    { slicing, nextMoment: (time) => nextMomentOf(slicing, time) },
  );
}
