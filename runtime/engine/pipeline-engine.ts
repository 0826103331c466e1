// One pipeline, running: decoded payloads in, rows and dead letters out, all in the calling thread and
// without waiting for anything. The same code runs under the worker, in a thread of its own and in tests.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Course, OneClock } from "./course.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { type EngineParts, restoreFrom, snapshotOf } from "./engine-state.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type Exit, exitsOf, Home } from "./home.ts";
import type { EntryClock } from "./intake.ts";
import { Lanes } from "./lanes.ts";
import { Ledger, type LedgerEntry } from "./ledger.ts";
import { References, type ReferenceStatus } from "./references.ts";
import type { Receiver } from "./stage.ts";
import { joinMetrics, type StepMetric } from "./step-metrics.ts";
import { type Entry, StatelessPart } from "./stateless-part.ts";
import type { PipelineStatus } from "./runner.ts";
import type { Entered } from "./watermark.ts";

/** Where a pipeline puts what it makes. */
export interface EngineOutputs {
  /** `branch` is an index into the plan's branches. */
  row(branch: number, row: OutputRow): void;
  deadLetter(letter: DeadLetter, arrived: number): void;
}

/** For each branch, in = out + held + ledger. All but `rows` count input records. */
export interface BranchCounts {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly ledger: readonly LedgerEntry[];
  /** Rows sent to the sink. */
  readonly rows: number;
}

export interface EngineOptions {
  /** Makes row ids unique among runs of the pipeline. */
  readonly identity: string;
  /** By source, the column names of one in CSV. */
  readonly headers?: readonly (readonly string[] | null)[];
}

/** Passes batches on, and knows how long that took. */
class Metered implements Receiver {
  readonly #next: Receiver;
  #spent_ms = 0;
  constructor(next: Receiver) {
    this.#next = next;
  }
  onBatch(batch: Batch): void {
    const started = stopwatch();
    this.#next.onBatch(batch);
    this.#spent_ms += stopwatch() - started;
  }
  onWatermark(watermark: number): void {
    this.#next.onWatermark(watermark);
  }
  /** The ms since the last time that it was asked. */
  take(): number {
    const spent_ms = this.#spent_ms;
    this.#spent_ms = 0;
    return spent_ms;
  }
}

export class PipelineEngine {
  readonly plan: PipelinePlan;
  /** The stateless part, when it runs at home. */
  readonly #stateless: StatelessPart;
  /** Counts of the stateless part, wherever it ran. */
  readonly #outputs: EngineOutputs;
  readonly #entryLedger: Ledger = new Ledger();
  #entryMetrics: StepMetric[] = [];
  readonly #ledger = new Ledger();
  readonly #exits: readonly Exit[];
  readonly #course: Course;
  readonly #references: References;
  readonly #metered: Metered;
  #in = 0;
  #arrived = 0;

  constructor(
    plan: PipelinePlan,
    decodedFields: readonly (readonly FieldRead[])[],
    outputs: EngineOutputs,
    { identity, headers = [] }: EngineOptions,
  ) {
    this.plan = plan;
    this.#outputs = outputs;
    const deadLetter = (letter: DeadLetter): void => outputs.deadLetter(letter, this.#arrived);
    this.#exits = exitsOf(plan, headers[0] ?? null, identity, (branch, row) => outputs.row(branch, row));
    this.#references = new References(plan);
    const makeHome = (): Home => new Home(plan, this.#ledger, deadLetter, this.#exits, this.#references);
    this.#course =
      plan.per === null
        ? new OneClock(plan.spec.inputs, makeHome())
        : new Lanes(plan, plan.per, this.#ledger, makeHome);
    this.#metered = new Metered(this.#course.entry);
    this.#stateless = new StatelessPart(plan, decodedFields, this.#entryLedger, deadLetter, this.#metered);
  }

  /**
   * Takes a run of payloads of one source from their decoded columns to the outputs; returns the ms that went into what
   * the pool could do instead. Batches reach home one by one as they are made, never held: they do not last.
   */
  feed(payloads: PayloadBatch, decoded: Decoded, clock: EntryClock, input = 0): number {
    const started = stopwatch();
    const { now } = clock;
    const last = arrivedLast(payloads, now);
    this.#caused(last);
    this.#in += decoded.rows;
    this.#course.begin((row) => seenAt(payloads.arrived[row] ?? now, last, now));
    this.#stateless.run(payloads, decoded, clock, input, (batch, entered) =>
      this.#course.entered([batch], seen(entered, last, now), input),
    );
    const stateless_ms = stopwatch() - started - this.#metered.take();
    this.#course.settle();
    return stateless_ms;
  }

  /** Takes the batches, which own their memory, that a stateless part on another thread made. Runs are taken in source order. */
  take(entry: Entry, batches: readonly Batch[], now: number, arrived: number): void {
    this.#caused(arrived);
    this.#in += entry.records;
    this.#course.begin(() => now);
    this.#course.entered(batches, seen(entry, arrived, now), 0);
    for (const batch of batches) this.#course.entry.onBatch(batch);
    this.#course.settle();
  }

  /** Books what a stateless part on another thread left out and showed. */
  book(
    part: {
      readonly ledger: readonly LedgerEntry[];
      readonly letters: readonly DeadLetter[];
      readonly metrics: readonly StepMetric[];
    },
    arrived: number,
  ): void {
    for (const { step, reason, records } of part.ledger) this.#entryLedger.add(step, reason, records);
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
  tick(now: number, input: number | null = null): void {
    this.#caused(now);
    this.#course.tick(now, input);
  }

  /** One of several sources has ended, and holds time back no more. */
  end(now: number, input: number): void {
    this.#caused(now);
    this.#course.end(now, input);
  }

  /** The stream has ended: every open window fires. */
  finish(now: number): void {
    this.#caused(now);
    this.#course.finish();
  }

  /** All that is remembered, as bytes. Between calls only; `now`: wall clock, ms. */
  snapshot(now: number): Uint8Array {
    return snapshotOf(this.#parts(), this.#in, now);
  }

  /**
   * Goes on where the engine stood whose snapshot this is, with row ids as well: whoever sends rows anew that
   * were sent before gives both engines one identity. Throws where the bytes are no snapshot of this
   * pipeline; nothing is changed then.
   */
  restore(snapshot: Uint8Array, now: number): void {
    this.#in = restoreFrom(snapshot, this.#parts(), now);
  }

  /** Event time so far, ms; -Infinity before the first record. */
  get watermark(): number {
    return this.#course.watermark;
  }

  status(): PipelineStatus {
    const { watermark, progress: inputs, waiting: steps } = this.#course;
    const [branches, metrics] = [this.counts(), this.metrics()];
    const references = this.references();
    return { name: this.plan.name, watermark, branches, inputs, metrics, steps, references };
  }

  counts(): BranchCounts[] {
    const shared = [...this.#entryLedger.entries(), ...this.#ledger.entries()];
    return this.#exits.map(({ plan, given, output, ledger }, place) => ({
      name: plan.name,
      in: plan.lateOf === null ? this.#in : given.records,
      out: output.records,
      held: this.#course.held(place),
      ledger: [...(plan.lateOf === null ? shared : []), ...ledger.entries()],
      rows: output.rows,
    }));
  }

  /** The numbers that steps show beside their counts, since the run began. */
  metrics(): StepMetric[] {
    this.#entryMetrics = joinMetrics([...this.#entryMetrics, ...this.#stateless.drainMetrics()]);
    return [...this.#entryMetrics, ...this.#course.metrics];
  }

  #parts(): EngineParts {
    return {
      fingerprint: fingerprintOf(this.plan),
      course: this.#course,
      ledgers: [this.#entryLedger, this.#ledger],
      exits: this.#exits,
    };
  }

  #caused(arrived: number): void {
    this.#arrived = arrived;
    for (const { output } of this.#exits) output.cause(arrived);
  }
}

/** When the last of some payloads arrived: it is what completed the rows that they cause. */
export function arrivedLast(payloads: PayloadBatch, now: number): number {
  return payloads.count === 0 ? now : payloads.arrived[payloads.count - 1]!;
}

/**
 * The clock when a payload that arrived at `arrived` could be seen here, in a run whose last one arrived at
 * `last` and is taken at `now`: a stream's stored payloads arrived at the edge long before.
 */
function seenAt(arrived: number, last: number, now: number): number {
  return Math.min(arrived + Math.max(0, now - last), now);
}

function seen({ latest, moved, arrived }: Entered, last: number, now: number): Entered {
  return { latest, moved: seenAt(moved, last, now), arrived: seenAt(arrived, last, now) };
}
