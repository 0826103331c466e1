// The kernel's decoder and the exact reader's side by side. Only tests import this.

import { deepStrictEqual } from "node:assert/strict";
import type { Column } from "../../../operators/sdk/index.ts";
import { type PayloadBatch, PayloadBuilder } from "../../batch/payloads.ts";
import type { Decoded, Decoder, FieldRead } from "../codec.ts";
import { createJsonDecoder } from "../json/decoder.ts";

const encoder = new TextEncoder();

/** The values of a column, null where they are. */
export function rowsOf(column: Column, rows: number): unknown[] {
  return Array.from({ length: rows }, (_, row) => {
    if (column.valid?.[row] === 0) return null;
    const value = column.values[row]!;
    return column.dictionary === null ? value : column.dictionary.text(Number(value));
  });
}

export function plain(decoded: Decoded): unknown {
  return {
    faults: decoded.faults,
    columns: decoded.columns.map((column) => rowsOf(column, decoded.rows)),
    nulls: decoded.columns.map((column) => column.valid !== null),
  };
}

/** Payloads in one batch, one a row. */
export function batchOf(payloads: readonly (string | Uint8Array)[]): PayloadBatch {
  const builder = new PayloadBuilder(payloads.length, 1e9);
  for (const payload of payloads)
    builder.add(typeof payload === "string" ? encoder.encode(payload) : payload, "s", 0);
  return builder.view();
}

/** A decoder with a kernel beside the reader: each batch must come out alike. */
export class Pair {
  readonly kernel: Decoder;
  readonly reader: Decoder;
  constructor(fields: readonly FieldRead[]) {
    this.kernel = createJsonDecoder(fields);
    this.reader = createJsonDecoder(fields, { kernel: false });
  }
  check(payloads: readonly (string | Uint8Array)[]): Decoded {
    const batch = batchOf(payloads);
    const decoded = this.kernel.decode(batch);
    deepStrictEqual(plain(decoded), plain(this.reader.decode(batch)));
    return decoded;
  }
}
