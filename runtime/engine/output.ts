// The end of a branch: rows to payloads with their subjects. Knows the encoder's port and the sink's
// row, and neither opens nor waits for anything.

import { type Batch, type Scalar, valueAt } from "../../operators/sdk/index.ts";
import { weightOf } from "../batch/batch.ts";
import type { Encoder } from "../codec/codec.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { BranchPlan } from "../pipeline/pipeline.ts";
import { listOf, type Plain, wholeOf } from "../state/plain.ts";
import type { Receiver } from "./stage.ts";

/** What is not allowed inside a subject token, or would give it another meaning. */
const unsafe = /[\s.*>$\p{Cc}]/gu;

/** A value as one subject token: it can neither add a token nor turn into a wildcard or a system subject. */
export function subjectToken(value: Scalar): string {
  if (value === null || value === "") return "_";
  return String(value).replace(unsafe, "_");
}

export class Output implements Receiver {
  readonly #plan: BranchPlan;
  readonly #encoder: Encoder;
  readonly #identity: string;
  readonly #send: (row: OutputRow) => void;
  #sent = 0;
  #records = 0;
  #caused = 0;

  /** `identity` makes row ids unique among runs. */
  constructor(plan: BranchPlan, encoder: Encoder, identity: string, send: (row: OutputRow) => void) {
    this.#plan = plan;
    this.#encoder = encoder;
    this.#identity = identity;
    this.#send = send;
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
    this.#encoder.encode(batch, (row, payload) => this.#put(batch, row, payload));
  }

  onWatermark(): void {
    // Rows are complete when they get here.
  }

  snapshot(): Plain {
    return [this.#sent, this.#records];
  }

  /** Counts on from `data`, in row ids as well, when the function that is returned is called. */
  restoring(data: Plain): () => void {
    const [sent, records] = listOf(data, 2).map((count) => wholeOf(count)) as [number, number];
    return () => {
      this.#sent = sent;
      this.#records = records;
    };
  }

  #put(batch: Batch, row: number, payload: Uint8Array): void {
    this.#send({
      subject: this.#subject(batch, row),
      payload,
      id: `${this.#identity}.${this.#sent++}`,
      caused: this.#caused,
    });
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
