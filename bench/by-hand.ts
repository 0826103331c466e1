// The program that a careful engineer writes without weir: `JSON.parse`, an `if`, and a `Map` with one
// object for each device and window. It is given every liberty that the input allows: readings come in
// order, so that one window is open at a time; the text is plain ASCII, so that it is read as latin1;
// sums are plain, and nothing is checked that is not used.

import type { PayloadBatch } from "../runtime/batch/payloads.ts";
import type { Contender, Outcome } from "./contender.ts";

const size_ms = 60_000;

interface Reading {
  readonly device: string;
  readonly ts: number;
  readonly temp: number;
}

interface Total {
  n: number;
  sum: number;
  min: number;
  max: number;
}

function rowsOf(totals: ReadonlyMap<string, Total>, window_start: number, rows: Uint8Array[]): void {
  for (const [device, { n, sum, min, max }] of totals) {
    const row = { window_start, window_end: window_start + size_ms, device, n, sum, min, max, mean: sum / n };
    rows.push(Buffer.from(JSON.stringify(row)));
  }
}

function run(batches: readonly PayloadBatch[]): Outcome {
  const rows: Uint8Array[] = [];
  const totals = new Map<string, Total>();
  let start = Number.NaN;
  let end = Number.NEGATIVE_INFINITY;
  let filtered = 0;
  for (const { bytes, offsets, count } of batches) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) {
      const { device, ts, temp } = JSON.parse(
        buffer.toString("latin1", offsets[i]!, offsets[i + 1]!),
      ) as Reading;
      if (!(temp > -60 && temp < 60)) {
        filtered++;
        continue;
      }
      if (ts >= end) {
        rowsOf(totals, start, rows);
        totals.clear();
        start = Math.floor(ts / size_ms) * size_ms;
        end = start + size_ms;
      }
      const total = totals.get(device);
      if (total === undefined) {
        totals.set(device, { n: 1, sum: temp, min: temp, max: temp });
        continue;
      }
      total.n++;
      total.sum += temp;
      if (temp < total.min) total.min = temp;
      if (temp > total.max) total.max = temp;
    }
  }
  rowsOf(totals, start, rows);
  return { rows, filtered };
}

export const byHand: Contender = { engine: "JSON.parse + Map", open: () => run };
