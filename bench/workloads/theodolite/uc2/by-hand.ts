// UC2 by hand. It may rely on records being in order: one minute is open at a time.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { Emit } from "../../../side-by-side/engine.ts";
import type { PowerRecord } from "../power.ts";
import { add, begin, members, type Statistics } from "../statistics.ts";

const size_ms = 60_000;

function rowsOf(open: ReadonlyMap<string, Statistics>, window_start: number, emit: Emit): void {
  for (const [identifier, statistics] of open) {
    const row = { window_start, window_end: window_start + size_ms, identifier, ...members(statistics) };
    emit(Buffer.from(JSON.stringify(row)));
  }
}

export const run: Program = (bytes, emit) => {
  const open = new Map<string, Statistics>();
  let start = Number.NaN;
  let end = Number.NEGATIVE_INFINITY;
  eachRecord(bytes, (record) => {
    const { identifier, timestamp, valueInW } = record as PowerRecord;
    if (timestamp >= end) {
      rowsOf(open, start, emit);
      open.clear();
      start = Math.floor(timestamp / size_ms) * size_ms;
      end = start + size_ms;
    }
    let statistics = open.get(identifier);
    if (statistics === undefined) open.set(identifier, (statistics = begin()));
    add(statistics, valueInW);
  });
  rowsOf(open, start, emit);
};
