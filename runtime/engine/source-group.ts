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
}

/** The engines of one group. */
export class SourceGroup {
  readonly fields: readonly FieldRead[];
  readonly engines: readonly PipelineEngine[];
  readonly #decoder: Decoder;

  constructor(plans: readonly PipelinePlan[], options: GroupOptions) {
    this.fields = unionOfFields(plans);
    this.#decoder = createDecoder(plans[0]!.spec.format, this.fields, { header: options.header ?? [] });
    this.engines = plans.map((plan) => new PipelineEngine(plan, this.fields, options.outputs(plan), options));
  }

  /** Takes payloads to the outputs; returns the ms that went into what the pool could do instead. */
  feed(payloads: PayloadBatch, now: number): number {
    const started = stopwatch();
    const decoded = this.#decoder.decode(payloads);
    let stateless_ms = stopwatch() - started;
    for (const engine of this.engines) stateless_ms += engine.feed(payloads, decoded, now);
    return stateless_ms;
  }

  tick(now: number): void {
    for (const engine of this.engines) engine.tick(now);
  }

  finish(now: number): void {
    for (const engine of this.engines) engine.finish(now);
  }
}
