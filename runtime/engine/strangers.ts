// Operators of the user's own. What they choose of a batch and what they put into columns is looked at: a row that is none of it would be
// written from whatever lies there, and a value that is none would make a row that nobody can read. Built-in ones are not asked, whose tests
// hold them to it.

import type { Batch, Column, Draft, OperatorDefinition, SchemaField } from "../../operators/sdk/index.ts";
import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";

/** Characters of a value that are told. */
const shownMax = 60;

const strangers = new WeakSet<OperatorDefinition>();
const sent = new WeakSet<Draft>();

export function addStranger(definition: OperatorDefinition): void {
  strangers.add(definition);
}

export function isStranger(definition: OperatorDefinition): boolean {
  return strangers.has(definition);
}

/** Of a pipeline whose thread gives no answer, that an operator did not return: which, where only one can be meant. */
export function hungFault({ steps, branches }: PipelinePlan, ms: number): string {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  const own = all.filter(({ definition }) => strangers.has(definition)).map(({ label }) => label);
  const who = own.length === 1 ? `step ${own[0]}` : `one of the steps ${own.join(", ")}`;
  return `${who} did not return within ${ms} ms`;
}

/** Throws where a stranger chose rows that the batch does not have. */
export function checkRows({ definition }: StepPlan, batch: Batch, rows: Uint32Array, count: number): void {
  if (!strangers.has(definition)) return;
  if (!(count >= 0 && count <= rows.length))
    throw new RangeError(`select: expected at most ${rows.length} rows, got ${count}`);
  for (let i = 0; i < count; i++)
    if (rows[i]! >= batch.rows)
      throw new RangeError(`select: expected rows below ${batch.rows}, got ${rows[i]}`);
}

/** Throws where a stranger's draft was sent before, when its memory may be another's, or holds what is no value. */
export function checkDraft({ definition, output }: StepPlan, draft: Draft): void {
  if (!strangers.has(definition)) return;
  if (sent.has(draft)) throw new TypeError("append: this draft was sent before; out.draft makes another");
  const rows = draft.time.length;
  for (let row = 0; row < rows; row++) {
    const [time, weight] = [draft.time[row]!, draft.weight[row]!];
    if (!Number.isFinite(time)) throw wrong("a time of each row", "draft.time", row, time);
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw wrong("how many records each row stands for", "draft.weight", row, weight);
  }
  for (const [place, column] of draft.columns.entries())
    for (let row = 0; row < rows; row++) checkValue(output.fields[place]!, column, row);
  sent.add(draft);
}

/** Throws where columns that a stranger sends with a batch are not those of its schema. Those that came with it are as they were. */
export function checkColumns(
  { definition, output }: StepPlan,
  batch: Batch,
  columns: readonly Column[],
): void {
  if (!strangers.has(definition)) return;
  const { fields } = output;
  if (columns.length !== fields.length)
    throw new TypeError(`expected ${fields.length} columns, those of its schema, got ${columns.length}`);
  for (const [place, column] of columns.entries()) {
    const field = fields[place]!;
    if (column.type !== field.type)
      throw new TypeError(`expected a column ${field.name} of type ${field.type}, got one of ${column.type}`);
    if (batch.columns.includes(column)) continue;
    for (let i = 0; i < batch.count; i++) checkValue(field, column, batch.selection[i]!);
  }
}

/** Throws where a row has neither null nor a value. */
function checkValue({ name, type }: SchemaField, { values, valid, dictionary }: Column, row: number): void {
  if (valid?.[row] === 0) return;
  const value = values[row];
  if (dictionary !== null) {
    const code = Number(value);
    if (!(code >= 0 && code < dictionary.size))
      throw wrong("a code, as draft.text gives it", name, row, value);
    if (type === "json") checkJson(name, dictionary.text(code));
  } else if (value === undefined) throw wrong("a value", name, row, value);
  else if ((type === "float64" || type === "time") && !Number.isFinite(value))
    throw wrong("a finite number", name, row, value);
}

/** It is written into rows as it is. */
function checkJson(name: string, text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new TypeError(
      `expected JSON for ${name}, as JSON.stringify makes it, got ${text.slice(0, shownMax)}`,
    );
  }
}

function wrong(expected: string, name: string, row: number, got: unknown): TypeError {
  return new TypeError(
    `expected ${expected} in ${name}, got ${String(got)} in row ${row}; for null, put 0 into valid`,
  );
}
