// The program that a careful engineer writes without weir, with every liberty that the input allows: readings
// come in order, so that one window is open at a time; sums are plain, and nothing is checked that is not used.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { Emit } from "../../../side-by-side/engine.ts";

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

function rowsOf(totals: ReadonlyMap<string, Total>, window_start: number, emit: Emit): void {
  for (const [device, { n, sum, min, max }] of totals) {
    const row = { window_start, window_end: window_start + size_ms, device, n, sum, min, max, mean: sum / n };
    emit(Buffer.from(JSON.stringify(row)));
  }
}

export const run: Program = (bytes, emit) => {
  const totals = new Map<string, Total>();
  let start = Number.NaN;
  let end = Number.NEGATIVE_INFINITY;
  eachRecord(bytes, (record) => {
    const { device, ts, temp } = record as Reading;
    if (!(temp > -60 && temp < 60)) return;
    if (ts >= end) {
      rowsOf(totals, start, emit);
      totals.clear();
      start = Math.floor(ts / size_ms) * size_ms;
      end = start + size_ms;
    }
    const total = totals.get(device);
    if (total === undefined) {
      totals.set(device, { n: 1, sum: temp, min: temp, max: temp });
      return;
    }
    total.n++;
    total.sum += temp;
    if (temp < total.min) total.min = temp;
    if (temp > total.max) total.max = temp;
  });
  rowsOf(totals, start, emit);
};
