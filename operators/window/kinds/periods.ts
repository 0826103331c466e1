// Windows that follow each other without overlap: each is one pane, sent and freed when the watermark
// reaches its end. Where they begin and end is told by `Periods`.

import { type Batch, type Collector, type Operator, type PaneTable, table, type Tables } from "weir/sdk";
import { Adding } from "../adding.ts";
import { Filler, type Slicing } from "../filler.ts";
import { type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { Merging } from "../merging.ts";
import { type Label, sendRows } from "../rows.ts";
import { openAtOnce } from "./open-at-once.ts";

export interface Periods extends Slicing {
  /** Where the last period begins that has ended when the watermark is at `watermark`, or any time after that up to the next beginning. */
  endedBy(watermark: number): number;
  /** The name of the period that begins at `start`; null where periods have none. */
  nameOf(start: number): string | null;
}

/** The start of the window of `size` ms that holds `time`; windows are aligned to the epoch plus `offset`. */
export function windowStart(time: number, size: number, offset: number): number {
  return Math.floor((time - offset) / size) * size + offset;
}

/** Periods of `size` ms, aligned to the epoch plus `offset`. */
export function evenPeriods(size: number, offset: number): Periods {
  const endOf = (time: number): number => windowStart(time, size, offset) + size;
  return {
    startOf: (time) => windowStart(time, size, offset),
    endOf,
    closingOf: endOf,
    endedBy: (watermark) => watermark - size,
    nameOf: () => null,
  };
}

export function periodWindows(grouping: Grouping, periods: Periods): WindowKind {
  const endOf = (start: number): number => periods.endOf(start);
  const windows = { openAt: (time: number) => periods.startOf(time), next: endOf, windowEnd: endOf };
  const open = (lateness: number): number => openAtOnce(windows, endOf, lateness, 0);
  const tables = { panes: table.panes(grouping.by, grouping.shared.kept, [], { perKey: open }) };
  // Nothing is sent between the records of a batch.
  const cuts = { slicing: periods, nextMoment: () => Number.POSITIVE_INFINITY };
  const operator = ({ panes }: Tables<typeof tables>): Operator => {
    const filler = new Filler(panes, new Adding(grouping.shared.inputs, panes.states), periods);
    const merging = new Merging(grouping, panes.states);
    const merger = new Filler(panes, merging, periods);
    const fill = (some: Filler, batch: Batch, out: Collector): void =>
      some.fill(batch, Number.NEGATIVE_INFINITY, (row, reason) => out.drop(batch, row, reason));
    return {
      onBatch: (batch, out) => fill(filler, batch, out),
      merge: (batch, out) => fill(merger, merging.placed(batch), out),
      due: () => (Number.isFinite(panes.oldest) ? periods.endOf(panes.oldest) : panes.oldest),
      onWatermark(watermark, out) {
        panes.close(periods.endedBy(watermark), ({ start, count, keys, slots }) => {
          const end = periods.endOf(start);
          const weight = weightsOf(panes, slots, count);
          const rows = { count, keys, slots, start, end, time: end - 1, weight };
          sendRows(out, grouping, panes.keys, panes, { ...rows, labels: namesOf(periods, start) });
        });
      },
    };
  };
  return kindOn(tables, operator, cuts);
}

/** The label of a period that has a name. */
export function namesOf(periods: Pick<Periods, "nameOf">, start: number): readonly Label[] {
  const name = periods.nameOf(start);
  return name === null ? [] : [name];
}

/** By row, how many input records its slot stands for. */
export function weightsOf(panes: PaneTable, slots: Uint32Array, count: number): Float64Array {
  const weights = new Float64Array(count);
  for (let row = 0; row < count; row++) weights[row] = panes.weight(slots[row]!);
  return weights;
}
