// Rows for windows in which a key has no record, between one with records and the next. Remembers the last
// result of every key, and how long ago it was; decides nothing about time.

import {
  type Collector,
  type ColumnReference,
  type KeyTable,
  type PaneTable,
  table,
  type WritableColumn,
} from "weir/sdk";
import { gapWindowsMax } from "../bounds.ts";
import type { Grouping } from "../kind.ts";
import { type Label, sendResults } from "../rows.ts";
import { mergeStates, type SharedStates } from "../shared-state.ts";
import { namesOf } from "./periods.ts";
import type { Allowance } from "./allowance.ts";
import type { Steps } from "./steps.ts";
import { between, wholeBetween } from "./straight-line.ts";

export const gapPolicies = ["zero", "null", "last", "interpolate"] as const;
export type GapPolicy = (typeof gapPolicies)[number];

/** The numbers of a key in the window that was last: where its last window with records began, and how many followed without. */
const sinceCell = 0;
const emptyCell = 1;

export type GapTables = {
  /** One pane: the window that was last, with every key that may have rows without records. */
  readonly previous: ReturnType<typeof table.panes>;
};

/** `windows`: how many of a key are remembered. */
export function gapTables(
  { kept }: SharedStates,
  keysOf: readonly ColumnReference[],
  windows: number,
): GapTables {
  // A window that was sent keeps no key from being forgotten; with the key goes what its rows would be made of.
  return { previous: table.panes([], kept, [0, 0], { yields: true, keysOf, perKey: () => windows }) };
}

/** Aggregates that are 0 where there is no record. */
const counts: ReadonlySet<string> = new Set(["count", "count_distinct"]);

interface GapContext {
  readonly keys: KeyTable;
  /** Holds the window that is being sent. */
  readonly merged: PaneTable;
  readonly previous: PaneTable;
}

export class Gaps {
  readonly #grouping: Grouping;
  readonly #steps: Steps;
  readonly #policy: GapPolicy;
  readonly #keys: KeyTable;
  readonly #merged: PaneTable;
  readonly #previous: PaneTable;

  constructor(grouping: Grouping, steps: Steps, policy: GapPolicy, context: GapContext) {
    this.#grouping = grouping;
    this.#steps = steps;
    this.#policy = policy;
    this.#keys = context.keys;
    this.#merged = context.merged;
    this.#previous = context.previous;
  }

  /** Where the window begins that has to follow, with or without records; null where no key is waiting for one. */
  following(): number | null {
    const { oldest } = this.#previous;
    return oldest === Number.POSITIVE_INFINITY ? null : this.#steps.next(oldest);
  }

  /**
   * The window at `start` has passed, and is merged: sends the lines to it of keys that have none yet. False where some are
   * left for later.
   */
  sendLines(start: number, out: Collector, allowance: Allowance): boolean {
    return this.#policy !== "interpolate" || this.#interpolate(start, out, allowance);
  }

  /** Behind its lines: sends the rows of keys that have no record in the window at `start`. */
  send(start: number, out: Collector, allowance: Allowance): void {
    const before = this.#previous.oldest;
    const empty = this.#carry(before, start);
    this.#remember(start);
    if (before < start) this.#previous.close(before, () => undefined);
    if (this.#policy === "interpolate") return;
    const slots = empty.map((key) => this.#previous.find(start, key));
    const time = this.#steps.windowEnd(start) - 1;
    allowance.take(empty.length);
    this.#sendFilled(start, time, empty, out, (column, call) => this.#fill(column, call, slots));
  }

  /** Takes the keys without records in the window at `start` along from the one before, as long as they may be; returns them. */
  #carry(before: number, start: number): Uint32Array {
    const pane = this.#previous.at(before);
    const empty: number[] = [];
    for (let i = 0; i < (pane?.count ?? 0); i++) {
      const key = pane!.keys[i]!;
      const from = pane!.slots[i]!;
      const windows = this.#previous.cells[emptyCell]![from]! + 1;
      if (windows > gapWindowsMax || this.#merged.find(start, key) >= 0) continue;
      this.#put(start, key, this.#previous, from, this.#previous.cells[sinceCell]![from]!, windows);
      empty.push(key);
    }
    return Uint32Array.from(empty);
  }

  #remember(start: number): void {
    const pane = this.#merged.at(start);
    for (let i = 0; i < (pane?.count ?? 0); i++)
      this.#put(start, pane!.keys[i]!, this.#merged, pane!.slots[i]!, start, 0);
  }

  #put(start: number, key: number, source: PaneTable, from: number, since: number, empty: number): void {
    const into = this.#previous.pane(start)!.slot(key);
    mergeStates(this.#grouping.shared.kept, this.#previous, into, source, from);
    this.#previous.cells[sinceCell]![into] = since;
    this.#previous.cells[emptyCell]![into] = empty;
  }

  /** Sends the rows between the last result of each key and the one that it has now; false where some are left. */
  #interpolate(start: number, out: Collector, allowance: Allowance): boolean {
    const before = this.#previous.oldest;
    const pane = this.#merged.at(start);
    for (let i = 0; i < (pane?.count ?? 0); i++) {
      const slot = this.#previous.find(before, pane!.keys[i]!);
      if (slot < 0 || this.#previous.cells[emptyCell]![slot] === 0) continue;
      if (allowance.isSpent) return false;
      allowance.take(this.#sendLine(pane!.keys[i]!, slot, pane!.slots[i]!, start, out));
      // It has its line, and is passed over when this is asked for again.
      this.#previous.cells[emptyCell]![slot] = 0;
    }
    return true;
  }

  /** The results of a key on straight lines from that of slot `last` to that of slot `now`, whose window begins at `start`; returns how many. */
  #sendLine(key: number, last: number, now: number, start: number, out: Collector): number {
    let rows = 0;
    const since = this.#previous.cells[sinceCell]![last]!;
    const [from, to] = [this.#results(this.#previous, last, out), this.#results(this.#merged, now, out)];
    // A row has the time at which it was known.
    const time = this.#steps.windowEnd(start) - 1;
    for (let at = this.#steps.next(since); at < start; at = this.#steps.next(at)) {
      rows++;
      this.#sendFilled(at, time, Uint32Array.of(key), out, (column, call) => {
        if (!this.#isCount(call)) writeBetween(column, from[call]!, to[call]!, at - since, start - since);
      });
    }
    return rows;
  }

  /** The results of one slot, in row 0 of columns that are not sent. */
  #results(source: PaneTable, slot: number, out: Collector): readonly WritableColumn[] {
    const { calls, shared } = this.#grouping;
    const columns = out.draft(1).columns.slice(-calls.length);
    calls.forEach(({ aggregate }, call) =>
      aggregate.finish(source.states[shared.places[call]!]!, Uint32Array.of(slot), 1, columns[call]!),
    );
    return columns;
  }

  /** What stands in a row without records; columns hold zeros beforehand. */
  #fill(column: WritableColumn, call: number, slots: Uint32Array): void {
    if (this.#isCount(call)) return;
    const isNumber = column.type === "float64" || column.type === "int64";
    if (this.#policy === "last") {
      const { calls, shared } = this.#grouping;
      calls[call]!.aggregate.finish(
        this.#previous.states[shared.places[call]!]!,
        slots,
        slots.length,
        column,
      );
    } else if (this.#policy === "null" || !isNumber) column.valid.fill(0);
  }

  #isCount(call: number): boolean {
    return counts.has(this.#grouping.calls[call]!.name);
  }

  #sendFilled(
    start: number,
    time: number,
    keys: Uint32Array,
    out: Collector,
    write: (column: WritableColumn, call: number) => void,
  ): void {
    const end = this.#steps.windowEnd(start);
    const labels: readonly Label[] = [...namesOf(this.#steps, start), true];
    const rows = { count: keys.length, keys, start, end, time, weight: 0, labels };
    sendResults(out, this.#grouping, this.#keys, rows, write);
  }
}

/** Writes what is `part` of `whole` of the way from one result to another, null where either is none or they are no numbers. */
function writeBetween(
  column: WritableColumn,
  from: WritableColumn,
  to: WritableColumn,
  part: number,
  whole: number,
): void {
  const [a, b] = [from.values[0]!, to.values[0]!];
  const isNumber = column.type === "float64" || column.type === "int64";
  if (!isNumber || from.valid[0] !== 1 || to.valid[0] !== 1) column.valid[0] = 0;
  else if (typeof a === "bigint")
    column.values[0] = wholeBetween(a, b as bigint, BigInt(part), BigInt(whole));
  else column.values[0] = between(a, b as number, part / whole);
}
