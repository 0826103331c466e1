// One pipeline, running: decoded payloads in, rows and dead letters out, all in the calling thread and
// without waiting for anything. The same code runs under the worker, in a thread of its own and in tests.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";
import type { Plain } from "../state/plain.ts";
import { type Arrivals, type Course, OneClock } from "./course.ts";
import type { DeadLetter, DeadLetterPort } from "./dead-letter.ts";
import {
  type EngineNumbers,
  type EngineParts,
  type GoingOn,
  restoreFrom,
  restoreTree,
  snapshotOf,
  treeOf,
} from "./engine-state.ts";
import { earlierFingerprintsOf, fingerprintOf } from "./fingerprint.ts";
import { type Exit, exitsOf, Home } from "./home.ts";
import type { EntryClock } from "./intake.ts";
import { Lanes } from "./lanes.ts";
import { type BookedEntry, Ledger, partedEntries } from "./ledger.ts";
import { References, type ReferenceStatus } from "./references.ts";
import { partialStepOf } from "./partial-step.ts";
import type { Receiver } from "./receiver.ts";
import { joinMetrics, type StepMetric } from "./step-metrics.ts";
import type { Entry } from "./stateless-part.ts";
import type { EngineOutputs } from "./output.ts";
import type { BranchCounts, PipelineStatus } from "./status.ts";
import type { Entered } from "./watermark.ts";

export interface EngineOptions {
  /** Makes row ids unique among runs of the pipeline. */
  readonly identity: string;
  /** By source, the column names of one in CSV. */
  readonly headers?: readonly (readonly string[] | null)[];
}

/** Where an engine's stateless steps run, with those of others that are like it. */
export interface JointEntry {
  /** The numbers that its steps there show. */
  shown(): readonly StepMetric[];
  /** Lets it follow what has been done for all of them. */
  settle(): void;
}

const idleEntry: JointEntry = { shown: () => [], settle: () => undefined };

export class PipelineEngine {
  readonly plan: PipelinePlan;
  readonly #outputs: EngineOutputs;
  /** Counts what the stateless steps leave out, wherever they run. */
  readonly ledger: Ledger = new Ledger();
  readonly deadLetter: DeadLetterPort;
  /** What they showed elsewhere, and what they show where they run now. */
  #entryMetrics: StepMetric[] = [];
  #entry: JointEntry = idleEntry;
  readonly #ledger = new Ledger();
  readonly #exits: readonly Exit[];
  readonly #course: Course;
  readonly #references: References;
  readonly #moved: () => void;
  /** The step of which a part may run on another thread. */
  readonly #partialStep: StepPlan | null;
  #in = 0;
  #arrived = 0;
  #fingerprint: Uint8Array | null = null;

  constructor(
    plan: PipelinePlan,
    outputs: EngineOutputs,
    { identity, headers = [] }: EngineOptions,
    moved: () => void = () => undefined,
  ) {
    this.plan = plan;
    this.#outputs = outputs;
    this.#moved = moved;
    this.#partialStep = partialStepOf(plan);
    this.deadLetter = (letter) => outputs.deadLetter(letter, this.#arrived);
    this.#exits = exitsOf(plan, headers[0] ?? null, identity, outputs);
    this.#references = new References(plan);
    const makeHome = (): Home => new Home(plan, this.#ledger, this.deadLetter, this.#exits, this.#references);
    this.#course =
      plan.per === null
        ? new OneClock(plan.spec.inputs, makeHome())
        : new Lanes(plan, plan.per, this.#ledger, makeHome);
  }

  /** A run of payloads begins, of which the last one arrived at `last`. */
  begin(records: number, last: number, arrivals: Arrivals): void {
    this.caused(last);
    this.#in += records;
    this.#course.begin(arrivals);
  }

  /** Batches of the run have entered by the source `input`; their `watermark` columns are written. */
  entered(batches: readonly Batch[], entered: Entered, input: number): void {
    this.#course.entered(batches, entered, input);
  }

  /** Where batches go that have come through the stateless steps. */
  get entry(): Receiver {
    return this.#course.entry;
  }

  /** The run has come through. */
  settle(): void {
    this.#course.settle();
  }

  /** Its stateless steps run elsewhere from here on, together with those of others. */
  join(entry: JointEntry): void {
    this.#entryMetrics = this.#shownOnEntry();
    this.#entry = entry;
  }

  /** True where steps at home have to be told of time. */
  get waitsForTime(): boolean {
    return this.#course.waitsForTime;
  }

  /** `records` more have come in, and event time has come as far as that of `first`. */
  follow(first: PipelineEngine, records: number): void {
    this.#in += records;
    this.#course.follow(first.#course);
  }

  /**
   * Takes the batches, which own their memory, that a stateless part on another thread made. Runs are taken in source order.
   * `isPartial`: their records were aggregated there.
   */
  take(
    entry: Entry & { readonly isPartial: boolean },
    batches: readonly Batch[],
    clock: Taken,
    arrived: number,
  ): void {
    this.#entry.settle();
    this.begin(entry.records, arrived, () => clock.elapsed);
    this.#course.entered(batches, seen(entry, arrived, clock), 0);
    for (const batch of batches)
      if (entry.isPartial) this.#course.merge(batch);
      else this.#course.entry.onBatch(batch);
    this.#course.settle();
  }

  /** Books what a stateless part on another thread left out and showed. */
  book(
    part: {
      readonly ledger: readonly BookedEntry[];
      readonly letters: readonly DeadLetter[];
      readonly metrics: readonly StepMetric[];
    },
    arrived: number,
  ): void {
    // A step at home may have had its part there.
    const home = this.#partialStep?.label;
    for (const { step, reason, records } of part.ledger)
      (step === home ? this.#ledger : this.ledger).add(step, reason, records);
    for (const letter of part.letters) this.#outputs.deadLetter(letter, arrived);
    this.#entryMetrics = joinMetrics([...this.#entryMetrics, ...part.metrics]);
  }

  /** New content of a reference table, for the batches from here on. What cannot be used is counted, and the old stays. */
  refer(table: string, content: ReferenceContent): void {
    this.#references.replace(table, content);
  }

  references(): readonly ReferenceStatus[] {
    return this.#references.status();
  }

  /** Time passes, and a source (all of them when none is named) has nothing: idle sources, processing time. */
  tick(now: number, input: number | null = null, elapsed: number = now): void {
    this.caused(now);
    this.#course.tick(now, input, elapsed);
  }

  /** One of several sources has ended, and holds time back no more. */
  end(now: number, input: number, elapsed: number = now): void {
    this.caused(now);
    this.#course.end(now, input, elapsed);
  }

  /** The stream has ended: every open window fires. */
  finish(now: number): void {
    this.caused(now);
    this.#course.finish();
  }

  /** True where a step has left rows for later, because there were very many. */
  get isBehind(): boolean {
    return this.#course.isBehind;
  }

  /** Sends some more of them. */
  goOn(): void {
    if (this.#course.isBehind) this.#course.goOn();
  }

  /** All that is remembered, as bytes. Between calls only. */
  snapshot(elapsed: number): Uint8Array {
    this.#entry.settle();
    return snapshotOf(this.#parts(), this.#numbers(), elapsed);
  }

  /** The same as plain data, most of it views of live memory: to be read before the next call. */
  tree(): Plain {
    this.#entry.settle();
    return treeOf(this.#parts(), this.#numbers());
  }

  /**
   * Goes on where the engine stood whose snapshot this is, with row ids as well: whoever sends rows anew that
   * were sent before gives both engines one identity. Throws where the bytes are no snapshot of this
   * pipeline; nothing is changed then. Reference tables may be given before or after.
   */
  restore(snapshot: Uint8Array, elapsed: number): void {
    this.#entry.settle();
    this.#goOn(restoreFrom(snapshot, this.#goingOn(), elapsed));
  }

  /** The same with a tree that was made `passed` ms ago; nothing of it is kept. */
  restoreTree(tree: Plain, passed: number): void {
    this.#entry.settle();
    this.#goOn(restoreTree(tree, this.#goingOn(), passed));
  }

  #goOn({ records, metrics }: EngineNumbers): void {
    this.#in = records;
    // What the entry shows so far is of what was before.
    this.#entry = idleEntry;
    this.#entryMetrics = [...metrics];
    this.#moved();
  }

  /** Equal for engines whose event time goes on alike from here on; null where no other's does. */
  get standing(): string | null {
    this.#entry.settle();
    return this.#course.standing;
  }

  /** Event time so far, ms; -Infinity before the first record. */
  get watermark(): number {
    this.#entry.settle();
    return this.#course.watermark;
  }

  status(): PipelineStatus {
    this.#entry.settle();
    const { watermark, progress: inputs, waiting: steps } = this.#course;
    const [branches, metrics] = [this.counts(), this.metrics()];
    const references = this.references();
    return { name: this.plan.name, watermark, branches, inputs, metrics, steps, references };
  }

  counts(): BranchCounts[] {
    this.#entry.settle();
    const shared = [...this.ledger.entries(), ...this.#ledger.entries()];
    return this.#exits.map(({ plan, given, output, ledger: own }, place) => {
      const { ledger, made } = partedEntries([...(plan.lateOf === null ? shared : []), ...own.entries()]);
      return {
        name: plan.name,
        in: (plan.lateOf === null ? this.#in : given.records) + made,
        out: output.records,
        held: this.#course.held(place),
        ledger,
        rows: output.rows,
      };
    });
  }

  /** The numbers that steps show beside their counts, since the run began. */
  metrics(): StepMetric[] {
    return [...this.#shownOnEntry(), ...this.#course.metrics];
  }

  #shownOnEntry(): StepMetric[] {
    return joinMetrics([...this.#entryMetrics, ...this.#entry.shown()]);
  }

  #numbers(): EngineNumbers {
    return { records: this.#in, metrics: this.#shownOnEntry() };
  }

  #parts(): EngineParts {
    this.#fingerprint ??= fingerprintOf(this.plan);
    return {
      name: this.plan.name,
      fingerprint: this.#fingerprint,
      course: this.#course,
      ledgers: [this.ledger, this.#ledger],
      exits: this.#exits,
    };
  }

  #goingOn(): GoingOn {
    return { ...this.#parts(), earlierFingerprints: earlierFingerprintsOf(this.plan) };
  }

  /** What comes out from here on was caused by a record that arrived at `arrived`. */
  caused(arrived: number): void {
    this.#arrived = arrived;
    for (const { output } of this.#exits) output.cause(arrived);
  }
}

/** When the last of some payloads arrived: it is what completed the rows that they cause. */
export function arrivedLast(payloads: PayloadBatch, now: number): number {
  return payloads.count === 0 ? now : payloads.arrived[payloads.count - 1]!;
}

/** When a run of payloads is taken. */
export type Taken = Pick<EntryClock, "now" | "elapsed">;

/**
 * When a payload that arrived at `arrived` could be seen here, by the clock that nobody sets, in a run whose last one arrived
 * at `last`: a stream's stored payloads arrived at the edge long before they are taken.
 */
export function seenAt(arrived: number, last: number, { now, elapsed }: Taken): number {
  return elapsed - Math.max(0, now - arrived - Math.max(0, now - last));
}

export function seen({ latest, moved, arrived }: Entered, last: number, taken: Taken): Entered {
  return { latest, moved: seenAt(moved, last, taken), arrived: seenAt(arrived, last, taken) };
}
