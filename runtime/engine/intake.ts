// Decoded payloads of one source to the batch that a pipeline's chain begins with: its columns among those
// that were decoded, nulls for those of other sources, event time, and the records that cannot enter (broken, wrong type, no time, too far
// ahead) sent to the dead letter. Depends on nothing but its arguments, so that it can run on any thread.

import type { Batch, Column, ColumnOf, Reason } from "../../operators/sdk/index.ts";
import { allRows, makeBatch } from "../batch/batch.ts";
import { nullColumn, TextDictionary } from "../batch/columns.ts";
import { type PayloadBatch, PayloadOrigin } from "../batch/payloads.ts";
import type { Decoded, DecodeFault, FieldRead } from "../codec/codec.ts";
import { limits } from "../limits.ts";
import { type InputPlan, type PipelinePlan, sourceColumn } from "../pipeline/pipeline.ts";
import { aheadText } from "./ahead.ts";
import { type DeadLetterPort, letterOf } from "./dead-letter.ts";
import type { Books } from "./ledger.ts";
import type { Entered } from "./watermark.ts";

/** The step under which the ledger counts what could not enter: `source`, or `source temp` where there are several. */
function intakeStep({ inputs }: PipelinePlan, input: number): string {
  return inputs.length === 1 ? "source" : `source ${inputs[input]!.spec.name}`;
}

/** Whether the ledger names so what could not enter. */
export function isIntakeStep(step: string): boolean {
  return step === "source" || step.startsWith("source ");
}

/** True when two reads give the same column. */
export function sameRead(a: FieldRead, b: FieldRead): boolean {
  return a.name === b.name && a.type === b.type && (a.unit ?? "ms") === (b.unit ?? "ms");
}

/** The clock of a run of payloads of one source, ms. */
export interface EntryClock {
  /** When they are taken. */
  readonly now: number;
  /** The same by the clock that nobody sets. */
  readonly elapsed: number;
  /** The same of a clock that never goes back: the event time of records that have none of their own. */
  readonly steady: number;
  /** When the latest of the source's payloads before them arrived. */
  readonly arrived: number;
}

/** A batch whose `watermark` column still holds the largest event time seen before each row within this batch. */
export interface EntryBatch extends Entered {
  readonly batch: Batch;
}

export class Intake {
  readonly #plan: PipelinePlan;
  readonly #input: InputPlan;
  readonly #step: string;
  /** By field and then subject field of the input, its place among the decoded columns; -1 for those of the subject. */
  readonly #places: readonly number[];
  /** By decoded column, true when this pipeline reads it. */
  readonly #reads: readonly boolean[];
  /** By decoded column, its field. */
  readonly #names: readonly string[];
  readonly #ledger: Books;
  readonly #deadLetter: DeadLetterPort;
  readonly #subjectTexts: TextDictionary[];
  /** Holds the source's name alone. */
  readonly #sourceText = new TextDictionary();
  #selection = new Uint32Array(0);
  #before = new Float64Array(0);

  /** `input`: which of the plan's sources. */
  constructor(
    plan: PipelinePlan,
    input: number,
    decodedFields: readonly FieldRead[],
    ledger: Books,
    deadLetter: DeadLetterPort,
  ) {
    this.#plan = plan;
    this.#input = plan.inputs[input]!;
    this.#step = intakeStep(plan, input);
    const { fields, subjectFields, spec } = this.#input;
    this.#places = fields.map((field) => decodedFields.findIndex((each) => sameRead(each, field)));
    this.#reads = decodedFields.map((_field, place) => this.#places.includes(place));
    this.#names = decodedFields.map(({ name }) => name);
    this.#ledger = ledger;
    this.#deadLetter = deadLetter;
    this.#subjectTexts = subjectFields.map(() => new TextDictionary());
    this.#sourceText.code(spec.name);
  }

  /** What lies further ahead of the clock when it arrived than the plan allows does not enter. */
  enter(payloads: PayloadBatch, decoded: Decoded, clock: EntryClock): EntryBatch {
    const { rows } = decoded;
    if (this.#selection.length < rows) {
      this.#selection = new Uint32Array(Math.max(rows, limits.batch_rows_max));
      this.#before = new Float64Array(this.#selection.length);
    }
    const own = this.#places.map((place) => decoded.columns[place]!);
    const { timeIndex } = this.#input;
    const timeColumn = timeIndex === null ? null : own[timeIndex]!;
    for (let i = 0; i < this.#subjectTexts.length; i++) own.push(this.#subjectColumn(payloads, i));
    const batch = makeBatch({
      schema: this.#plan.schema,
      columns: this.#input.places.map((place, column) => own[place] ?? this.#otherColumn(column, rows)),
      rows,
      time:
        timeColumn === null ? new Float64Array(rows).fill(clock.steady) : (timeColumn.values as Float64Array),
      watermark: this.#before,
      selection: this.#selection,
      origin: new PayloadOrigin(payloads),
    });
    const timeValid = timeColumn?.valid ?? null;
    if (decoded.faults.length === 0 && timeValid === null) {
      const entered = this.#admitAll(batch, payloads.arrived, clock);
      if (entered !== null) return { batch: { ...batch, selection: allRows(rows) }, ...entered };
    }
    return this.#admit(batch, this.#faultsOf(decoded), timeValid, payloads.arrived, clock);
  }

  /** What is known of a batch whose every row may enter, which is the rule; null when one may not. */
  #admitAll({ time, rows }: Batch, arrived: Float64Array, clock: EntryClock): Entered | null {
    const before = this.#before;
    // No row arrived before the first, so that none is allowed less.
    const ahead = Math.max(clock.arrived, arrived[0] ?? 0) + this.#ahead;
    let latest = Number.NEGATIVE_INFINITY;
    let moved = 0;
    for (let row = 0; row < rows; row++) {
      const at = time[row]!;
      before[row] = latest;
      if (at <= latest) continue;
      if (at > ahead) return null;
      latest = at;
      moved = row;
    }
    return { latest, moved: arrived[moved]!, arrived: arrived[rows - 1]! };
  }

  /** How far ahead of the clock a record may be, ms. */
  get #ahead(): number {
    return this.#input.spec.time?.ahead ?? Number.POSITIVE_INFINITY;
  }

  /** Selects the rows that may enter, noting before each the largest time so far. */
  #admit(
    batch: Batch,
    faults: ReadonlyMap<number, DecodeFault>,
    timeValid: Uint8Array | null,
    arrived: Float64Array,
    clock: EntryClock,
  ): EntryBatch {
    const selection = this.#selection;
    const before = this.#before;
    const { time, rows } = batch;
    let now = clock.arrived;
    let latest = Number.NEGATIVE_INFINITY;
    let moved = 0;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      if (arrived[row]! > now) now = arrived[row]!;
      const at = time[row]!;
      const fault = faults.size === 0 ? undefined : faults.get(row);
      if (fault !== undefined) this.#refuse(batch, row, fault.reason, this.#detailOf(fault));
      else if (timeValid !== null && timeValid[row] === 0) {
        const field = this.#input.spec.time?.field ?? "";
        this.#refuse(batch, row, "time", `expected a time in field ${field}, got none`);
      } else if (at > now + this.#ahead) {
        this.#refuse(batch, row, "ahead", aheadText(at, now, this.#input.spec.time?.unit));
      } else {
        before[row] = latest;
        if (at > latest) {
          latest = at;
          moved = row;
        }
        selection[count++] = row;
      }
    }
    const last = count === 0 ? 0 : selection[count - 1]!;
    return { batch: { ...batch, count }, latest, moved: arrived[moved]!, arrived: arrived[last]! };
  }

  /** By row, the first fault in a field that this pipeline reads, or in the record as a whole. */
  #faultsOf({ faults }: Decoded): ReadonlyMap<number, DecodeFault> {
    const relevant = faults.filter(({ field }) => field < 0 || this.#reads[field]);
    return new Map(relevant.toReversed().map((fault) => [fault.row, fault]));
  }

  /** What is wrong, and in which field where it is one. */
  #detailOf({ field, detail }: DecodeFault): string {
    return field < 0 ? detail : `${this.#names[field]}: ${detail}`;
  }

  #refuse(batch: Batch, row: number, reason: Reason, detail: string): void {
    this.#ledger.add(this.#step, reason, 1);
    this.#deadLetter(letterOf(batch, row, this.#step, reason, detail));
  }

  /** A column that this source does not fill: its name, or one that only other sources have. */
  #otherColumn(column: number, rows: number): Column {
    const { name, type } = this.#plan.schema.fields[column]!;
    if (name !== sourceColumn) return nullColumn(type, rows);
    // Every row has the dictionary's one text, whose code is 0.
    const { values } = nullColumn("string", rows) as ColumnOf<"string">;
    return { type: "string", values, valid: null, dictionary: this.#sourceText };
  }

  #subjectColumn(payloads: PayloadBatch, which: number): Column {
    const { token } = this.#input.subjectFields[which]!;
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
