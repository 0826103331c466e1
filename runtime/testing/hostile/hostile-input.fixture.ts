// Inputs of strangers, each by what it is and what becomes of it, and the pipelines that they are given to: one that forwards rows
// as they came beside one that condenses them. Data and plans only; tests give them to an engine and to a worker.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadInput, readInput } from "../../engine/loader.ts";
import type { PipelinePlan } from "../../pipeline/pipeline.ts";

export type HostileFormat = "json" | "msgpack" | "protobuf";

/** Why a record does not enter. */
export type Refusal = "decode" | "type" | "time" | "ahead";

export interface HostileInput {
  readonly what: string;
  readonly payload: Uint8Array;
  /** Why it is refused, or the row that it becomes, as far as it is named here. */
  readonly becomes: Refusal | Readonly<Record<string, unknown>>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const proto = `syntax = "proto3";
message Inner { double x = 1; Inner deeper = 2; }
message Reading {
  string device = 1; int64 ts = 2; optional double temp = 3; optional int64 n = 4; optional bool ok = 5;
  Inner inner = 6; map<string, double> names = 7; repeated double many = 8;
}
`;

/** `source` reads the input; `sinks`: by branch, what stands behind `sink:`. */
export function pipelineText(
  format: HostileFormat,
  {
    name,
    source,
    sinks,
  }: { readonly name: string; readonly source: string; readonly sinks: readonly string[] },
): string {
  const { schema, reads } =
    format === "protobuf"
      ? { schema: "{ ts: time }", reads: "proto: { file: reading.proto, message: Reading }" }
      : {
          schema: "{ device: string, ts: time, temp: float64, n: int64, ok: bool }",
          reads: "framing: message",
        };
  const [rows, windows] = sinks;
  return `name: ${name}
source:
  ${source}
  format: ${format}
  ${reads}
  schema: ${schema}
  time: { field: ts, unit: ms, lateness: 1s, ahead: 1d }
limits: { keys: { max: 1000 } }
steps:
  - branch:
      rows:
        - select: { device: device, temp: temp, n: n, ok: ok }
        - sink: ${rows}
      windows:
        - window: { tumbling: 1m, by: device, select: { records: count(), high: max(temp), total: sum(temp) } }
        - sink: ${windows}
`;
}

/** Plans a pipeline of a file with the .proto file beside it. */
export async function plannedText(text: string): Promise<PipelinePlan> {
  const folder = mkdtempSync(join(tmpdir(), "weir-hostile-"));
  try {
    writeFileSync(join(folder, "reading.proto"), proto);
    const file = join(folder, "hostile.yaml");
    writeFileSync(file, text);
    const { plan, diagnostics } = await loadInput(readInput(file, {}), file);
    if (plan === null) throw new Error(JSON.stringify(diagnostics));
    return plan;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
