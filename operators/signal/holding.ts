// The course of an operator that holds records back: rows and deadlines in one order that does not
// depend on how records are cut into batches. Knows no rule of its own.

import type { Batch, Collector, KeyedTable, Operator } from "weir/sdk";
import type { Held } from "./held.ts";
import { KeyIds, noKeySigned } from "./key-ids.ts";

export interface HoldingRules {
  /** Before anything else of a call: the table's cells, which may be others than before. */
  open?(cells: readonly Float64Array[]): void;
  /** Before the rows of a batch. */
  begin?(batch: Batch): void;
  /** One row, in order: to be sent, left, or taken in hand. */
  row(key: number, row: number, batch: Batch): void;
  /** Event time has reached the key's deadline, which was `moment`. */
  due?(key: number, moment: number): void;
  /** Keeps what is in hand of the key beyond the batch. Without it, the one record in hand is kept. */
  keep?(key: number): void;
  /** The stream ends, or at least the key's: it is forgotten. */
  end(key: number): void;
}

/**
 * The operator that follows `rules`. Before each row come the deadlines that the watermark in force had
 * reached when it arrived, earliest first and then by key.
 */
export function holding(table: KeyedTable, held: Held, rules: HoldingRules): Operator {
  const keys = new KeyIds();
  const visit = (key: number, time: number): void => {
    // A deadline may be set that has already passed.
    held.now = Math.max(held.now, time);
    if (held.isDue(key, time)) rules.due?.(key, time);
  };
  const keep = (key: number): void => {
    if (rules.keep === undefined) held.keepHeld(key);
    else rules.keep(key);
  };
  const open = (batch: Batch | null, out: Collector): void => {
    held.open(batch, out);
    rules.open?.(table.cells);
  };
  return {
    onBatch(batch, out) {
      const { selection, count, watermark } = batch;
      const ids = keys.of(table, batch);
      open(batch, out);
      rules.begin?.(batch);
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const key = ids[i]! | 0;
        const now = watermark[row]!;
        if (held.next <= now) {
          table.timers.due(now, visit);
          held.next = table.due;
        }
        held.now = now;
        if (key === noKeySigned) held.leaveRow(row, "overflow");
        else rules.row(key, row, batch);
      }
      // Where keys are fewer than rows, all of them are looked at: that is as good, and sooner done.
      if (table.keys.size < count) for (let key = 0; key < table.keys.size; key++) keep(key);
      else for (let i = 0; i < count; i++) if ((ids[i]! | 0) !== noKeySigned) keep(ids[i]!);
      held.close();
    },
    onForget(_keys, key, out) {
      open(null, out);
      rules.end(key);
      held.close();
    },
    onWatermark(watermark, out) {
      open(null, out);
      if (watermark === Number.POSITIVE_INFINITY) {
        // The end is no event: what was not due by then is not due at all.
        held.now = held.reached;
        for (let key = 0; key < table.keys.size; key++) rules.end(key);
      } else {
        table.timers.due(watermark, visit);
        held.reached = watermark;
      }
      held.close();
    },
  };
}
