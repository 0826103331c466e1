// Batches across threads: the selected rows of each column in arrays of their own, which are transferred
// and not copied, with only the texts that they use. Objects never cross.

import type { Batch, Column, ColumnType, Dictionary, Origin, Schema } from "../../operators/sdk/index.ts";
import { makeBatch } from "./batch.ts";

interface CompactColumn {
  readonly type: ColumnType;
  readonly values: Column["values"];
  readonly valid: Uint8Array | null;
  /** The column's own dictionary, for strings and json. */
  readonly texts: readonly string[] | null;
}

export interface CompactBatch {
  readonly rows: number;
  readonly columns: readonly CompactColumn[];
  readonly time: Float64Array;
  readonly watermark: Float64Array;
  readonly weight: Float64Array | null;
  /** By row, the row of the payload it came from; null without an origin. */
  readonly from: Uint32Array | null;
}

/** A copy of the selected rows, which owns its memory. */
export function compactBatch(batch: Batch): CompactBatch {
  const { count, selection } = batch;
  return {
    rows: count,
    columns: batch.columns.map((column) => compactColumn(column, selection, count)),
    time: gather(batch.time, selection, count),
    watermark: gather(batch.watermark, selection, count),
    weight: batch.weight === null ? null : gather(batch.weight, selection, count),
    from: batch.origin === null ? null : selection.slice(0, count),
  };
}

/** The buffers to transfer with it. */
export function buffersOf(batch: CompactBatch): ArrayBuffer[] {
  const arrays: (ArrayBufferView | null)[] = [batch.time, batch.watermark, batch.weight, batch.from];
  for (const { values, valid } of batch.columns) arrays.push(values, valid);
  return arrays.flatMap((array) => (array === null ? [] : [array.buffer as ArrayBuffer]));
}

/** The batch on the other side; `origin` speaks of the rows of the payloads. */
export function restoreBatch(compact: CompactBatch, schema: Schema, origin: Origin): Batch {
  const { from } = compact;
  return makeBatch({
    schema,
    columns: compact.columns.map(
      ({ type, values, valid, texts }) =>
        ({ type, values, valid, dictionary: texts === null ? null : new FixedTexts(texts) }) as Column,
    ),
    rows: compact.rows,
    time: compact.time,
    watermark: compact.watermark,
    weight: compact.weight,
    origin:
      from === null
        ? null
        : { payload: (row) => origin.payload(from[row]!), subject: (row) => origin.subject(from[row]!) },
  });
}

class FixedTexts implements Dictionary {
  readonly #texts: readonly string[];
  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }
  get size(): number {
    return this.#texts.length;
  }
  text(code: number): string {
    return this.#texts[code]!;
  }
}

function gather<T extends Column["values"]>(values: T, selection: Uint32Array, count: number): T {
  const out = new (values.constructor as new (length: number) => T)(count);
  for (let i = 0; i < count; i++) out[i] = values[selection[i]!]!;
  return out;
}

function compactColumn(column: Column, selection: Uint32Array, count: number): CompactColumn {
  const valid = column.valid === null ? null : gather(column.valid, selection, count);
  if (column.type !== "string" && column.type !== "json") {
    return { type: column.type, values: gather(column.values, selection, count), valid, texts: null };
  }
  const values = new Int32Array(count);
  const texts: string[] = [];
  const codes = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    if (valid !== null && valid[i] === 0) continue;
    const old = column.values[selection[i]!]!;
    let code = codes.get(old);
    if (code === undefined) {
      code = texts.length;
      texts.push(column.dictionary.text(old));
      codes.set(old, code);
    }
    values[i] = code;
  }
  return { type: column.type, values, valid, texts };
}
