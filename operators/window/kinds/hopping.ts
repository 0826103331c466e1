// Windows that may overlap and share panes: a record is added to one pane, and a window is merged from its
// panes when it is sent. Sends windows once, early as well, or again for late records; where they stand
// is told by `Steps`.

import { type Collector, type PaneDeclaration, type PaneTable, table, type Tables } from "weir/sdk";
import type { Placed, Slicing } from "../filler.ts";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { type Label, sendRows } from "../rows.ts";
import { mergeStates } from "../shared-state.ts";
import { type CorrectionTables, Corrections, correctionTables } from "./corrections.ts";
import { type GapPolicy, Gaps, type GapTables, gapTables } from "./gaps.ts";
import { overlapping, type Overlap } from "./overlapping.ts";
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
    readonly course: typeof course;
  };

function tablesOf({ by, shared }: Grouping): SharedTables {
  return {
    panes: table.panes(by, shared.kept),
    merged: table.panes([], shared.kept),
    course,
    ...correctionTables,
    ...gapTables(shared),
  };
}

class SharedPanes implements Overlap {
  readonly slicing: Slicing;
  readonly placed: Placed | undefined;
  readonly #grouping: Grouping;
  readonly #steps: Steps;
  readonly #early: Multiples | null;
  readonly #panes: PaneTable;
  readonly #merged: PaneTable;
  readonly #corrections: Corrections | null;
  readonly #gaps: Gaps | null;
  /** How long panes are kept after their last window was sent, ms. */
  readonly #kept: number;

  constructor(grouping: Grouping, steps: Steps, emissions: Emissions, tables: Tables<SharedTables>) {
    const { early, updates, gaps } = emissions;
    const { panes, merged, previous } = tables;
    const corrections = updates === null ? null : new Corrections(steps, updates, tables);
    this.slicing = corrections?.slicing ?? (early === null ? steps : cutAt(steps, early));
    this.placed = corrections?.placed;
    this.#grouping = grouping;
    this.#steps = steps;
    this.#early = early;
    this.#panes = panes;
    this.#merged = merged;
    this.#corrections = corrections;
    this.#gaps =
      gaps === null ? null : new Gaps(grouping, steps, gaps, { keys: panes.keys, merged, previous });
    this.#kept = updates ?? 0;
  }

  nextMoment(time: number): number {
    // What is to be sent again is sent as soon as time moves on.
    if (!Number.isFinite(time) || this.#corrections?.isPending === true) return time;
    return Math.min(this.#steps.windowEnd(this.#steps.openAt(time)), this.#earlyAfter(time));
  }

  corrects(time: number, closed: number): boolean {
    return this.#corrections !== null && this.#steps.windowEnd(this.#steps.openAt(time)) <= closed;
  }

  send(closed: number, watermark: number, out: Collector): void {
    this.#corrections?.visit(({ start, keys }) => this.#sendAgain(start, keys, closed, out));
    for (;;) {
      const { oldest } = this.#panes;
      const following = this.#gaps?.following() ?? null;
      // When the stream has ended, there is no window after the last record.
      if (oldest === Number.POSITIVE_INFINITY && (following === null || watermark === oldest)) return;
      const from = Math.max(oldest, closed);
      const start = following ?? this.#steps.openAt(from);
      const end = this.#steps.windowEnd(start);
      const early = this.#earlyAfter(from);
      const at = Math.min(end, early);
      if (at > watermark) return;
      if (at === end) this.#sendWindow(start, end, out);
      if (at === early) this.#sendEarly(at, out);
      closed = at;
    }
  }

  #earlyAfter(time: number): number {
    return this.#early === null ? Number.POSITIVE_INFINITY : nextMultiple(time, this.#early);
  }

  #sendWindow(start: number, end: number, out: Collector): void {
    const next = this.#steps.next(start);
    for (let at = start; at < end; at = this.slicing.endOf(at))
      this.#mergePane(start, this.#panes, at, at < next);
    this.#gaps?.send(start, out);
    this.#sendMerged(start, end - 1, true, out);
    // What was in its last window long enough ago is done with.
    const done = this.#steps.openAt(end - this.#kept) - 1;
    this.#panes.close(done, () => undefined);
    this.#corrections?.forget(done);
  }

  /** Sends the windows that are open at `at` with the records before that time. */
  #sendEarly(at: number, out: Collector): void {
    const starts: number[] = [];
    for (let start = this.#steps.openAt(at); start < at; start = this.#steps.next(start)) starts.push(start);
    // Each is its own step, and all of the window that follows.
    for (const start of starts.toReversed()) {
      const next = this.#steps.next(start);
      for (let pane = start; pane < Math.min(next, at); pane = this.slicing.endOf(pane))
        this.#mergePane(start, this.#panes, pane, false);
      if (next < at) this.#mergePane(start, this.#merged, next, false);
    }
    for (const start of starts) this.#sendMerged(start, at - 1, false, out);
  }

  /** Sends the window at `start` again, of the keys for which records came late. */
  #sendAgain(start: number, changed: Uint32Array, closed: number, out: Collector): void {
    const end = this.#steps.windowEnd(start);
    const next = this.#steps.next(start);
    for (let at = start; at < end; at = this.slicing.endOf(at))
      for (const key of changed) {
        const slot = this.#panes.find(at, key);
        if (slot >= 0) this.#mergeSlot(start, key, this.#panes, slot, at < next);
      }
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
      const rows = { count, keys, slots, start, end, time, weight, labels };
      sendRows(out, this.#grouping, this.#panes.keys, merged, rows);
    });
  }

  /** Merges the pane at `at` into the window at `start`; its records go out with the last window that holds it. */
  #mergePane(start: number, from: PaneTable, at: number, isLast: boolean): void {
    const pane = from.at(at);
    if (pane === null) return;
    for (let i = 0; i < pane.count; i++) this.#mergeSlot(start, pane.keys[i]!, from, pane.slots[i]!, isLast);
  }

  #mergeSlot(start: number, key: number, from: PaneTable, slot: number, isLast: boolean): void {
    // There is room for a pane: those of earlier windows were closed.
    const into = this.#merged.pane(start)!.slot(key);
    mergeStates(this.#grouping.shared.kept, this.#merged, into, from, slot);
    if (isLast) this.#merged.carry(into, from.release(slot));
  }
}

export function sharedPaneWindows(grouping: Grouping, steps: Steps, emissions: Emissions): WindowKind {
  return kindOn(tablesOf(grouping), (tables) =>
    overlapping(
      tables.panes,
      tables.course,
      grouping.shared.inputs,
      new SharedPanes(grouping, steps, emissions, tables),
    ),
  );
}
