// The course of align and join: records are sorted by input, brought into the order of event time, and
// met by rules that put rows together. Knows no rule of its own.

import type { Batch, Collector, Operator, ValueTable } from "weir/sdk";
import { EventOrder, type OrderRules } from "../window/event-order.ts";
import type { Parts } from "../window/parts.ts";
import type { InputRows } from "./inputs.ts";
import type { JoinedRows } from "./rows.ts";

export interface JoiningRules extends OrderRules {
  /** A key is about to be forgotten, and what is kept of it has to go. */
  forget(key: number): void;
}

export function joining(
  parts: Parts,
  course: ValueTable,
  rows: JoinedRows,
  inputs: InputRows,
  rules: JoiningRules,
): Operator {
  const order = new EventOrder(parts, course, rows, rules);
  return {
    onBatch(batch: Batch, out: Collector) {
      rows.begin(out, true);
      const sorted = inputs.sort(batch, out);
      if (sorted.count > 0) order.onBatch(sorted, out);
    },
    onWatermark(watermark, out) {
      rows.begin(out, true);
      order.onWatermark(watermark, out);
    },
    onForget(keys, key, out) {
      // Records of the time at which the watermark is may still wait for their turn: they come first, in order.
      rows.begin(out, true);
      order.onWatermark(Number.NEGATIVE_INFINITY, out);
      rows.begin(out, false);
      order.onForget(keys, key, out);
    },
  };
}
