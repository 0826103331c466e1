// Runs an operator as the reference shows it: as a pipeline of one step, over the records of an example.

import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "./harness.ts";
import type { Fields } from "./payload.ts";

type Example = OperatorDefinition["examples"][number];

export interface ExampleResult {
  readonly rows: readonly Fields[];
  /** Where the law of the ledger is broken; empty when it holds. */
  readonly faults: readonly string[];
}

/** What a pipeline declares that is run for its rows: enough for every operator, and never what is tested. */
export const exampleLimits = { keys: { max: 100_000 }, rate: "1000/s", memory: "1048576GiB" } as const;

/** The pipeline of one step. `time` adds to what is said of event time, where there is any; `bounds` of its keys stand beside the operator. */
export function planOfOne(
  definition: OperatorDefinition,
  example: Pick<Example, "config" | "schema" | "time">,
  time: Readonly<Record<string, string>> = {},
  bounds: Readonly<Record<string, unknown>> = {},
): PipelinePlan {
  const pipeline = {
    name: "example",
    source: {
      file: { path: "example.ndjson" },
      format: "json",
      schema: example.schema,
      ...(example.time === undefined ? {} : { time: { field: example.time, ...time } }),
    },
    // With few keys there is room for few records.
    limits: "keys" in bounds ? { ...exampleLimits, rate: "1/h" } : exampleLimits,
    steps: [{ [definition.name]: example.config, ...bounds }, { sink: { stdout: {}, format: "json" } }],
  };
  const { plan, diagnostics } = loadPipeline({
    file: "example",
    content: JSON.stringify(pipeline),
    catalogue: [definition],
  });
  if (plan !== null) return plan;
  throw new Error(`${definition.name}: ${diagnostics.map(({ message }) => message).join("; ")}`);
}

/** The rows that the operator makes of the example's input, `batchRows` records a batch. */
export function runExample(definition: OperatorDefinition, example: Example, batchRows = 1): ExampleResult {
  const { lateness } = example;
  const plan = planOfOne(definition, example, lateness === undefined ? {} : { lateness });
  const harness = new Harness(plan, { batchRows });
  harness.lookups(example.lookups ?? {});
  for (const record of example.input) harness.record(record);
  harness.finish();
  return { rows: harness.rows(0), faults: lawFaults(harness.counts()) };
}
