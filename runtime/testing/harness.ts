// Runs a whole pipeline in the calling thread under a virtual clock, without NATS: the same engine and
// the same codecs as a worker's. The clock starts at 0 and follows the records' event time.

import { type PayloadBatch, PayloadBuilder, PayloadOrigin } from "../batch/payloads.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { OutputRow } from "../connect/connect.ts";
import { WeirError } from "../errors.ts";
import { Checkpoints } from "../engine/checkpoints.ts";
import type { DeadLetter } from "../engine/dead-letter.ts";
import { arrivedLast } from "../engine/pipeline-engine.ts";
import type { BranchCounts } from "../engine/status.ts";
import { Homecoming } from "../engine/homecoming.ts";
import { PoolMembers } from "../engine/pool-members.ts";
import { SourceGroup } from "../engine/source-group.ts";
import type { StepMetric } from "../engine/step-metrics.ts";
import { type PipelineWaiting, waitingOf } from "../engine/waiting.ts";
import type { InputSpec, PipelinePlan, TestLookups, TimeSpec } from "../pipeline/pipeline.ts";
import { exampleSubject } from "../pipeline/subject.ts";
import { type Fields, fromPayload, toPayload } from "./payload.ts";

/** A record this much ahead of the clock does not move it, ms: so that a wrong date can be tested. */
const follows_ms_max = 86_400_000;

const unitsPerMs = { s: 1 / 1000, ms: 1, us: 1000, ns: 1e6 } as const;

/** Checkpoints after which all so far are kept as one. */
const changesMax = 8;

export interface HarnessOptions {
  /** The columns of a CSV source. */
  readonly header?: readonly string[];
  /** Records that make one batch; 1 shows what order alone decides. */
  readonly batchRows?: number;
  /** True: what a pool thread would do is done as it would be there. For pipelines of one source. */
  readonly pooled?: boolean;
  /** True: what a step leaves for later is sent by `goOn`, and at the end; otherwise at once. */
  readonly inParts?: boolean;
}

/** Where a record comes in. */
interface Place {
  /** Needed where there are several. */
  readonly source?: string | null;
  readonly subject?: string | null;
}

export class Harness {
  readonly #plan: PipelinePlan;
  readonly #header: readonly string[];
  #group: SourceGroup;
  #checkpoints: Checkpoints;
  /** What checkpoints gave, the first of them whole. */
  readonly #changes: Uint8Array[] = [];
  readonly #builder: PayloadBuilder;
  readonly #rows: OutputRow[][];
  readonly #batchRows: number;
  readonly #elsewhere: Elsewhere | null;
  readonly #inParts: boolean;
  /** What reference tables hold. */
  readonly #contents = new Map<string, ReferenceContent>();
  #now = 0;
  /** Which source the records in the builder come in by. */
  #input = 0;
  /** What the dead letter got, in order. */
  readonly letters: DeadLetter[] = [];

  constructor(plan: PipelinePlan, options: HarnessOptions = {}) {
    this.#plan = plan;
    this.#header = options.header ?? [];
    this.#batchRows = options.batchRows ?? 1;
    this.#builder = new PayloadBuilder(this.#batchRows);
    this.#rows = plan.branches.map(() => []);
    this.#inParts = options.inParts ?? false;
    this.#group = this.#groupOf(plan);
    this.#elsewhere = options.pooled === true ? new Elsewhere(plan, this.#header) : null;
    this.#checkpoints = new Checkpoints(this.#group.engines[0]!);
  }

  get now(): number {
    return this.#now;
  }

  /** Puts a record in, as its source's payload. */
  record(record: Fields, place: Place = {}): void {
    const { time, format, message } = this.#plan.spec.inputs[this.#inputOf(place)]!;
    const at = timeOf(record, time);
    if (at !== null && at > this.#now && at - this.#now <= follows_ms_max) this.#now = at;
    this.raw(toPayload(format, record, this.#header, message), place);
  }

  /** Puts bytes in. */
  raw(payload: Uint8Array | string, place: Place = {}): void {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const input = this.#inputOf(place);
    // A batch is of one source, and the order in which records come in is kept.
    if (input !== this.#input || !this.#builder.fits(bytes.length)) this.#flush();
    this.#input = input;
    this.#builder.add(bytes, place.subject ?? subjectOf(this.#plan.spec.inputs[input]!), this.#now);
    if (this.#builder.count >= this.#batchRows) this.#flush();
  }

  /** One of several sources comes to its end. */
  end(source: string): void {
    this.#flush();
    this.#group.end(this.#now, this.#inputOf({ source }));
  }

  /** What reference tables hold from here on: by table, the rows by key. Throws where a step cannot use it. */
  lookups(tables: TestLookups): void {
    for (const [table, rows] of Object.entries(tables)) {
      const bytes = new TextEncoder().encode(JSON.stringify(rows));
      this.refer(table, { kind: "file", name: table, format: "json", bytes });
    }
  }

  /** The same with content as it is read from a file or a bucket. */
  refer(table: string, content: ReferenceContent): void {
    this.#flush();
    const engine = this.#group.engines[0]!;
    engine.refer(table, content);
    this.#contents.set(table, content);
    const fault = engine.references().find((each) => each.table === table)?.fault ?? null;
    if (fault !== null) throw new WeirError("WEIR_REFERENCE", fault.message, { remedy: fault.remedy });
  }

  /** The clock moves on, and nothing arrives. */
  pause(ms: number): void {
    this.#flush();
    this.#now += ms;
    this.#group.tick(this.#now);
  }

  /** There is room for more of what a step has left for later. */
  goOn(): void {
    this.#flush();
    this.#group.goOn();
  }

  /** All that the pipeline remembers, as bytes. */
  snapshot(): Uint8Array {
    this.#flush();
    return this.#group.engines[0]!.snapshot(this.#now);
  }

  /** The process ends and another goes on from its snapshot, with the same reference tables; `plan` is the pipeline read anew. */
  restart(plan: PipelinePlan = this.#plan): void {
    const snapshot = this.snapshot();
    this.#group = this.#groupOf(plan);
    for (const [table, content] of this.#contents) this.refer(table, content);
    this.#group.engines[0]!.restore(snapshot, this.#now);
    this.#checkpoints = new Checkpoints(this.#group.engines[0]!);
    this.#changes.length = 0;
  }

  /** Keeps what has changed since the last checkpoint; returns how many bytes that takes. */
  checkpoint(): number {
    this.#flush();
    const change = this.#checkpoints.take(this.#now);
    if (change !== null) this.#changes.push(change);
    return change?.length ?? 0;
  }

  /** As `restart`, from a last checkpoint and those before it. */
  resume(plan: PipelinePlan = this.#plan): void {
    this.checkpoint();
    // Now and then all of them are put together.
    const whole = this.#checkpoints.whole();
    if (whole !== null && this.#changes.length > changesMax) this.#changes.splice(0, Infinity, whole);
    this.#group = this.#groupOf(plan);
    this.#checkpoints = new Checkpoints(this.#group.engines[0]!);
    this.#checkpoints.restore(this.#changes, this.#now);
    for (const [table, content] of this.#contents) this.refer(table, content);
  }

  /** The stream ends. */
  finish(): void {
    this.#flush();
    this.#group.finish(this.#now);
    this.#catchUp();
  }

  counts(): readonly BranchCounts[] {
    this.#flush();
    return this.#group.engines[0]!.counts();
  }

  /** The numbers that steps show beside their counts. */
  metrics(): readonly StepMetric[] {
    this.#flush();
    return this.#group.engines[0]!.metrics();
  }

  get watermark(): number {
    return this.#group.engines[0]!.watermark;
  }

  /** What it waits for, and which source holds event time back. */
  get waiting(): PipelineWaiting {
    this.#flush();
    return waitingOf(this.#group.engines[0]!.status(), this.#now);
  }

  /** The rows that a branch's sink got, as records. */
  rows(branch: number): readonly Fields[] {
    const plan = this.#plan.branches[branch]!;
    return this.#rows[branch]!.map(({ payload }) => fromPayload(plan, payload));
  }

  /** The same rows with their subjects, as the sink got them. */
  sent(branch: number): readonly OutputRow[] {
    return this.#rows[branch]!;
  }

  #groupOf(plan: PipelinePlan): SourceGroup {
    return new SourceGroup([plan], {
      headers: plan.inputs.map(() => this.#header),
      identity: "test",
      inParts: this.#inParts,
      outputs: () => ({
        row: (branch, row) => this.#rows[branch]!.push(row),
        deadLetter: (letter) => this.letters.push(letter),
      }),
    });
  }

  #flush(): void {
    if (this.#builder.count === 0) return;
    const payloads = this.#builder.view();
    const now = arrivedLast(payloads, this.#now);
    if (this.#elsewhere === null) this.#group.feed(payloads, now, this.#input);
    else this.#elsewhere.feed(this.#group, payloads, now);
    this.#builder.reset();
    if (!this.#inParts) this.#catchUp();
  }

  #catchUp(): void {
    while (this.#group.isBehind) this.#group.goOn();
  }

  #inputOf({ source }: Place): number {
    const { inputs } = this.#plan;
    const place = inputs.length === 1 ? 0 : inputs.findIndex(({ spec }) => spec.name === source);
    if (place < 0) throw new RangeError(`expected the name of a source, got ${source}`);
    return place;
  }
}

/** What a pool thread does, in the calling thread: the stateless part, and the aggregation of any batch, however small. */
class Elsewhere {
  readonly #members: PoolMembers;
  readonly #homecoming: Homecoming;

  constructor(plan: PipelinePlan, header: readonly string[]) {
    this.#members = new PoolMembers([plan], header, Number.POSITIVE_INFINITY);
    this.#homecoming = new Homecoming(plan);
  }

  feed(group: SourceGroup, payloads: PayloadBatch, now: number): void {
    const clock = group.clockOf(payloads, now);
    const part = this.#members.run(payloads, clock).parts[0]!;
    const arrived = this.#homecoming.take(part, 1);
    const batches = this.#homecoming.batches(part, arrived, new PayloadOrigin(payloads));
    group.each((engine) => {
      engine.book(part, now);
      engine.take(part, batches, clock, now);
    });
  }
}

function subjectOf({ source }: InputSpec): string {
  return source.kind === "nats" ? exampleSubject(source.subject) : "";
}

function timeOf(record: Fields, time: TimeSpec | null): number | null {
  const value = time === null ? undefined : record[time.field];
  if (time === null || value === undefined || value === null) return null;
  if (time.unit === "iso") return typeof value === "string" ? Date.parse(value) : null;
  return typeof value === "number" ? value / unitsPerMs[time.unit] : null;
}

/** The law of the ledger for each branch; empty when it holds. */
export function lawFaults(counts: readonly BranchCounts[]): string[] {
  return counts.flatMap((branch) => {
    const ledger = branch.ledger.reduce((total, { records }) => total + records, 0);
    if (branch.in === branch.out + branch.held + ledger) return [];
    return [
      `branch ${branch.name}: in ${branch.in} ≠ out ${branch.out} + held ${branch.held} + ledger ${ledger}`,
    ];
  });
}
