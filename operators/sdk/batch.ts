// The one shape data has, as operators see it: types only. A batch is a run of records held column
// by column. This file never allocates and never knows where a batch came from.

/** What a column may hold. `time` is milliseconds since the epoch; `json` is raw JSON text that nobody looked into. */
export const columnTypes = ["float64", "int64", "bool", "string", "time", "json"] as const;
export type ColumnType = (typeof columnTypes)[number];

/** One named, typed field of every record. */
export interface SchemaField {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * The ordered fields of a batch. `rest` is null when these are all the fields there are; otherwise
 * the records may carry further fields that nobody named, which pass through to the sink untouched,
 * except those listed.
 */
export interface Schema {
  readonly fields: readonly SchemaField[];
  readonly rest: { readonly except: readonly string[] } | null;
}

/** The distinct texts of a string column; a code is an index. It only grows while batches refer to it. */
export interface Dictionary {
  readonly size: number;
  text(code: number): string;
}

interface ValuesOf {
  readonly float64: Float64Array;
  readonly time: Float64Array;
  readonly int64: BigInt64Array;
  /** 0 or 1. */
  readonly bool: Uint8Array;
  /** Codes of the column's dictionary. */
  readonly string: Int32Array;
  readonly json: Int32Array;
}

/** A column of type T. `valid` is null when no row is null, else 1 for a value and 0 for null. Values under a null are unspecified. */
export interface ColumnOf<T extends ColumnType> {
  readonly type: T;
  readonly values: ValuesOf[T];
  readonly valid: Uint8Array | null;
  readonly dictionary: T extends "string" | "json" ? Dictionary : null;
}

export type Column = { [T in ColumnType]: ColumnOf<T> }[ColumnType];

/** Where the rows of a batch came from: their original bytes, kept for the dead letter and for sinks that pass them on. */
export interface Origin {
  /** The bytes as they arrived; valid as long as the batch is. */
  payload(row: number): Uint8Array;
  /** The subject, topic or file it arrived on. */
  subject(row: number): string;
}

/**
 * A run of records. Valid only inside the call that it was passed to, and never modified by a receiver.
 *
 * Rows `0 … rows - 1` exist in every column; only those named by `selection[0 … count - 1]`, in
 * ascending order, are part of the stream. Loop like this:
 *
 *     for (let i = 0; i < batch.count; i++) { const row = batch.selection[i]!; … }
 */
export interface Batch {
  readonly schema: Schema;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly selection: Uint32Array;
  readonly count: number;
  /** Event time by row (processing time where the pipeline declares no time field), ms since the epoch. */
  readonly time: Float64Array;
  /** The watermark that was in force when the row's record arrived, ms since the epoch. */
  readonly watermark: Float64Array;
  /** How many input records a row stands for; null when each stands for one. */
  readonly weight: Float64Array | null;
  readonly origin: Origin | null;
}
