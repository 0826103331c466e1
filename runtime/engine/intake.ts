// Decoded payloads to the batch that a pipeline's chain begins with: its own columns among those that
// were decoded, event time, and the records that cannot enter (broken, wrong type, no time, too far
// ahead) sent to the dead letter. Depends on nothing but its arguments, so that it can run on any thread.

import type { Batch, Column, Reason } from "../../operators/sdk/index.ts";
import { allRows, makeBatch } from "../batch/batch.ts";
import { TextDictionary } from "../batch/columns.ts";
import { originOf, type PayloadBatch } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import { limits } from "../limits.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type DeadLetterPort, letterOf } from "./dead-letter.ts";
import type { Ledger } from "./ledger.ts";

/** The step under which the ledger counts what could not enter. */
export const intakeStep = "source";

/** True when two reads give the same column. */
export function sameRead(a: FieldRead, b: FieldRead): boolean {
  return a.name === b.name && a.type === b.type && (a.unit ?? "ms") === (b.unit ?? "ms");
}

/** A batch whose `watermark` column still holds the largest event time seen before each row within this batch. */
export interface EntryBatch {
  readonly batch: Batch;
  /** The largest event time that entered; -Infinity when none did. */
  readonly latest: number;
}

export class Intake {
  readonly #plan: PipelinePlan;
  /** By field of the plan, its place among the decoded columns. */
  readonly #places: readonly number[];
  /** By decoded column, true when this pipeline reads it. */
  readonly #reads: readonly boolean[];
  readonly #ledger: Ledger;
  readonly #deadLetter: DeadLetterPort;
  readonly #subjectTexts: TextDictionary[];
  #selection = new Uint32Array(0);
  #before = new Float64Array(0);

  constructor(
    plan: PipelinePlan,
    decodedFields: readonly FieldRead[],
    ledger: Ledger,
    deadLetter: DeadLetterPort,
  ) {
    this.#plan = plan;
    this.#places = plan.fields.map((field) => decodedFields.findIndex((each) => sameRead(each, field)));
    this.#reads = decodedFields.map((_field, place) => this.#places.includes(place));
    this.#ledger = ledger;
    this.#deadLetter = deadLetter;
    this.#subjectTexts = plan.subjectFields.map(() => new TextDictionary());
  }

  /** `now`: wall clock, ms; what lies further ahead of it than the plan allows does not enter. */
  enter(payloads: PayloadBatch, decoded: Decoded, now: number): EntryBatch {
    const { rows } = decoded;
    if (this.#selection.length < rows) {
      this.#selection = new Uint32Array(Math.max(rows, limits.batch_rows_max));
      this.#before = new Float64Array(this.#selection.length);
    }
    const columns = this.#places.map((place) => decoded.columns[place]!);
    for (let i = 0; i < this.#plan.subjectFields.length; i++) columns.push(this.#subjectColumn(payloads, i));
    const { timeIndex } = this.#plan;
    const timeColumn = timeIndex === null ? null : columns[timeIndex]!;
    const time = timeColumn === null ? new Float64Array(rows).fill(now) : (timeColumn.values as Float64Array);
    const batch = makeBatch({
      schema: this.#plan.schema,
      columns,
      rows,
      time,
      watermark: this.#before,
      selection: this.#selection,
      origin: originOf(payloads),
    });
    const timeValid = timeColumn?.valid ?? null;
    if (decoded.faults.length === 0 && timeValid === null) {
      const latest = this.#admitAll(batch, now);
      if (latest !== null) return { batch: { ...batch, selection: allRows(rows) }, latest };
    }
    const { count, latest } = this.#admit(batch, decoded, timeValid, now);
    return { batch: { ...batch, count }, latest };
  }

  /** The latest time of a batch whose every row may enter, which is the rule; null when one may not. */
  #admitAll({ time, rows }: Batch, now: number): number | null {
    const before = this.#before;
    const ahead = this.#aheadOf(now);
    let latest = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const at = time[row]!;
      before[row] = latest;
      if (at <= latest) continue;
      if (at > ahead) return null;
      latest = at;
    }
    return latest;
  }

  #aheadOf(now: number): number {
    const { time } = this.#plan.spec;
    return time === null ? Number.POSITIVE_INFINITY : now + time.ahead;
  }

  /** Selects the rows that may enter, noting before each the largest time so far. */
  #admit(
    batch: Batch,
    decoded: Decoded,
    timeValid: Uint8Array | null,
    now: number,
  ): { count: number; latest: number } {
    const selection = this.#selection;
    const before = this.#before;
    const { time, rows } = batch;
    const spec = this.#plan.spec.time;
    const ahead = this.#aheadOf(now);
    const { faults } = decoded;
    let nextFault = 0;
    let latest = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      if (nextFault < faults.length && faults[nextFault]!.row === row) {
        let refusal: { reason: Reason; detail: string } | null = null;
        while (nextFault < faults.length && faults[nextFault]!.row === row) {
          const fault = faults[nextFault++]!;
          if (fault.field < 0 || this.#reads[fault.field]) refusal ??= fault;
        }
        if (refusal !== null) {
          this.#refuse(batch, row, refusal.reason, refusal.detail);
          continue;
        }
      }
      if (timeValid !== null && timeValid[row] === 0) {
        this.#refuse(batch, row, "time", `expected a time in field ${spec?.field ?? ""}, got none`);
        continue;
      }
      const at = time[row]!;
      if (at > ahead) {
        this.#refuse(batch, row, "ahead", `event time is ${Math.round(at - now)} ms ahead of the clock`);
        continue;
      }
      before[row] = latest;
      if (at > latest) latest = at;
      selection[count++] = row;
    }
    return { count, latest };
  }

  #refuse(batch: Batch, row: number, reason: Reason, detail: string): void {
    this.#ledger.add(intakeStep, reason, 1);
    this.#deadLetter(letterOf(batch, row, intakeStep, reason, detail));
  }

  #subjectColumn(payloads: PayloadBatch, which: number): Column {
    const { token } = this.#plan.subjectFields[which]!;
    let dictionary = this.#subjectTexts[which]!;
    if (dictionary.size >= limits.dictionary_entries_max) {
      dictionary = new TextDictionary();
      this.#subjectTexts[which] = dictionary;
    }
    const codes = payloads.subjects.map((subject) => dictionary.code(subject.split(".")[token] ?? ""));
    const values = new Int32Array(payloads.count);
    for (let row = 0; row < values.length; row++) values[row] = codes[payloads.subject[row]!]!;
    return { type: "string", values, valid: null, dictionary };
  }
}
