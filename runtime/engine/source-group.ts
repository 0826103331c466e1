// Pipelines that read one source, or one that reads several: one decode of the union of the fields that they read, then all
// pipelines on the same immutable columns, those together that begin alike. Decides who can share; runs in the calling thread.

import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoder, FieldRead } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import type { InputPlan, InputSpec, PipelinePlan } from "../pipeline/pipeline.ts";
import { alike, EntryGroup } from "./entry-group.ts";
import { type EntryClock, sameRead } from "./intake.ts";
import { type EngineOptions, PipelineEngine } from "./pipeline-engine.ts";
import type { EngineOutputs } from "./output.ts";

/** What all plans read of the source `input`, each once. */
export function unionOfFields(plans: readonly PipelinePlan[], input = 0): FieldRead[] {
  const union = new Map<string, FieldRead>();
  for (const { inputs } of plans) {
    for (const field of inputs[input]!.fields) if (!union.has(field.name)) union.set(field.name, field);
  }
  return [...union.values()];
}

/** Plans that share one source and one decode, and what they read of it. */
interface Sharing {
  readonly plans: PipelinePlan[];
  readonly fields: Map<string, FieldRead>;
}

/** True when a plan reads a field as another type than the group does: they cannot share a decode. */
function conflicts(fields: readonly FieldRead[], { fields: shared }: Sharing): boolean {
  return fields.some((field) => {
    const known = shared.get(field.name);
    return known !== undefined && !sameRead(known, field);
  });
}

/** Plans that can share one source and one decode, in the order given. One with several sources shares none. */
export function groupPlans(plans: readonly PipelinePlan[]): PipelinePlan[][] {
  const groups: Sharing[] = [];
  const bySource = new Map<string, Sharing[]>();
  for (const plan of plans) {
    const [{ source, format, framing, message }] = plan.spec.inputs as [InputSpec];
    const [{ fields }] = plan.inputs as [InputPlan];
    const key = JSON.stringify([source, format, framing, message]);
    const known = plan.inputs.length > 1 ? [] : (bySource.get(key) ?? []);
    let group = known.find((each) => !conflicts(fields, each));
    if (group === undefined) {
      group = { plans: [], fields: new Map() };
      groups.push(group);
      if (plan.inputs.length === 1) bySource.set(key, [...known, group]);
    }
    group.plans.push(plan);
    for (const field of fields) group.fields.set(field.name, field);
  }
  return groups.map((group) => group.plans);
}

export interface GroupOptions extends EngineOptions {
  readonly outputs: (plan: PipelinePlan) => EngineOutputs;
  /** Told when one pipeline of several has failed and the others go on. */
  readonly failed?: (plan: PipelinePlan, error: unknown) => void;
  /** Whoever drives it calls `goOn` while it is behind, so that very many rows find room one part after the other. */
  readonly inParts?: boolean;
}

/** The engines of one group. */
export class SourceGroup {
  /** Whether other threads may decode for it: a run is told apart by source, and its payloads by their arrival, only at home. */
  readonly pools: boolean;
  readonly engines: readonly PipelineEngine[];
  /** By source. */
  readonly #fields: readonly (readonly FieldRead[])[];
  readonly #decoders: readonly Decoder[];
  readonly #arrived: number[];
  #steady = Number.NEGATIVE_INFINITY;
  readonly #options: GroupOptions;
  readonly #failed = new Map<PipelineEngine, unknown>();
  /** The engines whose steps are told of time. */
  readonly #timed: readonly PipelineEngine[];
  /** The engines that run; null where it is to be seen anew which of them are alike. */
  #entries: readonly EntryGroup[] | null = null;

  constructor(plans: readonly PipelinePlan[], options: GroupOptions) {
    this.#options = options;
    const { inputs } = plans[0]!;
    this.#fields = inputs.map((_input, place) => unionOfFields(plans, place));
    this.pools = inputs.length === 1 && plans.every(({ per }) => per === null);
    this.#decoders = inputs.map(({ spec }, place) =>
      createDecoder(spec.format, this.#fields[place]!, {
        header: options.headers?.[place] ?? [],
        message: spec.message,
      }),
    );
    this.#arrived = inputs.map(() => Number.NEGATIVE_INFINITY);
    const regroup = (): void => void (this.#entries = null);
    this.engines = plans.map((plan) => new PipelineEngine(plan, options.outputs(plan), options, regroup));
    this.#timed = this.engines.filter(({ waitsForTime }) => waitsForTime);
  }

  /** The clock of payloads of the source `input` that are taken next. */
  clockOf({ arrived, count }: PayloadBatch, now: number, input = 0, elapsed: number = now): EntryClock {
    const before = this.#arrived[input]!;
    let last = before;
    for (let row = 0; row < count; row++) if (arrived[row]! > last) last = arrived[row]!;
    this.#arrived[input] = last;
    return { now, elapsed, steady: this.#steadied(now), arrived: before };
  }

  /** The clock, standing still after a jump back until it has caught up. */
  #steadied(now: number): number {
    this.#steady = Math.max(this.#steady, now);
    return this.#steady;
  }

  /** Takes payloads of the source `input` to the outputs; returns the ms that went into what the pool could do instead. */
  feed(payloads: PayloadBatch, now: number, input = 0, elapsed: number = now): number {
    return this.feedAt(payloads, this.clockOf(payloads, now, input, elapsed), input);
  }

  /** The same by a clock that was asked before. */
  feedAt(payloads: PayloadBatch, clock: EntryClock, input = 0): number {
    const started = stopwatch();
    const decoded = this.#decoders[input]!.decode(payloads);
    let stateless_ms = stopwatch() - started;
    this.#entries ??= this.#entered();
    for (const entry of this.#entries) stateless_ms += entry.feed(payloads, decoded, clock, input);
    this.#endIfNoneIsLeft();
    this.#goOnUnlessInParts();
    return stateless_ms;
  }

  /** Time passes, and a source (all of them when none is named) has nothing. */
  tick(now: number, input: number | null = null, elapsed: number = now): void {
    this.#steadied(now);
    this.#entries ??= this.#entered();
    for (const entry of this.#entries) entry.tick(now, input, elapsed);
    this.#endIfNoneIsLeft();
    this.#goOnUnlessInParts();
  }

  /** One of several sources has ended. */
  end(now: number, input: number, elapsed: number = now): void {
    this.each((engine) => engine.end(now, input, elapsed));
    this.#goOnUnlessInParts();
  }

  /** Open windows fire. Throws what the first pipeline that failed, now or earlier, failed with. */
  finish(now: number): void {
    this.each((engine) => engine.finish(now));
    this.#goOnUnlessInParts();
    const [failure] = this.#failed.values();
    if (failure !== undefined) throw failure;
  }

  /** True where a pipeline has left rows for later, because there were very many. */
  get isBehind(): boolean {
    return this.#timed.some((engine) => engine.isBehind && !this.#failed.has(engine));
  }

  /** Sends some more of them. */
  goOn(): void {
    this.each((engine) => engine.goOn());
  }

  #goOnUnlessInParts(): void {
    if (this.#options.inParts !== true) while (this.isBehind) this.goOn();
  }

  /** Calls `task` with every engine that runs. One that throws runs no more; the others go on. Throws once none is left. */
  each(task: (engine: PipelineEngine, place: number) => void): void {
    for (const entry of this.#entries ?? []) entry.settle();
    for (const [place, engine] of this.engines.entries()) {
      if (this.#failed.has(engine)) continue;
      try {
        task(engine, place);
      } catch (error) {
        this.#fail(engine, error);
      }
    }
    this.#endIfNoneIsLeft();
  }

  #entered(): EntryGroup[] {
    const running = this.engines.filter((engine) => !this.#failed.has(engine));
    const fail = (engine: PipelineEngine, error: unknown): void => this.#fail(engine, error);
    return alike(running).map((engines) => new EntryGroup(engines, this.#fields, fail));
  }

  #fail(engine: PipelineEngine, error: unknown): void {
    if (this.#failed.has(engine)) return;
    for (const entry of this.#entries ?? []) entry.settle();
    this.#failed.set(engine, error);
    this.#entries = null;
    if (this.#failed.size < this.engines.length) this.#options.failed?.(engine.plan, error);
  }

  /** Throws what the last pipeline failed with. */
  #endIfNoneIsLeft(): void {
    if (this.#failed.size === this.engines.length) throw [...this.#failed.values()].at(-1);
  }
}
