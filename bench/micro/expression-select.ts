// Filters over one batch of columns: the generated loop against the closures of the same meaning.

import type { Batch } from "../../operators/sdk/index.ts";
import { compile } from "../../runtime/expression/bind.ts";
import type { Backend } from "../../runtime/expression/expression.ts";
import type { Way, Workload } from "./workload.ts";
import { planOf, readingsBatch } from "./readings-batch.ts";

const conditions = ["temp > -60 && temp < 60", 'temp * 1.8 + 32 > 75 || device.startsWith("device-0000")'];

function selecting(text: string, batch: Batch, backend: Backend): Way {
  const compiled = compile(text, batch.schema, { types: ["bool"], backend });
  if (!compiled.ok) throw new TypeError(`${text}: ${compiled.faults[0]!.message}`);
  const condition = compiled.value;
  const rows = new Uint32Array(batch.count);
  return {
    engine: backend,
    answer: () => rows.subarray(0, condition.select(batch, rows)).join(),
    run: () => condition.select(batch, rows),
  };
}

export function expressionSelect(): readonly Workload[] {
  const batch = readingsBatch(planOf("- filter: temp > -60 && device != ''"));
  return conditions.map((text) => ({
    name: `select ${text}`,
    records: batch.count,
    ways: [selecting(text, batch, "code"), selecting(text, batch, "closure")],
  }));
}
