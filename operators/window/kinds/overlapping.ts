// The course of windows that are sent row by row: before each row, what was due when it arrived is sent,
// so that a record is in what comes after it alone, however records are cut into batches. Knows no kind
// of window.

import { type Batch, type Collector, type Operator, type PaneTable, type ValueTable } from "weir/sdk";
import { Adding } from "../adding.ts";
import { Filler, type Placed, type Slicing } from "../filler.ts";
import type { Cuts, Grouping } from "../kind.ts";
import { Merging } from "../merging.ts";
import { Allowance } from "./allowance.ts";

export interface Overlap extends Cuts {
  /**
   * Sends, in order of time, what is due after `closed` and not after `watermark`, until the allowance is spent; returns how far it
   * has come.
   */
  send(closed: number, watermark: number, out: Collector, allowance: Allowance): number;
  /** True when a record of that time changes what was sent up to `closed`, so that it is sent again when time moves on. */
  corrects?(time: number, closed: number): boolean;
  /** Hears of rows that found their slots. */
  readonly placed?: Placed | undefined;
}

/** `rowsAtOnce`: after so many those before have to find room. */
export function overlapping(
  panes: PaneTable,
  { values }: ValueTable,
  grouping: Grouping,
  overlap: Overlap,
  rowsAtOnce: number,
): Operator {
  const { slicing, placed } = overlap;
  const filler = new Filler(panes, new Adding(grouping.shared.inputs, panes.states), slicing, placed);
  const merging = new Merging(grouping, panes.states);
  const merger = new Filler(panes, merging, slicing, placed);
  const allowance = new Allowance(rowsAtOnce);
  const advance = (watermark: number, out: Collector): number => {
    const closed = values[0]!;
    if (watermark <= closed) return watermark;
    return (values[0] = overlap.send(closed, watermark, out, allowance));
  };
  const fill = (some: Filler, batch: Batch, out: Collector): void => {
    const { selection, count, watermark } = batch;
    allowance.begin();
    for (let from = 0; from < count; ) {
      const inForce = watermark[selection[from]!]!;
      let isBehind = advance(inForce, out) < inForce;
      let to = isBehind ? undisturbedEnd(batch, from, slicing) : stretchEnd(batch, from, values[0]!, overlap);
      if (to === from) {
        allowance.lift();
        isBehind = advance(inForce, out) < inForce;
        allowance.spend();
        to = stretchEnd(batch, from, values[0]!, overlap);
      }
      const whole = from === 0 && to === count;
      const rows = whole ? batch : { ...batch, selection: selection.subarray(from, to), count: to - from };
      some.fill(rows, values[0]!, (row, reason) => out.drop(batch, row, reason));
      // Nothing was due during these rows, so that time may move on by itself.
      if (!isBehind) values[0] = Math.max(values[0]!, watermark[selection[to - 1]!]!);
      from = to;
    }
  };
  return {
    onBatch: (batch, out) => fill(filler, batch, out),
    merge: (batch, out) => fill(merger, merging.placed(batch), out),
    due: () => overlap.nextMoment(values[0]!),
    onWatermark(watermark, out) {
      allowance.begin();
      return advance(watermark, out);
    },
  };
}

/** Where the rows end, from the i-th on, that change nothing in windows which are due: those that are late for them, and still count. */
function undisturbedEnd({ selection, count, time, watermark }: Batch, i: number, slicing: Slicing): number {
  for (; i < count; i++) {
    const row = selection[i]!;
    const inForce = watermark[row]!;
    if (time[row]! < inForce && slicing.closingOf(slicing.startOf(time[row]!)) > inForce) break;
  }
  return i;
}

/** Where the rows end, from the i-th on, during which nothing is due. */
function stretchEnd(
  { selection, count, time, watermark }: Batch,
  i: number,
  closed: number,
  overlap: Overlap,
): number {
  let first = watermark[selection[i]!]!;
  let next = overlap.nextMoment(closed);
  for (; i < count; i++) {
    const row = selection[i]!;
    const inForce = watermark[row]!;
    if (inForce >= next && inForce > first) break;
    if (time[row]! >= closed || overlap.corrects?.(time[row]!, closed) !== true) continue;
    // What it changes is sent as soon as time moves on.
    first = Math.max(first, inForce);
    next = Number.NEGATIVE_INFINITY;
  }
  return i;
}
