// One pipeline, running: decoded payloads in, rows and dead letters out, all in the calling thread and
// without waiting for anything. The same code runs under the worker, in a thread of its own and in tests.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { type Exit, exitsOf, Home } from "./home.ts";
import { Ledger, type LedgerEntry } from "./ledger.ts";
import type { Receiver } from "./stage.ts";
import { type Entry, StatelessPart } from "./stateless-part.ts";
import { WatermarkTracker } from "./watermark.ts";

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
  /** The column names of a CSV source. */
  readonly header: readonly string[] | null;
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
  readonly #tracker: WatermarkTracker;
  readonly #ledger = new Ledger();
  readonly #exits: readonly Exit[];
  readonly #home: Home;
  readonly #metered: Metered;
  #in = 0;
  #arrived = 0;

  constructor(
    plan: PipelinePlan,
    decodedFields: readonly FieldRead[],
    outputs: EngineOutputs,
    { identity, header }: EngineOptions,
  ) {
    this.plan = plan;
    this.#outputs = outputs;
    this.#tracker = new WatermarkTracker(plan.spec.time);
    const deadLetter = (letter: DeadLetter): void => outputs.deadLetter(letter, this.#arrived);
    this.#exits = exitsOf(plan, header, identity, (branch, row) => outputs.row(branch, row));
    this.#home = new Home(plan, this.#ledger, deadLetter, this.#exits);
    this.#metered = new Metered(this.#home.first);
    this.#stateless = new StatelessPart(plan, decodedFields, this.#entryLedger, deadLetter, this.#metered);
  }

  /**
   * Takes a run of payloads from their decoded columns to the outputs; returns the ms that went into what
   * the pool could do instead. Batches reach home one by one as they are made, never held: they do not last.
   */
  feed(payloads: PayloadBatch, decoded: Decoded, now: number): number {
    const started = stopwatch();
    this.#caused(arrivedLast(payloads, now));
    this.#in += decoded.rows;
    this.#stateless.run(payloads, decoded, now, (batch, latest) =>
      this.#tracker.advance([batch], latest, now),
    );
    const stateless_ms = stopwatch() - started - this.#metered.take();
    this.#home.first.onWatermark(this.#tracker.current);
    return stateless_ms;
  }

  /** Takes the batches, which own their memory, that a stateless part on another thread made. Runs are taken in source order. */
  take({ records, latest }: Entry, batches: readonly Batch[], now: number, arrived: number): void {
    this.#caused(arrived);
    this.#in += records;
    this.#tracker.advance(batches, latest, now);
    for (const batch of batches) this.#home.first.onBatch(batch);
    this.#home.first.onWatermark(this.#tracker.current);
  }

  /** Books what a stateless part on another thread left out. */
  book(entries: readonly LedgerEntry[], letters: readonly DeadLetter[], arrived: number): void {
    for (const { step, reason, records } of entries) this.#entryLedger.add(step, reason, records);
    for (const letter of letters) this.#outputs.deadLetter(letter, arrived);
  }

  /** Time passes without records: idle sources, processing time. */
  tick(now: number): void {
    this.#caused(now);
    const before = this.#tracker.current;
    this.#tracker.tick(now);
    if (this.#tracker.current > before) this.#home.first.onWatermark(this.#tracker.current);
  }

  /** The stream has ended: every open window fires. */
  finish(now: number): void {
    this.#caused(now);
    this.#home.first.onWatermark(Number.POSITIVE_INFINITY);
  }

  /** Event time so far, ms; -Infinity before the first record. */
  get watermark(): number {
    return this.#tracker.current;
  }

  counts(): BranchCounts[] {
    return this.#exits.map((exit, place) => ({
      name: exit.plan.name,
      in: this.#in,
      out: exit.output.records,
      held: this.#home.held(place),
      ledger: [...this.#entryLedger.entries(), ...this.#ledger.entries(), ...exit.ledger.entries()],
      rows: exit.output.rows,
    }));
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
