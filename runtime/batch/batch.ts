// Batches as the runtime makes them, and the few things done to whole batches.

import type { Batch, Column, Origin, Schema } from "../../operators/sdk/index.ts";

let identity = new Uint32Array(0);

/** Row numbers 0 … rows - 1; shared, never written to. */
export function allRows(rows: number): Uint32Array {
  if (identity.length < rows) {
    identity = new Uint32Array(Math.max(rows, identity.length * 2, 8_192));
    for (let row = 0; row < identity.length; row++) identity[row] = row;
  }
  return identity;
}

/** The fields of a batch, with all rows selected where no selection is given. */
export function makeBatch(parts: {
  readonly schema: Schema;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly time: Float64Array;
  readonly watermark: Float64Array;
  readonly selection?: Uint32Array;
  readonly count?: number;
  readonly weight?: Float64Array | null;
  readonly origin?: Origin | null;
}): Batch {
  return {
    schema: parts.schema,
    columns: parts.columns,
    rows: parts.rows,
    selection: parts.selection ?? allRows(parts.rows),
    count: parts.count ?? parts.rows,
    time: parts.time,
    watermark: parts.watermark,
    weight: parts.weight ?? null,
    origin: parts.origin ?? null,
  };
}

/** How many input records the first `count` rows of `rows` stand for. */
export function weightOf(
  batch: Batch,
  rows: Uint32Array = batch.selection,
  count: number = batch.count,
): number {
  const { weight } = batch;
  if (weight === null) return count;
  let total = 0;
  for (let i = 0; i < count; i++) total += weight[rows[i]!]!;
  return total;
}
