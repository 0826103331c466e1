// Runs a whole pipeline in the calling thread under a virtual clock, without NATS: the same engine and
// the same codecs as a worker's. The clock starts at 0 and follows the records' event time.

import { PayloadBuilder } from "../batch/payloads.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { DeadLetter } from "../engine/dead-letter.ts";
import type { BranchCounts } from "../engine/pipeline-engine.ts";
import { SourceGroup } from "../engine/source-group.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Fields, fromPayload, toPayload } from "./payload.ts";

/** A record this much ahead of the clock does not move it, ms: so that a wrong date can be tested. */
const follows_ms_max = 86_400_000;

const unitsPerMs = { s: 1 / 1000, ms: 1, us: 1000, ns: 1e6 } as const;

export interface HarnessOptions {
  /** The columns of a CSV source. */
  readonly header?: readonly string[];
  /** Records that make one batch; 1 shows what order alone decides. */
  readonly batchRows?: number;
}

export class Harness {
  readonly #plan: PipelinePlan;
  readonly #header: readonly string[];
  readonly #group: SourceGroup;
  readonly #builder: PayloadBuilder;
  readonly #rows: OutputRow[][];
  readonly #batchRows: number;
  #now = 0;
  /** What the dead letter got, in order. */
  readonly letters: DeadLetter[] = [];

  constructor(plan: PipelinePlan, options: HarnessOptions = {}) {
    this.#plan = plan;
    this.#header = options.header ?? [];
    this.#batchRows = options.batchRows ?? 1;
    this.#builder = new PayloadBuilder(this.#batchRows);
    this.#rows = plan.branches.map(() => []);
    this.#group = new SourceGroup([plan], {
      header: this.#header,
      identity: "test",
      outputs: () => ({
        row: (branch, row) => this.#rows[branch]!.push(row),
        deadLetter: (letter) => this.letters.push(letter),
      }),
    });
  }

  get now(): number {
    return this.#now;
  }

  /** Puts a record in, as the source's payload. */
  record(record: Fields, subject?: string): void {
    const at = this.#timeOf(record);
    if (at !== null && at > this.#now && at - this.#now <= follows_ms_max) this.#now = at;
    this.raw(toPayload(this.#plan.spec.format, record, this.#header), subject);
  }

  /** Puts bytes in. */
  raw(payload: Uint8Array | string, subject: string = this.#subject()): void {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    if (!this.#builder.fits(bytes.length)) this.#flush();
    this.#builder.add(bytes, subject, this.#now);
    if (this.#builder.count >= this.#batchRows) this.#flush();
  }

  /** The clock moves on, and nothing arrives. */
  pause(ms: number): void {
    this.#flush();
    this.#now += ms;
    this.#group.tick(this.#now);
  }

  /** The stream ends. */
  finish(): void {
    this.#flush();
    this.#group.finish(this.#now);
  }

  counts(): readonly BranchCounts[] {
    this.#flush();
    return this.#group.engines[0]!.counts();
  }

  get watermark(): number {
    return this.#group.engines[0]!.watermark;
  }

  /** The rows that a branch's sink got, as records. */
  rows(branch: number): readonly Fields[] {
    const { format, rows } = this.#plan.branches[branch]!;
    return this.#rows[branch]!.map(({ payload }) => fromPayload(format, payload, rows));
  }

  /** The same rows with their subjects, as the sink got them. */
  sent(branch: number): readonly OutputRow[] {
    return this.#rows[branch]!;
  }

  #flush(): void {
    if (this.#builder.count === 0) return;
    this.#group.feed(this.#builder.view(), this.#now);
    this.#builder.reset();
  }

  #subject(): string {
    const { source } = this.#plan.spec;
    return source.kind === "nats" ? source.subject.replaceAll(/\{[^}]*\}|\*|>/g, "x") : "";
  }

  #timeOf(record: Fields): number | null {
    const { time } = this.#plan.spec;
    const value = time === null ? undefined : record[time.field];
    if (time === null || value === undefined || value === null) return null;
    if (time.unit === "iso") return typeof value === "string" ? Date.parse(value) : null;
    return typeof value === "number" ? value / unitsPerMs[time.unit] : null;
  }
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
