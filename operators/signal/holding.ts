// The course of an operator that holds records back: rows and deadlines in one order that does not
// depend on how records are cut into batches. Knows no rule of its own.

import type { Batch, Collector, KeyedTable, Operator } from "weir/sdk";
import type { Held } from "./held.ts";
import { KeyIds, noKeySigned } from "./key-ids.ts";

export interface HoldingRules {
  /** Before anything else of a call: the table's cells, which may be others than before. */
  open?(cells: readonly Float64Array[]): void;
  /**
   * The rows of a batch in order, `ids` being their keys: each is to be sent, left, or taken in hand, once `Held.meet`
   * has let it in. Every operator has a loop of its own, because calls from one that all share cost as much as some rules.
   */
  rows(batch: Batch, ids: Uint32Array): void;
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
  held.onDue((key, moment) => rules.due?.(key, moment));
  const open = (batch: Batch | null, out: Collector): void => {
    held.open(batch, out);
    rules.open?.(table.cells);
  };
  const keep = (ids: Uint32Array, count: number): void => {
    if (rules.keep === undefined) held.keepHands();
    // Where keys are fewer than rows, all of them are looked at: that is as good, and sooner done.
    else if (table.keys.size < count) for (let key = 0; key < table.keys.size; key++) rules.keep(key);
    else for (let i = 0; i < count; i++) if ((ids[i]! | 0) !== noKeySigned) rules.keep(ids[i]!);
  };
  return {
    due: () => held.due,
    onBatch(batch, out) {
      const ids = keys.of(table, batch);
      open(batch, out);
      rules.rows(batch, ids);
      keep(ids, batch.count);
      held.close();
    },
    onForget(_keys, key, out) {
      open(null, out);
      held.now = Math.max(held.now, held.reached);
      rules.end(key);
      held.close();
    },
    onWatermark(watermark, out) {
      open(null, out);
      if (watermark === Number.POSITIVE_INFINITY) {
        // The end is no event: what was not due by then is not due at all. What stands before may have let go of its last rows by
        // now, and event time went along with them.
        held.now = Math.max(held.now, held.reached);
        for (let key = 0; key < table.keys.size; key++) rules.end(key);
      } else {
        held.reach(watermark);
        held.reached = watermark;
      }
      held.close();
    },
  };
}
