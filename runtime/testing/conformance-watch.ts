// An operator that is watched: it is given copies of batches in which all that it may not read is nonsense, and that are nonsense
// behind the call; what it sends is held to its schema. Knows no operator's rule, and changes nothing of what comes out.

import type {
  Batch,
  Collector,
  Column,
  Draft,
  OperatorContext,
  OperatorDefinition,
  ReferenceDeclarations,
  Schema,
  TableDeclarations,
} from "../../operators/sdk/index.ts";

/** Told what the operator did that it may not. An error would be taken for one of a record's. */
type Tell = (fault: string) => void;
type Context = OperatorContext<TableDeclarations, ReferenceDeclarations>;
type Values = Column["values"];

/** What no record has, large or small: by either, whoever reads it decides otherwise than by the other. */
export type Nonsense = "large" | "small";

/** A value of nonsense for a column. */
function nonsenseOf({ type, dictionary }: Column, nonsense: Nonsense): number | bigint {
  const isLarge = nonsense === "large";
  if (type === "bool") return isLarge ? 1 : 0;
  if (type === "int64") return isLarge ? 10n ** 15n : -(10n ** 15n);
  if (dictionary !== null) return isLarge ? Math.max(0, dictionary.size - 1) : 0;
  return isLarge ? 1e15 : -1e15;
}

function selected({ rows, selection, count }: Batch): Uint8Array {
  const marks = new Uint8Array(rows);
  for (let i = 0; i < count; i++) marks[selection[i]!] = 1;
  return marks;
}

/** A column with nonsense where nothing is promised: under null, and in rows that are not selected. */
function copiedColumn(column: Column, marks: Uint8Array, nonsense: Nonsense): Column {
  const { valid } = column;
  const values = column.values.slice(0, marks.length) as Values;
  const [from, to] = [values as Record<number, number | bigint>, nonsenseOf(column, nonsense)];
  for (let row = 0; row < marks.length; row++) if (marks[row] === 0 || valid?.[row] === 0) from[row] = to;
  return { ...column, values, valid: valid?.slice(0, marks.length) ?? null } as Column;
}

function copied(batch: Batch, nonsense: Nonsense): Batch {
  const marks = selected(batch);
  return {
    ...batch,
    columns: batch.columns.map((column) => copiedColumn(column, marks, nonsense)),
    selection: batch.selection.slice(0, batch.count),
    time: batch.time.slice(0, batch.rows),
    watermark: batch.watermark.slice(0, batch.rows),
    weight: batch.weight?.slice(0, batch.rows) ?? null,
  };
}

function isSame(one: ArrayLike<unknown> | null, other: ArrayLike<unknown> | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && Array.from(one).every((each, at) => Object.is(each, other[at]));
}

/** What of a batch is no more what it was. */
function changedIn(given: Batch, before: Batch): string | null {
  const place = given.columns.findIndex((column, at) => {
    const was = before.columns[at]!;
    return !isSame(column.values, was.values) || !isSame(column.valid, was.valid);
  });
  if (place >= 0) return `column ${given.schema.fields[place]?.name ?? place}`;
  const parts = ["selection", "time", "watermark", "weight"] as const;
  return parts.find((part) => !isSame(given[part], before[part])) ?? null;
}

/** What is kept of a batch behind its call is worth nothing. */
function spoil({ columns, selection }: Batch, nonsense: Nonsense): void {
  for (const column of columns) {
    (column.values as { fill(value: number | bigint): unknown }).fill(nonsenseOf(column, nonsense));
    column.valid?.fill(nonsense === "large" ? 1 : 0);
  }
  selection.fill(0);
}

/** What a value of a row is that is not null, where it is none. */
function wrongValue({ type, values, valid, dictionary }: Column, row: number): string | null {
  if (valid?.[row] === 0) return null;
  const value = values[row];
  if (value === undefined) return "nothing";
  if (dictionary !== null)
    return Number(value) >= 0 && Number(value) < dictionary.size
      ? null
      : `${value}, which is no code of a text`;
  return type === "bool" || type === "int64" || Number.isFinite(value) ? null : String(value);
}

class Watch {
  readonly #context: Context;
  readonly #tell: Tell;
  readonly #sent = new WeakSet<Draft>();

  constructor(context: Context, tell: Tell) {
    this.#context = context;
    this.#tell = tell;
  }

  collector(out: Collector): Collector {
    return {
      emit: (batch) => {
        this.#columns(batch.columns, batch, batch.selection.subarray(0, batch.count));
        out.emit(batch);
      },
      select: (batch, rows, count, reason) => {
        this.#rows(batch, rows, count);
        this.#columns(batch.columns, batch, rows.subarray(0, count));
        out.select(batch, rows, count, reason);
      },
      project: (batch, columns) => {
        this.#columns(columns, batch, batch.selection.subarray(0, batch.count));
        out.project(batch, columns);
      },
      drop: (batch, row, reason) => {
        this.#rows(batch, Uint32Array.of(row), 1);
        out.drop(batch, row, reason);
      },
      reject: (batch, row, reason, detail) => {
        this.#rows(batch, Uint32Array.of(row), 1);
        out.reject(batch, row, reason, detail);
      },
      append: (draft) => {
        if (this.#sent.has(draft)) this.#tell("it sends a draft that it has sent before");
        this.#sent.add(draft);
        const rows = Uint32Array.from(draft.time, (_time, row) => row);
        this.#columns(draft.columns, null, rows);
        if (!draft.time.every(Number.isFinite)) this.#tell("it sends a row of a draft without a time");
        out.append(draft);
      },
      more: (records) => out.more(records),
      scratch: (batch) => out.scratch(batch),
      draft: (rows) => out.draft(rows),
      release: (store, slots, watermarks, batch) => out.release(store, slots, watermarks, batch),
      copy: (store, slots, watermarks) => out.copy(store, slots, watermarks),
      discard: (store, slots, count, reason) => out.discard(store, slots, count, reason),
    };
  }

  #rows(batch: Batch, rows: Uint32Array, count: number): void {
    const marks = selected(batch);
    for (let i = 0; i < count; i++) {
      const row = rows[i];
      if (row === undefined || marks[row] !== 1)
        return this.#tell(
          `it names row ${row}, which is not selected: loop over batch.selection[0 … batch.count)`,
        );
      if (i > 0 && row <= rows[i - 1]!) return this.#tell("it selects rows that do not ascend");
    }
  }

  #columns(columns: readonly Column[], batch: Batch | null, rows: Uint32Array): void {
    const { input, output } = this.#context;
    // Nothing of them is sent.
    if (rows.length === 0) return;
    if (columns.length !== output.fields.length)
      return this.#tell(`it sends ${columns.length} columns, and its schema has ${output.fields.length}`);
    for (const [place, column] of columns.entries()) {
      const field = output.fields[place]!;
      const fault = faultOf(column, field, rows) ?? replacedIn(input, batch, field, column, rows);
      if (fault !== null) return this.#tell(`column ${field.name}: ${fault}`);
    }
  }
}

function faultOf(column: Column, { type }: Schema["fields"][number], rows: Uint32Array): string | null {
  if (column.type !== type) return `it sends one of type ${column.type}, and its schema says ${type}`;
  for (const row of rows) {
    const value = wrongValue(column, row);
    if (value !== null) return `a row that is not null has ${value}; for null, put 0 into valid`;
  }
  return null;
}

/** A field that is passed on as the same object promises that nothing of it was replaced. */
function replacedIn(
  input: Schema,
  batch: Batch | null,
  field: Schema["fields"][number],
  column: Column,
  rows: Uint32Array,
): string | null {
  const from = batch?.columns[input.fields.indexOf(field)];
  if (from === undefined || from === column) return null;
  const isKept = (row: number): boolean => {
    const isNull = from.valid?.[row] === 0;
    if (isNull || column.valid?.[row] === 0) return isNull && column.valid?.[row] === 0;
    const [before, now] = [from.values[row]!, column.values[row]!];
    if (from.dictionary === null || column.dictionary === null) return Object.is(before, now);
    return from.dictionary.text(Number(before)) === column.dictionary.text(Number(now));
  };
  return rows.every(isKept)
    ? null
    : "it sends other values than came, and its schema passes the field on: a column that is replaced has a new field";
}

/** The operator, watched. */
export function watched(definition: OperatorDefinition, nonsense: Nonsense, tell: Tell): OperatorDefinition {
  return {
    ...definition,
    create: (config, context) => {
      const operator = definition.create(config, context);
      const watch = new Watch(context, tell);
      return {
        onBatch(batch, out) {
          const given = copied(batch, nonsense);
          const before = copied(given, nonsense);
          const returned = operator.onBatch(given, watch.collector(out));
          const changed = changedIn(given, before);
          if (changed !== null) tell(`it changes ${changed} of the batch that it is given`);
          spoil(given, nonsense);
          return returned;
        },
        onWatermark: (watermark, out) => operator.onWatermark?.(watermark, watch.collector(out)),
        ...(operator.onForget === undefined
          ? {}
          : { onForget: (keys, key, out) => operator.onForget?.(keys, key, watch.collector(out)) }),
      };
    },
  };
}
