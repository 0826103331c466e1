// Windows that may overlap and share panes: a record is added to one pane, and a window is merged from its
// panes when it is sent. Sends windows once, early as well, or again for late records; where they stand
// is told by `Steps`.
//
// However many windows overlap, each costs a few merges ("two stacks", as in two-stacks.ts, over panes): for
// every window that begins before a boundary, what it holds up to there is merged in one go, from the last
// one back; what came after the boundary is a running total. A late record has them merged anew.

import {
  type ClosedPane,
  type Collector,
  type Pane,
  type PaneDeclaration,
  type PaneTable,
  table,
  type Tables,
  type ValueDeclaration,
} from "weir/sdk";
import type { Placed, Slicing } from "../filler.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { type Label, sendRows } from "../rows.ts";
import { mergeAllStates, mergeStates } from "../shared-state.ts";
import type { Allowance } from "./allowance.ts";
import { type CorrectionTables, Corrections, correctionTables } from "./corrections.ts";
import { type GapPolicy, Gaps, type GapTables, gapTables } from "./gaps.ts";
import { overlapping, type Overlap } from "./overlapping.ts";
import { openAtOnce } from "./open-at-once.ts";
import { namesOf, weightsOf } from "./periods.ts";
import { cutAt, type Multiples, nextMultiple, type Steps } from "./steps.ts";

/** At most one of them; all null where a window is sent once, and only if it holds records. */
export interface Emissions {
  /** When windows are sent before they end. */
  readonly early: Multiples | null;
  /** How long a window takes late records after its end, ms. */
  readonly updates: number | null;
  /** What stands for windows without records. */
  readonly gaps: GapPolicy | null;
}

type SharedTables = CorrectionTables &
  GapTables & {
    readonly panes: PaneDeclaration;
    readonly merged: PaneDeclaration;
    readonly total: PaneDeclaration;
    readonly stacks: ValueDeclaration;
    readonly course: typeof course;
  };

function tablesOf({ by, shared }: Grouping, steps: Steps, { early, updates, gaps }: Emissions): SharedTables {
  const kept = updates ?? 0;
  const slicing = early === null ? steps : cutAt(steps, early);
  const slices = (lateness: number): number =>
    openAtOnce(steps, (start) => slicing.endOf(start), lateness, kept);
  // What is kept for late records goes when a later window is sent: after a silence that of before is there as well.
  const panes = (lateness: number): number => slices(lateness) + (kept > 0 ? slices(0) : 0);
  const windows = (): number => openAtOnce(steps, (start) => steps.next(start), 0, kept);
  return {
    panes: table.panes(by, shared.kept, [], { perKey: panes }),
    merged: table.panes([], shared.kept, [], { keysOf: by, perKey: windows }),
    total: table.panes([], shared.kept, [], { keysOf: by, perKey: () => 1 }),
    stacks: table.values([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]),
    course,
    ...correctionTables(by, updates === null ? () => 0 : () => 2 * windows()),
    ...gapTables(shared, by, gaps === null ? 0 : 1),
  };
}

/** The numbers of the stacks: the boundary, and up to where panes are in the total. */
const boundary = 0;
const totalTo = 1;

class SharedPanes implements Overlap {
  readonly slicing: Slicing;
  readonly placed: Placed;
  readonly #grouping: Grouping;
  readonly #steps: Steps;
  readonly #early: Multiples | null;
  readonly #panes: PaneTable;
  /** By where a window begins, what it holds up to the boundary, or the whole of one that is being sent. */
  readonly #merged: PaneTable;
  readonly #total: PaneTable;
  readonly #stacks: Float64Array;
  readonly #corrections: Corrections | null;
  readonly #gaps: Gaps | null;
  /** How long panes are kept after their last window was sent, ms. */
  readonly #kept: number;
  #slots = new Uint32Array(0);
  #allowance!: Allowance;

  constructor(grouping: Grouping, steps: Steps, emissions: Emissions, tables: Tables<SharedTables>) {
    const { early, updates, gaps } = emissions;
    const { panes, merged, previous } = tables;
    const corrections = updates === null ? null : new Corrections(steps, updates, tables);
    this.slicing = corrections?.slicing ?? (early === null ? steps : cutAt(steps, early));
    this.placed = (batch, start, keys, from, to) => {
      if (start < this.#stacks[totalTo]!) this.#unstack();
      corrections?.placed(batch, start, keys, from, to);
    };
    this.#grouping = grouping;
    this.#steps = steps;
    this.#early = early;
    this.#panes = panes;
    this.#merged = merged;
    this.#total = tables.total;
    this.#stacks = tables.stacks.values;
    this.#corrections = corrections;
    this.#gaps =
      gaps === null ? null : new Gaps(grouping, steps, gaps, { keys: panes.keys, merged, previous });
    this.#kept = updates ?? 0;
  }

  nextMoment(time: number): number {
    // What is to be sent again is sent as soon as time moves on.
    if (!Number.isFinite(time) || this.#corrections?.isPending === true) return time;
    return nextMomentOf(this.#steps, this.#early, time);
  }

  corrects(time: number, closed: number): boolean {
    return this.#corrections !== null && this.#steps.windowEnd(this.#steps.openAt(time)) <= closed;
  }

  send(closed: number, watermark: number, out: Collector, allowance: Allowance): number {
    this.#allowance = allowance;
    this.#corrections?.visit(({ start, keys }) => this.#sendAgain(start, keys, closed, out));
    for (;;) {
      const { oldest } = this.#panes;
      const following = this.#gaps?.following() ?? null;
      // When the stream has ended, there is no window after the last record.
      if (oldest === Number.POSITIVE_INFINITY && (following === null || watermark === oldest))
        return watermark;
      const from = Math.max(oldest, closed);
      const start = following ?? this.#steps.openAt(from);
      const end = this.#steps.windowEnd(start);
      const early = this.#earlyAfter(from);
      const at = Math.min(end, early);
      if (at > watermark) return watermark;
      if (allowance.isSpent) return closed;
      if (at === end && !this.#sendWindow(start, end, out)) return closed;
      if (at === early) this.#sendEarly(at, out);
      closed = at;
    }
  }

  #earlyAfter(time: number): number {
    return this.#early === null ? Number.POSITIVE_INFINITY : nextMultiple(time, this.#early);
  }

  /** False where lines to it are more than are sent in one call: then it is merged anew in the next. */
  #sendWindow(start: number, end: number, out: Collector): boolean {
    if (this.#early === null) this.#mergeStacked(start, end);
    else this.#mergePanes(this.#merged, start, start, end);
    if (this.#gaps?.sendLines(start, out, this.#allowance) === false) {
      this.#unstack();
      return false;
    }
    this.#carry(start, null);
    this.#gaps?.send(start, out, this.#allowance);
    this.#sendMerged(start, end - 1, true, out);
    // What was in its last window long enough ago is done with.
    const done = this.#steps.openAt(end - this.#kept) - 1;
    this.#panes.close(done, () => undefined);
    this.#corrections?.forget(done);
    return true;
  }

  /** Merges the window at `start` from the stacks. */
  #mergeStacked(start: number, end: number): void {
    const stacks = this.#stacks;
    if (start >= stacks[boundary]!) {
      this.#unstack();
      this.#mergeUntil(start, end);
      stacks[boundary] = end;
    } else {
      this.#mergePanes(this.#total, 0, stacks[totalTo]!, end);
      this.#merge(this.#merged, start, this.#total, 0);
    }
    stacks[totalTo] = end;
  }

  #unstack(): void {
    this.#merged.close(Number.POSITIVE_INFINITY, () => undefined);
    this.#total.close(Number.POSITIVE_INFINITY, () => undefined);
    this.#stacks.fill(Number.NEGATIVE_INFINITY);
  }

  /** Merges what each window holds up to `to` that begins before, from the one at `first` on; returns where they begin. */
  #mergeUntil(first: number, to: number): readonly number[] {
    const starts: number[] = [];
    for (let start = first; start < to; start = this.#steps.next(start)) starts.push(start);
    // Each is its own step, and all of the window that follows.
    for (const start of starts.toReversed()) {
      const next = this.#steps.next(start);
      this.#mergePanes(this.#merged, start, start, Math.min(next, to));
      if (next < to) this.#merge(this.#merged, start, this.#merged, next);
    }
    return starts;
  }

  /** Sends the windows that are open at `at` with the records before that time. */
  #sendEarly(at: number, out: Collector): void {
    for (const start of this.#mergeUntil(this.#steps.openAt(at), at))
      this.#sendMerged(start, at - 1, false, out);
  }

  /** Sends the window at `start` again, of the keys for which records came late. */
  #sendAgain(start: number, changed: Uint32Array, closed: number, out: Collector): void {
    const end = this.#steps.windowEnd(start);
    const window = this.#merged.pane(start)!;
    const { kept } = this.#grouping.shared;
    for (let at = start; at < end; at = this.slicing.endOf(at))
      for (const key of changed) {
        const slot = this.#panes.find(at, key);
        if (slot >= 0) mergeStates(kept, this.#merged, window.slot(key), this.#panes, slot);
      }
    this.#carry(start, changed);
    // A row has the time at which it was known.
    this.#sendMerged(start, Math.max(end - 1, closed), true, out);
  }

  #sendMerged(start: number, time: number, isFinal: boolean, out: Collector): void {
    const merged = this.#merged;
    const end = this.#steps.windowEnd(start);
    merged.close(start, ({ count, keys, slots }) => {
      const labels: Label[] = [...namesOf(this.#steps, start)];
      if (this.#early !== null) labels.push(isFinal);
      if (this.#corrections !== null) labels.push(this.#corrections.revisions(start, keys));
      if (this.#gaps !== null) labels.push(false);
      const weight = weightsOf(merged, slots, count);
      this.#allowance.take(count);
      const rows = { count, keys, slots, start, end, time, weight, labels };
      sendRows(out, this.#grouping, this.#panes.keys, merged, rows);
    });
  }

  /** Merges the panes from `from` up to `to` into that at `start` of a table. */
  #mergePanes(target: PaneTable, start: number, from: number, to: number): void {
    for (let at = from; at < to; at = this.slicing.endOf(at)) this.#merge(target, start, this.#panes, at);
  }

  /** Merges the pane at `at` of one table into that at `start` of another. */
  #merge(target: PaneTable, start: number, source: PaneTable, at: number): void {
    const pane = source.at(at);
    if (pane === null) return;
    // There is room for a pane: no more are open than windows overlap.
    const into = this.#slotsIn(target.pane(start)!, pane);
    mergeAllStates(this.#grouping.shared.kept, target, into, source, pane.slots, pane.count);
  }

  /** By place, the slot that a key of one pane has in another. Valid until the next call. */
  #slotsIn(target: Pane, { keys, count }: ClosedPane): Uint32Array {
    if (this.#slots.length < count) this.#slots = new Uint32Array(count * 2);
    target.slots(keys, 0, count, this.#slots, 0);
    return this.#slots;
  }

  /** The records of panes whose last window is that at `start` go out with it; all of them, or those of some keys. */
  #carry(start: number, some: Uint32Array | null): void {
    const window = this.#merged.pane(start)!;
    const next = this.#steps.next(start);
    for (let at = start; at < next; at = this.slicing.endOf(at)) {
      const pane = some === null ? this.#panes.at(at) : null;
      if (pane !== null) {
        const into = this.#slotsIn(window, pane);
        for (let i = 0; i < pane.count; i++)
          this.#merged.carry(into[i]!, this.#panes.release(pane.slots[i]!));
      } else
        for (const key of some ?? []) {
          const slot = this.#panes.find(at, key);
          if (slot >= 0) this.#merged.carry(window.slot(key), this.#panes.release(slot));
        }
    }
  }
}

/** When windows are sent, whatever has come. */
function nextMomentOf(steps: Steps, early: Multiples | null, time: number): number {
  const end = steps.windowEnd(steps.openAt(time));
  return early === null ? end : Math.min(end, nextMultiple(time, early));
}

export function sharedPaneWindows(
  grouping: Grouping,
  steps: Steps,
  emissions: Emissions,
  rowsAtOnce: number,
): WindowKind {
  const { early, updates } = emissions;
  const cuts = {
    slicing: early === null ? steps : cutAt(steps, early),
    nextMoment: (time: number) => (Number.isFinite(time) ? nextMomentOf(steps, early, time) : time),
  };
  return kindOn(
    tablesOf(grouping, steps, emissions),
    (tables) =>
      overlapping(
        tables.panes,
        tables.course,
        grouping,
        new SharedPanes(grouping, steps, emissions, tables),
        rowsAtOnce,
      ),
    // What is sent again for late records, is sent for each of them.
    updates === null ? cuts : null,
  );
}
