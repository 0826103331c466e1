// Windows that are sent again because records came late: which they are until time moves on, and how
// often each was sent. Merges nothing and sends nothing itself.

import {
  type ClosedPane,
  type ColumnReference,
  type Extent,
  noKey,
  type PaneDeclaration,
  type PaneTable,
  table,
  type Tables,
  type ValueTable,
} from "weir/sdk";
import type { course } from "../kind.ts";
import type { Placed, Slicing } from "../filler.ts";
import type { Steps } from "./steps.ts";

/** The number of a window and key that was sent: its last revision. */
const revisionCell = 0;

export type CorrectionTables = {
  readonly sent: PaneDeclaration;
  /** A slot for each window and key that is to be sent again. */
  readonly corrected: PaneDeclaration;
};

/** `windows`: how many of a key are kept at most. */
export function correctionTables(
  keysOf: readonly ColumnReference[],
  windows: () => number,
): CorrectionTables {
  const extent: Extent = { keysOf, perKey: windows };
  return { sent: table.panes([], [], [-1], extent), corrected: table.panes([], [], [], extent) };
}

export class Corrections {
  readonly slicing: Slicing;
  readonly #steps: Steps;
  readonly #after: number;
  readonly #sent: PaneTable;
  readonly #corrected: PaneTable;
  readonly #course: ValueTable;

  /** `after`: how long a window takes late records after its end, ms. */
  constructor(
    steps: Steps,
    after: number,
    tables: Tables<CorrectionTables & { readonly course: typeof course }>,
  ) {
    this.slicing = { ...steps, closingOf: (start) => steps.closingOf(start) + after };
    this.#steps = steps;
    this.#after = after;
    this.#sent = tables.sent;
    this.#corrected = tables.corrected;
    this.#course = tables.course;
  }

  readonly placed: Placed = ({ selection, watermark }, pane, keys, from, to) => {
    const { openAt, next, windowEnd } = this.#steps;
    const closed = this.#course.values[0]!;
    for (let start = openAt(pane); start <= pane && windowEnd(start) <= closed; start = next(start))
      for (let i = from; i < to; i++) {
        const inForce = Math.max(closed, watermark[selection[i]!]!);
        if (keys[i] !== noKey && inForce < windowEnd(start) + this.#after) this.#mark(start, keys[i]!);
      }
  };

  get isPending(): boolean {
    return this.#corrected.oldest < Number.POSITIVE_INFINITY;
  }

  /** Visits, oldest first, and then forgets the windows that are to be sent again, each with its keys. */
  visit(visit: (window: ClosedPane) => void): void {
    this.#corrected.close(Number.POSITIVE_INFINITY, visit);
  }

  /** The revision of each row of the window at `start`, which are sent now. */
  revisions(start: number, keys: Uint32Array): Float64Array {
    const pane = this.#sent.pane(start);
    return Float64Array.from(keys, (key) => {
      // More windows are never kept than panes may be open.
      const slot = pane!.slot(key);
      return ++this.#sent.cells[revisionCell]![slot]!;
    });
  }

  /** Windows that begin at `start` or before take no more records. */
  forget(start: number): void {
    this.#sent.close(start, () => undefined);
  }

  #mark(start: number, key: number): void {
    this.#corrected.pane(start)?.slot(key);
  }
}
