// The end of a branch: rows to payloads with their subjects. Knows the encoder's port and the sink's
// row, and neither opens nor waits for anything.

import { type Batch, type Scalar, valueAt } from "../../operators/sdk/index.ts";
import { weightOf } from "../batch/batch.ts";
import type { Encoder } from "../codec/codec.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { BranchPlan, PipelinePlan } from "../pipeline/pipeline.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { Receiver } from "./receiver.ts";

/** What is not allowed inside a subject, or would give its token another meaning. */
const unsafe = /[\s.*>$\p{C}]/gu;

/** A value as one subject token: it can neither add a token nor turn into a wildcard or a system subject. */
export function subjectToken(value: Scalar): string {
  if (value === null || value === "") return "_";
  return String(value).replace(unsafe, "_");
}

/** By branch of a plan that is run for its sinks, whether somebody takes its rows. */
export function takenBranches({ branches }: PipelinePlan): (branch: number) => boolean {
  return (branch) => branches[branch]!.sink.kind !== "nothing";
}

/** Where a pipeline puts what it makes. */
export interface EngineOutputs {
  /** `branch` is an index into the plan's branches. */
  row(branch: number, row: OutputRow): void;
  /** False for a branch whose rows are only counted; all are taken where it is left out. */
  takes?(branch: number): boolean;
  deadLetter(letter: DeadLetter, arrived: number): void;
}

/** Who takes rows, and how they are written for it. */
export interface Taker {
  readonly encoder: Encoder;
  readonly send: (row: OutputRow) => void;
}

export class Output implements Receiver {
  readonly #plan: BranchPlan;
  readonly #identity: string;
  readonly #taker: Taker | null;
  #sent = 0;
  #records = 0;
  #caused = 0;

  /** `identity` makes row ids unique among runs. Without a taker rows are counted and not even encoded. */
  constructor(plan: BranchPlan, identity: string, taker: Taker | null) {
    this.#plan = plan;
    this.#identity = identity;
    this.#taker = taker;
  }

  /** Rows sent. */
  get rows(): number {
    return this.#sent;
  }

  /** Input records that stand in a row sent. */
  get records(): number {
    return this.#records;
  }

  /** Rows from here on were completed by a record that arrived at `arrived`, wall clock ms. */
  cause(arrived: number): void {
    this.#caused = arrived;
  }

  onBatch(batch: Batch): void {
    this.#records += weightOf(batch);
    const taker = this.#taker;
    if (taker === null) this.#sent += batch.count;
    else taker.encoder.encode(batch, (row, payload) => taker.send(this.#rowOf(batch, row, payload)));
  }

  onWatermark(): void {
    // Rows are complete when they get here.
  }

  /** Counts on from so many rows and records, in row ids as well. */
  restore(rows: number, records: number): void {
    this.#sent = rows;
    this.#records = records;
  }

  #rowOf(batch: Batch, row: number, payload: Uint8Array): OutputRow {
    return {
      subject: this.#subject(batch, row),
      payload,
      id: `${this.#identity}.${this.#sent++}`,
      caused: this.#caused,
    };
  }

  #subject(batch: Batch, row: number): string {
    const { subject } = this.#plan;
    if (subject === null) return "";
    let text = "";
    for (const part of subject.parts) {
      text += typeof part === "string" ? part : subjectToken(valueAt(batch.columns[part.index]!, row));
    }
    return text;
  }
}
