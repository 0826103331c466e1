// Readings as an operator sees them: a plan of one step, and a full batch of columns for it, decoded once and
// not timed.

import { catalog } from "../../operators/catalog.ts";
import type { Batch } from "../../operators/sdk/index.ts";
import { makeBatch } from "../../runtime/batch/batch.ts";
import { createJsonDecoder } from "../../runtime/codec/json/decoder.ts";
import { limits } from "../../runtime/limits.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import type { InputPlan, PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { makeReadings } from "../readings.ts";

/** The plan of readings with one step, as YAML. */
export function planOf(step: string): PipelinePlan {
  const content = `
name: micro
source: { nats: { subject: sensors }, format: json, time: { field: ts } }
steps:
  ${step}
  - sink: { stdout: {}, format: json }
`;
  const { plan, diagnostics } = loadPipeline({ file: "micro", content, catalogue: catalog });
  if (plan === null) throw new TypeError(diagnostics[0]?.message ?? "no plan");
  return plan;
}

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
