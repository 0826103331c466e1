// Whole records that an operator remembers: the values of their columns, their time and weight, and
// their original bytes. Slots are used again. Knows nothing of why a record is kept.

import type { Batch, Column, ColumnReference, RecordStore, Schema } from "../../operators/sdk/index.ts";
import { type Scalar, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";

interface KeptRecord {
  readonly values: readonly Scalar[];
  readonly time: number;
  readonly watermark: number;
  readonly weight: number;
  readonly payload: Uint8Array | null;
  readonly subject: string;
}

export class Records implements RecordStore {
  readonly #slots: (KeptRecord | undefined)[] = [];
  readonly #free: number[] = [];
  #held = 0;

  /** Input records that the kept ones stand for. */
  get held(): number {
    return this.#held;
  }

  keep(batch: Batch, row: number): number {
    const { origin, weight } = batch;
    const record: KeptRecord = {
      values: batch.columns.map((column) => valueAt(column, row)),
      time: batch.time[row]!,
      watermark: batch.watermark[row]!,
      weight: weight === null ? 1 : weight[row]!,
      payload: origin === null ? null : origin.payload(row).slice(),
      subject: origin === null ? "" : origin.subject(row),
    };
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = record;
    this.#held += record.weight;
    return slot;
  }

  time(slot: number): number {
    return this.#at(slot).time;
  }

  weight(slot: number): number {
    return this.#at(slot).weight;
  }

  number(slot: number, column: ColumnReference): number {
    const value = this.#at(slot).values[column.index]!;
    return value === null ? Number.NaN : Number(value);
  }

  /** Lets go of a record; returns how many input records it stood for. */
  free(slot: number): number {
    const { weight } = this.#at(slot);
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    this.#held -= weight;
    return weight;
  }

  /** The records of `slots` as a batch of their own, in that order; `watermarks` in place of those when they came. */
  batch(slots: readonly number[], schema: Schema, watermarks?: readonly number[]): Batch {
    const records = slots.map((slot) => this.#at(slot));
    const hasOrigin = records.every(({ payload }) => payload !== null);
    return makeBatch({
      schema,
      columns: schema.fields.map(({ type }, place) => columnOf(type, records, place)),
      rows: records.length,
      time: Float64Array.from(records, ({ time }) => time),
      watermark: Float64Array.from(records, ({ watermark }, row) => watermarks?.[row] ?? watermark),
      weight: Float64Array.from(records, ({ weight }) => weight),
      origin: hasOrigin
        ? { payload: (row) => records[row]!.payload!, subject: (row) => records[row]!.subject }
        : null,
    });
  }

  #at(slot: number): KeptRecord {
    const record = this.#slots[slot];
    if (record === undefined) throw new RangeError(`no record is kept in slot ${slot}`);
    return record;
  }
}

function columnOf(type: Column["type"], records: readonly KeptRecord[], place: number): Column {
  const dictionary = type === "string" || type === "json" ? new TextDictionary() : null;
  const column = makeColumn(type, records.length, dictionary);
  records.forEach(({ values }, row) => {
    const value = values[place]!;
    if (value === null) return;
    column.valid[row] = 1;
    if (dictionary !== null) column.values[row] = dictionary.code(value as string);
    else if (column.type === "int64") column.values[row] = value as bigint;
    else column.values[row] = Number(value);
  });
  return column;
}
