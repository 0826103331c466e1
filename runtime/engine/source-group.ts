// Pipelines that read one source, or one that reads several: one decode of the union of the fields that they read, then each
// pipeline on the same immutable columns. Decides who can share; runs in the calling thread.

import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoder, FieldRead } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import type { InputSpec, PipelinePlan } from "../pipeline/pipeline.ts";
import { type EntryClock, sameRead } from "./intake.ts";
import { type EngineOptions, type EngineOutputs, PipelineEngine } from "./pipeline-engine.ts";

/** What all plans read of the source `input`, each once. */
export function unionOfFields(plans: readonly PipelinePlan[], input = 0): FieldRead[] {
  const union: FieldRead[] = [];
  for (const field of plans.flatMap(({ inputs }) => inputs[input]!.fields)) {
    if (!union.some((each) => sameRead(each, field))) union.push(field);
  }
  return union;
}

/** True when a plan reads a field as another type than the group does: they cannot share a decode. */
function conflicts(plan: PipelinePlan, group: readonly PipelinePlan[]): boolean {
  return unionOfFields([plan]).some((field) =>
    unionOfFields(group).some((each) => each.name === field.name && !sameRead(each, field)),
  );
}

/** Plans that can share one source and one decode, in the order given. One with several sources shares none. */
export function groupPlans(plans: readonly PipelinePlan[]): PipelinePlan[][] {
  const groups: { readonly key: string; readonly plans: PipelinePlan[] }[] = [];
  for (const plan of plans) {
    const [{ source, format, message }] = plan.spec.inputs as [InputSpec];
    const alone = plan.inputs.length > 1;
    const key = alone ? "" : JSON.stringify([source, format, message]);
    const group = groups.find((each) => !alone && each.key === key && !conflicts(plan, each.plans));
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
  /** Whether other threads may decode for it: a run is told apart by source, and its payloads by their arrival, only at home. */
  readonly pools: boolean;
  readonly engines: readonly PipelineEngine[];
  /** By source. */
  readonly #decoders: readonly Decoder[];
  readonly #arrived: number[];
  #steady = Number.NEGATIVE_INFINITY;
  readonly #options: GroupOptions;
  readonly #failed = new Map<PipelineEngine, unknown>();

  constructor(plans: readonly PipelinePlan[], options: GroupOptions) {
    this.#options = options;
    const { inputs } = plans[0]!;
    const fields = inputs.map((_input, place) => unionOfFields(plans, place));
    this.pools = inputs.length === 1 && plans.every(({ per }) => per === null);
    this.#decoders = inputs.map(({ spec }, place) =>
      createDecoder(spec.format, fields[place]!, {
        header: options.headers?.[place] ?? [],
        message: spec.message,
      }),
    );
    this.#arrived = inputs.map(() => Number.NEGATIVE_INFINITY);
    this.engines = plans.map((plan) => new PipelineEngine(plan, fields, options.outputs(plan), options));
  }

  /** The clock of payloads of the source `input` that are taken next. */
  clockOf({ arrived, count }: PayloadBatch, now: number, input = 0): EntryClock {
    const before = this.#arrived[input]!;
    let last = before;
    for (let row = 0; row < count; row++) if (arrived[row]! > last) last = arrived[row]!;
    this.#arrived[input] = last;
    return { now, steady: this.#steadied(now), arrived: before };
  }

  /** The clock, standing still after a jump back until it has caught up. */
  #steadied(now: number): number {
    this.#steady = Math.max(this.#steady, now);
    return this.#steady;
  }

  /** Takes payloads of the source `input` to the outputs; returns the ms that went into what the pool could do instead. */
  feed(payloads: PayloadBatch, now: number, input = 0): number {
    return this.feedAt(payloads, this.clockOf(payloads, now, input), input);
  }

  /** The same by a clock that was asked before. */
  feedAt(payloads: PayloadBatch, clock: EntryClock, input = 0): number {
    const started = stopwatch();
    const decoded = this.#decoders[input]!.decode(payloads);
    let stateless_ms = stopwatch() - started;
    this.each((engine) => {
      stateless_ms += engine.feed(payloads, decoded, clock, input);
    });
    return stateless_ms;
  }

  /** Time passes, and a source (all of them when none is named) has nothing. */
  tick(now: number, input: number | null = null): void {
    this.#steadied(now);
    this.each((engine) => engine.tick(now, input));
  }

  /** One of several sources has ended. */
  end(now: number, input: number): void {
    this.each((engine) => engine.end(now, input));
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
