// The ports of the codecs: bytes to columns and back. A codec never knows a pipeline, a source or a sink.

import type { Batch, Column, ColumnType, Schema } from "../../operators/sdk/index.ts";
import type { Payloads } from "../batch/payloads.ts";

export const formats = ["json", "msgpack", "csv", "protobuf"] as const;
export type Format = (typeof formats)[number];
/** Those whose records end where a line does, so that a file can hold them. */
export const lineFormats: readonly Format[] = ["json", "csv"];

/** What a `time` field is written in. Always milliseconds once decoded. */
export const timeUnits = ["s", "ms", "us", "ns", "iso"] as const;
export type TimeUnit = (typeof timeUnits)[number];

/** One field to read. A dotted name is a path into nested objects; a field whose own name holds that text, dot included, wins. */
export interface FieldRead {
  readonly name: string;
  readonly type: ColumnType;
  /** For `time`; default `ms`. */
  readonly unit?: TimeUnit;
}

/** Something wrong with one record. `field` is an index into the fields read, or -1 for the whole record. */
export interface DecodeFault {
  readonly row: number;
  readonly field: number;
  readonly reason: "decode" | "type";
  /** What was expected and what was found; never the payload itself. */
  readonly detail: string;
}

/** Row i is payload i. A row with a fault for the whole record holds nulls; one with a fault in a field is null there. */
export interface Decoded {
  readonly rows: number;
  /** One for each field read, in that order. */
  readonly columns: readonly Column[];
  /** By row, ascending. */
  readonly faults: readonly DecodeFault[];
}

export interface Decoder {
  /** Columns are valid until the next call; dictionaries of strings may live on, those of JSON as long as the payloads. Never throws for what a payload holds. */
  decode(payloads: Payloads): Decoded;
}

export interface Encoder {
  /** One payload for each selected row, in order. The bytes are the receiver's to keep. */
  encode(batch: Batch, emit: (row: number, payload: Uint8Array) => void): void;
}

export interface EncoderOptions {
  readonly schema: Schema;
  /** The format of `batch.origin`, needed when `schema.rest` is not null. */
  readonly origin: Format | null;
  /**
   * Fields with a dot in their name that are no part of the original's nesting, because a step made or
   * replaced them: they are written under that name, and what the original has there does not pass.
   */
  readonly apart?: ReadonlySet<string>;
}
