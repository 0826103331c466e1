// Readings as an operator sees them: one full batch of columns for a plan, decoded once and not timed.

import type { Batch } from "../../operators/sdk/index.ts";
import { makeBatch } from "../../runtime/batch/batch.ts";
import { createJsonDecoder } from "../../runtime/codec/json/decoder.ts";
import { limits } from "../../runtime/limits.ts";
import type { InputPlan, PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { makeReadings } from "../readings.ts";

/** The first batch of readings, as the chain of `plan` begins with it. */
export function readingsBatch(plan: PipelinePlan): Batch {
  const [{ fields, timeIndex }] = plan.inputs as [InputPlan];
  const payloads = makeReadings(limits.batch_rows_max)[0]!;
  const { columns, rows } = createJsonDecoder(fields).decode(payloads);
  return makeBatch({
    schema: plan.schema,
    columns,
    rows,
    time: columns[timeIndex!]!.values as Float64Array,
    watermark: new Float64Array(rows).fill(Number.NEGATIVE_INFINITY),
  });
}
