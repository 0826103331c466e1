// One operator at its place in a chain: gives it batches, takes what it puts out, counts what it leaves
// out, and keeps a fault of one record from taking the others along. Knows no source and no sink.

import type {
  Batch,
  Column,
  ColumnType,
  Collector,
  Draft,
  KeyTable,
  Operator,
  Reason,
  RecordStore,
} from "../../operators/sdk/index.ts";
import { makeBatch, weightOf } from "../batch/batch.ts";
import { BatchMemory } from "../batch/batch-memory.ts";
import { isText, TextDictionary } from "../batch/columns.ts";
import { WeirError } from "../errors.ts";
import { placedMessage } from "../operator-place.ts";
import type { StepPlan } from "../pipeline/pipeline.ts";
import type { Records } from "../state/records.ts";
import { member, numberOf, type Plain } from "../state/plain.ts";
import { makeTables, restoreTables, snapshotTables, type StepTables } from "../state/tables.ts";
import { type DeadLetterPort, letterOf } from "./dead-letter.ts";
import { KeyGuard } from "./key-bounds.ts";
import { type Books, made } from "./ledger.ts";
import { type Left, unchosen } from "./left-rows.ts";
import { type LentDraft, lentDraft } from "./lent-draft.ts";
import type { Receiver } from "./receiver.ts";
import type { LiveReferences } from "./references.ts";
import { reached, waits } from "./returned.ts";
import { metricsOf, StepMetrics } from "./step-metrics.ts";
import type { StepWaiting } from "./status.ts";
import { checkColumns, checkDraft, checkRows, isStranger } from "./strangers.ts";

export class Stage implements Receiver, Collector {
  readonly #plan: StepPlan;
  #running: Running;
  /** What the operator shows beside its counts. */
  readonly metrics: StepMetrics;
  readonly #ledger: Books;
  readonly #deadLetter: DeadLetterPort;
  readonly #next: Receiver;
  /** Where late records go beside the ledger; null where they are only counted. */
  readonly #late: Receiver | null;
  readonly #references: LiveReferences;
  readonly #dictionaries: (TextDictionary | null)[];
  readonly #types: readonly ColumnType[];
  readonly #inputTypes: readonly ColumnType[];
  #scratch = new Uint32Array(0);
  #watermark = Number.NEGATIVE_INFINITY;
  /** Rows that the operator left out during the current call; booked when the call returns. */
  #left: Left[] = [];
  #sent = false;
  /** Records that the operator made beyond those that came, during the current call. */
  #made = 0;
  /** The operator has left rows for later. */
  isBehind = false;

  constructor(
    plan: StepPlan,
    ledger: Books,
    deadLetter: DeadLetterPort,
    next: Receiver,
    late: Receiver | null = null,
    references: LiveReferences = {},
  ) {
    this.#plan = plan;
    this.metrics = new StepMetrics(plan.label);
    this.#ledger = ledger;
    this.#deadLetter = deadLetter;
    this.#next = next;
    this.#late = late;
    this.#references = references;
    this.#types = plan.output.fields.map(({ type }) => type);
    this.#inputTypes = plan.input.fields.map(({ type }) => type);
    this.#dictionaries = plan.output.fields.map(({ type }) => (isText(type) ? new TextDictionary() : null));
    this.#running = this.#begin(null);
  }

  /** The operator on new tables, with what `kept`, if it is not null, holds of those of another. */
  #begin(kept: Plain): Running {
    const { definition, config, keys, input, output } = this.#plan;
    const tables = makeTables(definition.state(config), keys.max);
    if (kept !== null) restoreTables(tables, member(kept, "tables"));
    const context = { input, output, references: this.#references, metrics: this.metrics };
    let operator: Operator;
    try {
      operator = definition.create(config, { ...context, state: tables.byName });
      if (typeof (operator as Partial<Operator> | undefined)?.onBatch !== "function")
        throw new TypeError("expected create to return an object with a function onBatch");
    } catch (error) {
      throw this.#failure(error, "could not be created");
    }
    const forgets = keys.ttl !== null || keys.when_full === "forget_oldest";
    const guard = forgets && tables.shared.length > 0 ? new KeyGuard(tables.shared, keys, this) : null;
    if (kept !== null) guard?.restore(member(kept, "guard"));
    return { tables, operator, guard };
  }

  get label(): string {
    return this.#plan.label;
  }

  /** True where it has tables. */
  get keepsState(): boolean {
    return this.#tables.length > 0;
  }

  /** Input records in this operator's tables. */
  get held(): number {
    return this.#tables.reduce((total, table) => total + table.held, 0);
  }

  /** Keys that its tables know. */
  get keys(): number {
    return this.#running.tables.shared.reduce((total, { keys }) => total + keys.size, 0);
  }

  get #tables(): readonly { readonly held: number; readonly due: number }[] {
    return Object.values(this.#running.tables.byName);
  }

  /** All that outlives the process. Between calls only. */
  snapshot(): Plain {
    const { tables, guard } = this.#running;
    return {
      watermark: this.#watermark,
      tables: snapshotTables(tables),
      guard: guard === null ? null : guard.snapshot(),
      metrics: this.metrics.snapshot(),
    };
  }

  /** Makes tables and operator anew from `data`; they take the place of the present ones when the function that is returned is called. */
  restoring(data: Plain): () => void {
    const watermark = numberOf(member(data, "watermark"));
    const metrics = metricsOf(member(data, "metrics"));
    const running = this.#begin(data);
    return () => {
      this.metrics.replace(metrics);
      this.#watermark = watermark;
      this.#running = running;
    };
  }

  waiting(): StepWaiting {
    const due = this.#running.operator.due?.() ?? Math.min(...this.#tables.map((table) => table.due));
    return { step: this.#plan.label, held: this.held, due: Number.isFinite(due) ? due : null };
  }

  onBatch(batch: Batch): void {
    if (batch.count === 0) return;
    if (this.#running.guard === null) this.give(batch);
    else this.#running.guard.onBatch(batch);
  }

  /** What the operator's partial made of records, in their place. */
  merge(batch: Batch): void {
    if (batch.count === 0) return;
    this.#left = [];
    try {
      this.#running.operator.merge!(batch, this);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#book();
  }

  /** Some rows for the operator, between which no key is forgotten. */
  give(batch: Batch): void {
    this.#left = [];
    this.#sent = false;
    this.#made = 0;
    // Where no watermark comes by, its rows must not pass for ones that are never late.
    if (this.#plan.definition.kind === "stateless") this.#watermark = batch.watermark[batch.selection[0]!]!;
    let returned: unknown;
    try {
      returned = this.#running.operator.onBatch(batch, this);
    } catch (error) {
      this.#isolate(batch, error);
      return;
    }
    if (returned instanceof Promise) throw this.#failure(waits("onBatch"));
    // One that holds nothing, and did nothing with them, has left them out.
    const { definition, label } = this.#plan;
    if (!this.#sent && this.#left.length === 0 && definition.kind === "stateless" && isStranger(definition))
      this.#ledger.add(label, "filtered", weightOf(batch));
    this.#book();
  }

  /** The same for an operator that only keeps records, where it is known that it keeps the first `count` of `rows`. */
  keep(batch: Batch, rows: Uint32Array, count: number): void {
    if (batch.count === 0) return;
    this.#left = [];
    this.select(batch, rows, count);
  }

  onWatermark(watermark: number): void {
    this.#left = [];
    const { operator, guard } = this.#running;
    // At the end of the stream the operator lets go of all keys.
    const isEnd = watermark === Number.POSITIVE_INFINITY;
    try {
      if (!isEnd) guard?.reaching(watermark);
      if (guard === null) this.#watermark = reached(operator.onWatermark?.(watermark, this), watermark);
      else this.pass(watermark);
      if (!isEnd) guard?.reached(watermark);
    } catch (error) {
      throw this.#failure(error);
    }
    this.isBehind = this.#watermark < watermark;
    this.#next.onWatermark(this.#watermark);
    this.#late?.onWatermark(this.#watermark);
  }

  /** All of it: a key is forgotten behind everything that is due by then. */
  pass(time: number): void {
    const { operator } = this.#running;
    while (reached(operator.onWatermark?.(time, this), time) < time);
    this.#watermark = time;
  }

  forget(keys: KeyTable, key: number): void {
    // What the rows before left out has been booked.
    this.#left = [];
    this.#running.operator.onForget?.(keys, key, this);
  }

  emit(batch: Batch): void {
    checkColumns(this.#plan, batch, batch.columns);
    this.#forward({ ...batch, schema: this.#plan.output });
  }

  select(batch: Batch, rows: Uint32Array, count: number, reason: Reason = "filtered"): void {
    checkRows(this.#plan, batch, rows, count);
    if (count > 0) checkColumns(this.#plan, batch, batch.columns);
    const left = this.#left.reduce((total, { row }) => total + (batch.weight?.[row] ?? 1), 0);
    const dropped = weightOf(batch) - weightOf(batch, rows, count) - left;
    this.#ledger.add(this.#plan.label, reason, dropped);
    if (reason === "late" && dropped > 0) this.#sendLate(batch, unchosen(batch, rows, count, this.#left));
    this.#sent = true;
    if (count > 0) this.#next.onBatch({ ...batch, schema: this.#plan.output, selection: rows, count });
  }

  project(batch: Batch, columns: readonly Column[]): void {
    checkColumns(this.#plan, batch, columns);
    this.#forward({ ...batch, schema: this.#plan.output, columns });
  }

  scratch(batch: Batch): Uint32Array {
    if (this.#scratch.length < batch.count) this.#scratch = new Uint32Array(batch.count);
    return this.#scratch;
  }

  drop(batch: Batch, row: number, reason: Reason): void {
    this.#left.push({ batch, row, reason, detail: null });
  }

  reject(batch: Batch, row: number, reason: Reason, detail: string): void {
    this.#left.push({ batch, row, reason, detail });
  }

  draft(rows: number): Draft {
    // Each draft keeps its own: another may be made, with new ones, before this one is written.
    const dictionaries = this.#plan.output.fields.map((_field, index) => this.#dictionary(index));
    return lentDraft(this.#types, dictionaries, rows, this.#watermark);
  }

  append(draft: Draft): void {
    checkDraft(this.#plan, draft);
    const rows = draft.time.length;
    this.#forward(
      makeBatch({
        schema: this.#plan.output,
        columns: draft.columns,
        rows,
        time: draft.time,
        weight: draft.weight,
        watermark: draft.watermark,
      }),
    );
    (draft as LentDraft).memory.giveBack();
  }

  release(store: RecordStore, slots: Int32Array, watermarks?: Float64Array, batch?: Batch | null): void {
    this.#sendKept(store as Records, slots, watermarks, batch ?? null, (slot, records) => records.free(slot));
  }

  copy(store: RecordStore, slots: Int32Array, watermarks: Float64Array): void {
    this.#sendKept(store as Records, slots, watermarks, null, (slot, records) => records.weigh(slot, 0));
  }

  #sendKept(
    records: Records,
    slots: Int32Array,
    watermarks: Float64Array | undefined,
    batch: Batch | null,
    settle: (slot: number, records: Records) => void,
  ): void {
    if (slots.length === 0) return;
    const memory = new BatchMemory(this.#inputTypes, slots.length);
    const sent = records.batch(slots, this.#plan.input, watermarks, batch, memory);
    for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0) settle(slots[i]!, records);
    this.#forward({ ...sent, schema: this.#plan.output });
    memory.giveBack();
  }

  discard(store: RecordStore, slots: Int32Array, count: number, reason: Reason): void {
    if (count === 0) return;
    const records = store as Records;
    const late =
      reason === "late" && this.#late !== null
        ? records.batch(slots.subarray(0, count), this.#plan.input)
        : null;
    let left = 0;
    for (let i = 0; i < count; i++) left += records.free(slots[i]!);
    this.#ledger.add(this.#plan.label, reason, left);
    if (late !== null) this.#late?.onBatch(late);
  }

  more(records: number): void {
    this.#made += records;
  }

  #forward(batch: Batch): void {
    this.#sent = true;
    if (batch.count > 0) this.#next.onBatch(batch);
  }

  /** A dictionary that has outgrown its bound is replaced; batches that were sent keep the old one. */
  #dictionary(index: number): TextDictionary | null {
    const dictionary = this.#dictionaries[index]!;
    if (dictionary === null || !dictionary.isFull) return dictionary;
    this.#dictionaries[index] = new TextDictionary();
    return this.#dictionaries[index]!;
  }

  #book(): void {
    this.#ledger.add(this.#plan.label, made, this.#made);
    this.#made = 0;
    for (const { batch, row, reason, detail } of this.#left) {
      this.#ledger.add(this.#plan.label, reason, batch.weight?.[row] ?? 1);
      if (detail !== null) this.#deadLetter(letterOf(batch, row, this.#plan.label, reason, detail));
    }
    if (this.#late === null) return;
    const late = this.#left.filter(({ reason }) => reason === "late");
    for (const batch of new Set(late.map((each) => each.batch)))
      this.#sendLate(
        batch,
        late.filter((each) => each.batch === batch).map(({ row }) => row),
      );
  }

  #sendLate(batch: Batch, rows: readonly number[]): void {
    const selection = Uint32Array.from(rows).sort();
    if (selection.length > 0) this.#late?.onBatch({ ...batch, selection, count: selection.length });
  }

  /**
   * An operator threw. A stateless one that had put nothing out is run again on each half, down to
   * the record that it cannot take; any other is in an unknown state, and its pipeline ends.
   */
  #isolate(batch: Batch, error: unknown): void {
    if (this.#plan.definition.kind !== "stateless" || this.#sent) throw this.#failure(error);
    if (batch.count === 1) {
      this.#left = [{ batch, row: batch.selection[0]!, reason: "fault", detail: placedMessage(error) }];
      this.#book();
      return;
    }
    const half = batch.count >>> 1;
    this.give({ ...batch, selection: batch.selection.slice(0, half), count: half });
    this.give({
      ...batch,
      selection: batch.selection.slice(half, batch.count),
      count: batch.count - half,
    });
  }

  #failure(error: unknown, what = "failed"): WeirError {
    if (error instanceof WeirError) return error;
    const { label, definition } = this.#plan;
    const remedy = "mend the operator; without a state folder, what it remembers is lost with this run";
    const message = `step ${label}: operator ${definition.name} ${what}: ${placedMessage(error)}`;
    return new WeirError("WEIR_OPERATOR", message, { remedy, cause: error });
  }
}

interface Running {
  readonly tables: StepTables;
  readonly operator: Operator;
  /** Where keys may be forgotten. */
  readonly guard: KeyGuard | null;
}
