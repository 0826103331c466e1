// Operators of the user's own. What they choose of a batch is looked at: a row that is none of it would be written from whatever
// lies there. Built-in ones are not asked, whose tests hold them to it.

import type { Batch, OperatorDefinition } from "../../operators/sdk/index.ts";

const strangers = new WeakSet<OperatorDefinition>();

export function addStranger(definition: OperatorDefinition): void {
  strangers.add(definition);
}

/** Throws where a stranger chose rows that the batch does not have. */
export function checkRows(
  definition: OperatorDefinition,
  batch: Batch,
  rows: Uint32Array,
  count: number,
): void {
  if (!strangers.has(definition)) return;
  if (!(count >= 0 && count <= rows.length))
    throw new RangeError(`select: expected at most ${rows.length} rows, got ${count}`);
  for (let i = 0; i < count; i++)
    if (rows[i]! >= batch.rows)
      throw new RangeError(`select: expected rows below ${batch.rows}, got ${rows[i]}`);
}
