// So many rules on one stream, in a process of its own: run by the `rules` benchmark with --expose-gc. Writes
// one JSON object.
//
//     node --expose-gc bench/rules-load.ts RULES RECORDS ROUNDS

import { catalog } from "../operators/catalog.ts";
import { type PayloadBatch, PayloadBuilder } from "../runtime/batch/payloads.ts";
import { stopwatch } from "../runtime/clock.ts";
import { takenBranches } from "../runtime/engine/output.ts";
import { SourceGroup } from "../runtime/engine/source-group.ts";
import { WeirError } from "../runtime/errors.ts";
import { loadPipeline } from "../runtime/pipeline/load.ts";
import type { PipelinePlan } from "../runtime/pipeline/pipeline.ts";
import { lawFaults } from "../runtime/testing/harness.ts";
import { spreadOf } from "./pairs.ts";

export interface RulesFigures {
  /** Of all rules together. */
  readonly ns_per_record: number;
  /** What the process has grown by. */
  readonly bytes_per_rule: number;
  /** From texts to engines that run. */
  readonly start_ms: number;
  readonly rows: number;
}

/** One rule in so many has rows that somebody wants; the others count theirs. */
const wantedEvery = 10;

function planOf(rule: number): PipelinePlan {
  const sink = rule % wantedEvery === 0 ? "stdout: {}, format: json" : "nothing: {}";
  const content = `
name: rule-${rule}
source: { nats: { subject: demo }, format: json }
steps:
  - filter: temperature > 20
  - select: { temperature: temperature }
  - sink: { ${sink} }
`;
  const { plan, diagnostics } = loadPipeline({ file: `rule-${rule}.yaml`, content, catalogue: catalog });
  if (plan === null) throw new WeirError("WEIR_CONFIG", diagnostics[0]?.message ?? "no plan");
  return plan;
}

/** eKuiper's stream: of ten values of temperature only 21 passes. */
function batchesOf(records: number): readonly PayloadBatch[] {
  const builder = new PayloadBuilder();
  const batches: PayloadBatch[] = [];
  for (let place = 0; place < records; place++) {
    const payload = Buffer.from(`{"temperature":${12 + (place % 10)},"humidity":90}`);
    if (!builder.fits(payload.length)) batches.push(builder.take());
    builder.add(payload, "demo", place);
  }
  if (builder.count > 0) batches.push(builder.take());
  return batches;
}

function resident(): number {
  for (let round = 0; round < 3; round++) (globalThis as unknown as { gc(): void }).gc();
  return process.memoryUsage().rss;
}

function measure(rules: number, records: number, rounds: number): RulesFigures {
  const batches = batchesOf(records);
  planOf(-1);
  const before = resident();
  const started = stopwatch();
  let rows = 0;
  const group = new SourceGroup(
    Array.from({ length: rules }, (_, rule) => planOf(rule)),
    {
      headers: [null],
      identity: "bench",
      outputs: (plan) => ({ takes: takenBranches(plan), row: () => rows++, deadLetter: () => undefined }),
    },
  );
  const start_ms = stopwatch() - started;
  const taken: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const from = process.threadCpuUsage();
    for (const batch of batches) group.feed(batch, records);
    const { user, system } = process.threadCpuUsage(from);
    if (round >= 0) taken.push(((user + system) * 1000) / records);
  }
  const bytes_per_rule = (resident() - before) / rules;
  const faults = group.engines.flatMap((engine) => lawFaults(engine.counts()));
  if (faults.length > 0) throw new WeirError("WEIR_INTERNAL", faults.join("; "));
  return { ns_per_record: spreadOf(taken).median, bytes_per_rule, start_ms, rows };
}

const [rules = 0, records = 0, rounds = 0] = process.argv.slice(2).map(Number);
process.stdout.write(`${JSON.stringify(measure(rules, records, rounds))}\n`);
