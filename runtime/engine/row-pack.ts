// Rows across a thread boundary: payloads in one buffer that is transferred, repeated subjects once.

import type { OutputRow } from "../connect/connect.ts";

export interface PackedRows {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly subjects: readonly string[];
  readonly subject: Uint32Array;
  readonly ids: readonly (string | null)[];
  readonly caused: Float64Array;
}

export function packRows(rows: readonly OutputRow[]): PackedRows {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => {
    offsets[index + 1] = offsets[index]! + row.payload.length;
  });
  const bytes = new Uint8Array(offsets[rows.length]!);
  const codes = new Map<string, number>();
  const subject = new Uint32Array(rows.length);
  const caused = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    bytes.set(row.payload, offsets[index]!);
    if (!codes.has(row.subject)) codes.set(row.subject, codes.size);
    subject[index] = codes.get(row.subject)!;
    caused[index] = row.caused;
  });
  return { bytes, offsets, subjects: [...codes.keys()], subject, ids: rows.map(({ id }) => id), caused };
}

export function unpackRows(packed: PackedRows): OutputRow[] {
  return packed.ids.map((id, index) => ({
    subject: packed.subjects[packed.subject[index]!]!,
    payload: packed.bytes.subarray(packed.offsets[index]!, packed.offsets[index + 1]!),
    id,
    caused: packed.caused[index]!,
  }));
}
