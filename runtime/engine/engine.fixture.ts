// What the engine's tests share: pipelines from plain objects, payloads from records, and outputs that keep
// what they get.

import { catalog } from "../../operators/catalog.ts";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { type PayloadBatch, PayloadBuilder } from "../batch/payloads.ts";
import type { OutputRow } from "../connect/connect.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { exampleLimits } from "../testing/example.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { EngineOutputs } from "./output.ts";

export const source = {
  file: { path: "in.ndjson" },
  format: "json",
  schema: { device: "string", ts: "time", temp: "float64" },
  time: { field: "ts" },
} as const;

export const sink = { sink: { stdout: {}, format: "json" } } as const;

/** The text of a pipeline file; JSON is YAML. */
export function pipelineText(parts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ name: "test", source, limits: exampleLimits, ...parts });
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
  readonly rows: (Omit<OutputRow, "payload"> & { readonly branch: number; readonly text: string })[] = [];
  readonly letters: {
    readonly letter: Omit<DeadLetter, "payload">;
    /** The payload, a character a byte; null when there is none. */
    readonly bytes: string | null;
    readonly arrived: number;
  }[] = [];

  row(branch: number, { payload, ...row }: OutputRow): void {
    this.rows.push({ ...row, branch, text: Buffer.from(payload).toString() });
  }

  deadLetter({ payload, ...letter }: DeadLetter, arrived: number): void {
    const bytes = payload === null ? null : Buffer.from(payload).toString("latin1");
    this.letters.push({ letter, bytes, arrived });
  }

  /** The rows of a branch as records. */
  records(branch = 0): unknown[] {
    return this.rows.filter((each) => each.branch === branch).map(({ text }) => JSON.parse(text) as unknown);
  }
}

/** Without the places in files of operators: the runner of these tests, which loads them here, has a way of its own to do so. */
export class Placeless extends Kept {
  override deadLetter(letter: DeadLetter, arrived: number): void {
    super.deadLetter(
      { ...letter, detail: letter.detail.replace(/ \(operators\.ts:\d+:\d+\)$/, "") },
      arrived,
    );
  }
}
