// The entry of a pool thread: decodes a batch and runs the stateless part of every pipeline of one
// source. Keeps nothing between tasks but compiled code and dictionaries.

import { workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import type { Batch } from "../../operators/sdk/index.ts";
import { buffersOf, type CompactBatch, compactBatch } from "../batch/compact.ts";
import { type PayloadBatch, payloadBuffers } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { FieldRead } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { DeadLetter, DeadLetterPort } from "./dead-letter.ts";
import type { EntryClock } from "./intake.ts";
import { Ledger, type LedgerEntry } from "./ledger.ts";
import { loadPlans, type PipelineInput } from "./loader.ts";
import { unionOfFields } from "./source-group.ts";
import type { Receiver } from "./stage.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { Member } from "./step-tree.ts";
import { type Entry, StatelessPart } from "./stateless-part.ts";

/** What a thread is started with. */
export interface PoolThreadData {
  readonly inputs: readonly PipelineInput[];
  readonly header: readonly string[];
}

export interface PoolTask {
  readonly payloads: PayloadBatch;
  readonly clock: EntryClock;
}

export interface PoolPart extends Entry {
  readonly batches: readonly CompactBatch[];
  readonly ledger: readonly LedgerEntry[];
  readonly letters: readonly DeadLetter[];
  readonly metrics: readonly StepMetric[];
}

export interface PoolResult {
  /** By pipeline. */
  readonly parts: readonly PoolPart[];
  /** The task's payloads, on their way back. */
  readonly payloads: PayloadBatch;
  readonly stateless_ms: number;
  readonly gather_ms: number;
}

/** Copies what goes on at once: batches last only as long as the call. */
class Gather implements Receiver {
  #batches: CompactBatch[] = [];
  #spent_ms = 0;
  onBatch(batch: Batch): void {
    const started = stopwatch();
    this.#batches.push(compactBatch(batch));
    this.#spent_ms += stopwatch() - started;
  }
  onWatermark(): void {
    // Before home there is no notion of a watermark.
  }
  /** The batches since the last time, and the ms that copying took. */
  take(): { readonly batches: readonly CompactBatch[]; readonly spent_ms: number } {
    const taken = { batches: this.#batches, spent_ms: this.#spent_ms };
    this.#batches = [];
    this.#spent_ms = 0;
    return taken;
  }
}

/** One pipeline: its part, and where that puts what it makes and leaves out. */
class PoolMember implements Member {
  readonly plan: PipelinePlan;
  readonly part: StatelessPart<PoolMember>;
  readonly gather = new Gather();
  readonly ledger = new Ledger();
  readonly letters: DeadLetter[] = [];
  readonly deadLetter: DeadLetterPort = (letter) => void this.letters.push(letter);

  constructor(plan: PipelinePlan, fields: readonly FieldRead[]) {
    this.plan = plan;
    this.part = new StatelessPart([this], [fields], {
      end: () => this.gather,
      // The batch is run again at home, where it is seen what becomes of the pipeline.
      failed: (_members, error) => {
        throw error;
      },
    });
  }
}

const data = workerData as PoolThreadData;
const plans = await loadPlans(data.inputs);
const fields = unionOfFields(plans);
const { format, message } = plans[0]!.spec.inputs[0]!;
const decoder = createDecoder(format, fields, { header: data.header, message });
const members = plans.map((plan) => new PoolMember(plan, fields));

export default function run(task: PoolTask): unknown {
  const started = stopwatch();
  const decoded = decoder.decode(task.payloads);
  let gather_ms = 0;
  const parts = members.map((member): PoolPart => {
    const { part, gather, ledger, letters } = member;
    const entry = part.run(task.payloads, decoded, task.clock);
    const { batches, spent_ms } = gather.take();
    gather_ms += spent_ms;
    const left = { ledger: ledger.drain(), letters: letters.splice(0) };
    return { ...entry, batches, ...left, metrics: part.drainMetrics(member) };
  });
  const stateless_ms = stopwatch() - started - gather_ms;
  const result: PoolResult = { parts, payloads: task.payloads, stateless_ms, gather_ms };
  const buffers = parts.flatMap(({ batches }) => batches.flatMap(buffersOf));
  return move({
    [transferableSymbol]: [...buffers, ...payloadBuffers(task.payloads)],
    [valueSymbol]: result,
  });
}
