// What the engine's tests share: pipelines from plain objects, payloads from records, and outputs that keep
// what they get.

import { catalog } from "../../operators/catalog.ts";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { type PayloadBatch, PayloadBuilder } from "../batch/payloads.ts";
import type { OutputRow } from "../connect/connect.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { EngineOutputs } from "./pipeline-engine.ts";

export const source = {
  file: { path: "in.ndjson" },
  format: "json",
  schema: { device: "string", ts: "time", temp: "float64" },
  time: { field: "ts" },
} as const;

export const sink = { sink: { stdout: {}, format: "json" } } as const;

/** The text of a pipeline file; JSON is YAML. */
export function pipelineText(parts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ name: "test", source, ...parts });
}

export function planOf(
  parts: Readonly<Record<string, unknown>>,
  own: readonly OperatorDefinition[] = [],
): PipelinePlan {
  const content = pipelineText(parts);
  const { plan, diagnostics } = loadPipeline({ file: "test.yaml", content, catalogue: [...catalog, ...own] });
  if (plan === null) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  return plan;
}

export function payloadsOf(
  records: readonly (string | Readonly<Record<string, unknown>>)[],
  arrived = 0,
): PayloadBatch {
  const builder = new PayloadBuilder(Math.max(1, records.length), 1 << 30);
  for (const record of records) {
    const text = typeof record === "string" ? record : JSON.stringify(record);
    builder.add(new TextEncoder().encode(text), "in", arrived);
  }
  return builder.take();
}

/** Outputs that keep everything, in order, as text. */
export class Kept implements EngineOutputs {
  readonly rows: { readonly branch: number; readonly text: string; readonly row: OutputRow }[] = [];
  readonly letters: { readonly letter: DeadLetter; readonly arrived: number }[] = [];

  row(branch: number, row: OutputRow): void {
    // A copy: bytes that change after they were handed out would be noticed.
    const payload = Uint8Array.from(row.payload);
    this.rows.push({ branch, text: new TextDecoder().decode(payload), row: { ...row, payload } });
  }

  deadLetter(letter: DeadLetter, arrived: number): void {
    this.letters.push({ letter, arrived });
  }

  /** The rows of a branch as records. */
  records(branch = 0): unknown[] {
    return this.rows.filter((each) => each.branch === branch).map(({ text }) => JSON.parse(text) as unknown);
  }
}
