// weir as a worker runs it at home, from the pipeline file to the sink's payloads: the file is planned with
// the built-in operators, and the engine is fed the batches that a source would deliver. No part of it is
// replaced; only the wire before and after is memory.

import { readFileSync } from "node:fs";
import { catalog } from "../operators/catalog.ts";
import type { PayloadBatch } from "../runtime/batch/payloads.ts";
import { SourceGroup } from "../runtime/engine/source-group.ts";
import { WeirError } from "../runtime/errors.ts";
import { loadPipeline } from "../runtime/pipeline/load.ts";
import type { PipelinePlan } from "../runtime/pipeline/pipeline.ts";
import { lawFaults } from "../runtime/testing/harness.ts";
import type { Contender, Outcome } from "./contender.ts";

const file: URL = new URL("./readings.yaml", import.meta.url);

/** The plan of the benchmark's pipeline file. */
export function readingsPlan(): PipelinePlan {
  const { plan, diagnostics } = loadPipeline({
    file: "bench/readings.yaml",
    content: readFileSync(file),
    catalogue: catalog,
  });
  if (plan === null) {
    throw new WeirError("WEIR_CONFIG", `bench/readings.yaml: ${diagnostics[0]?.message ?? "no plan"}`, {
      remedy: "mend the benchmark's pipeline file",
    });
  }
  return plan;
}

/** One engine, fed once from beginning to end. */
function open(plan: PipelinePlan): (batches: readonly PayloadBatch[]) => Outcome {
  const rows: Uint8Array[] = [];
  let letters = 0;
  const group = new SourceGroup([plan], {
    headers: [],
    identity: "bench",
    outputs: () => ({
      row: (_branch, { payload }) => rows.push(payload),
      deadLetter: () => letters++,
    }),
  });
  return (batches) => {
    let now = 0;
    for (const batch of batches) {
      now = batch.arrived[batch.count - 1]!;
      group.feed(batch, now);
    }
    group.finish(now);
    const counts = group.engines[0]!.counts();
    const faults = lawFaults(counts);
    if (letters > 0) faults.push(`${letters} readings went to the dead letter`);
    if (faults.length > 0) throw new WeirError("WEIR_INTERNAL", faults.join("; "));
    const filtered = counts[0]!.ledger.reduce((total, { records }) => total + records, 0);
    return { rows, filtered };
  };
}

export function weir(): Contender {
  const plan = readingsPlan();
  return { engine: "weir", open: () => open(plan) };
}
