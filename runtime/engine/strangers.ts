// Operators of the user's own. What they choose of a batch is looked at: a row that is none of it would be written from whatever
// lies there. Built-in ones are not asked, whose tests hold them to it.

import type { Batch, OperatorDefinition } from "../../operators/sdk/index.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";

const strangers = new WeakSet<OperatorDefinition>();

export function addStranger(definition: OperatorDefinition): void {
  strangers.add(definition);
}

/** Of a pipeline whose thread gives no answer, that an operator did not return: which, where only one can be meant. */
export function hungFault({ steps, branches }: PipelinePlan, ms: number): string {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  const own = all.filter(({ definition }) => strangers.has(definition)).map(({ label }) => label);
  const who = own.length === 1 ? `step ${own[0]}` : `one of the steps ${own.join(", ")}`;
  return `${who} did not return within ${ms} ms`;
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
