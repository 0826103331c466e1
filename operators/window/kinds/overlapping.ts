// The course of windows that share panes: before each row, the windows are sent that had closed when it
// arrived, so that a late record is in those alone that were still open, however records are cut into
// batches. Knows no kind of window.

import type { Batch, Collector, Operator, PaneTable } from "weir/sdk";
import { Filler, type Slicing } from "../filler.ts";
import type { SharedInput } from "../shared-state.ts";

export interface Overlap {
  readonly slicing: Slicing;
  /** The first time after `time` at which some window ends, whether or not it holds anything. */
  nextEnd(time: number): number;
  /** Sends, by their ends, the windows that end after `closed` and not after `watermark`. */
  send(closed: number, watermark: number, out: Collector): void;
}

export function overlapping(panes: PaneTable, inputs: readonly SharedInput[], overlap: Overlap): Operator {
  const filler = new Filler(panes, inputs, overlap.slicing);
  let closed = Number.NEGATIVE_INFINITY;
  const advance = (watermark: number, out: Collector): void => {
    if (watermark <= closed) return;
    overlap.send(closed, watermark, out);
    closed = watermark;
  };
  return {
    onBatch(batch, out) {
      const { selection, count, watermark } = batch;
      for (let from = 0; from < count; ) {
        advance(watermark[selection[from]!]!, out);
        const to = stretchEnd(batch, from, overlap.nextEnd(closed));
        const whole = from === 0 && to === count;
        const rows = whole ? batch : { ...batch, selection: selection.subarray(from, to), count: to - from };
        filler.fill(rows, closed, (row, reason) => out.drop(batch, row, reason));
        from = to;
      }
    },
    onWatermark: advance,
  };
}

/** Where the rows end, from the i-th on, during which no window closes. */
function stretchEnd({ selection, count, watermark }: Batch, i: number, nextEnd: number): number {
  const first = watermark[selection[i]!]!;
  for (i++; i < count; i++) {
    const inForce = watermark[selection[i]!]!;
    if (inForce >= nextEnd && inForce > first) break;
  }
  return i;
}
