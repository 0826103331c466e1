// Rows that an operator leaves out one by one, until they are booked. Decides nothing.

import type { Batch, Reason } from "../../operators/sdk/index.ts";

export interface Left {
  readonly batch: Batch;
  readonly row: number;
  readonly reason: Reason;
  /** Null: counted only, not sent to the dead letter. */
  readonly detail: string | null;
}

/** The selected rows of a batch that are neither among `rows` nor left out one by one. */
export function unchosen(batch: Batch, rows: Uint32Array, count: number, left: readonly Left[]): number[] {
  const others = new Set([...rows.subarray(0, count), ...left.map(({ row }) => row)]);
  return [...batch.selection.subarray(0, batch.count)].filter((row) => !others.has(row));
}
