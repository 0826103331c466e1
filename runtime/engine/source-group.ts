// Pipelines that read one source: one decode of the union of the fields that they read, then each
// pipeline on the same immutable columns. Decides who can share; runs in the calling thread.

import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoder, FieldRead } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { sameRead } from "./intake.ts";
import { type EngineOptions, type EngineOutputs, PipelineEngine } from "./pipeline-engine.ts";

/** What all plans read, each once. */
export function unionOfFields(plans: readonly PipelinePlan[]): FieldRead[] {
  const union: FieldRead[] = [];
  for (const field of plans.flatMap(({ fields }) => fields)) {
    if (!union.some((each) => sameRead(each, field))) union.push(field);
  }
  return union;
}

/** True when a plan reads a field as another type than the group does: they cannot share a decode. */
function conflicts(plan: PipelinePlan, group: readonly PipelinePlan[]): boolean {
  return plan.fields.some((field) =>
    group.some((other) => other.fields.some((each) => each.name === field.name && !sameRead(each, field))),
  );
}

/** Plans that can share one source and one decode, in the order given. */
export function groupPlans(plans: readonly PipelinePlan[]): PipelinePlan[][] {
  const groups: { readonly key: string; readonly plans: PipelinePlan[] }[] = [];
  for (const plan of plans) {
    const key = JSON.stringify([plan.spec.source, plan.spec.format]);
    const group = groups.find((each) => each.key === key && !conflicts(plan, each.plans));
    if (group === undefined) groups.push({ key, plans: [plan] });
    else group.plans.push(plan);
  }
  return groups.map((group) => group.plans);
}

export interface GroupOptions extends EngineOptions {
  readonly outputs: (plan: PipelinePlan) => EngineOutputs;
  /** Told when one pipeline of several has failed and the others go on. */
  readonly failed?: (plan: PipelinePlan, error: unknown) => void;
}

/** The engines of one group. */
export class SourceGroup {
  readonly fields: readonly FieldRead[];
  readonly engines: readonly PipelineEngine[];
  readonly #decoder: Decoder;
  readonly #options: GroupOptions;
  readonly #failed = new Map<PipelineEngine, unknown>();

  constructor(plans: readonly PipelinePlan[], options: GroupOptions) {
    this.#options = options;
    this.fields = unionOfFields(plans);
    this.#decoder = createDecoder(plans[0]!.spec.format, this.fields, { header: options.header ?? [] });
    this.engines = plans.map((plan) => new PipelineEngine(plan, this.fields, options.outputs(plan), options));
  }

  /** Takes payloads to the outputs; returns the ms that went into what the pool could do instead. */
  feed(payloads: PayloadBatch, now: number): number {
    const started = stopwatch();
    const decoded = this.#decoder.decode(payloads);
    let stateless_ms = stopwatch() - started;
    this.each((engine) => {
      stateless_ms += engine.feed(payloads, decoded, now);
    });
    return stateless_ms;
  }

  tick(now: number): void {
    this.each((engine) => engine.tick(now));
  }

  /** Open windows fire. Throws what the first pipeline that failed, now or earlier, failed with. */
  finish(now: number): void {
    this.each((engine) => engine.finish(now));
    const [failure] = this.#failed.values();
    if (failure !== undefined) throw failure;
  }

  /** Calls `task` with every engine that runs. One that throws runs no more; the others go on. Throws once none is left. */
  each(task: (engine: PipelineEngine, place: number) => void): void {
    for (const [place, engine] of this.engines.entries()) {
      if (this.#failed.has(engine)) continue;
      try {
        task(engine, place);
      } catch (error) {
        this.#failed.set(engine, error);
        if (this.#failed.size === this.engines.length) throw error;
        this.#options.failed?.(engine.plan, error);
      }
    }
  }
}
