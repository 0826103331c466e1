// The columns that engine and oracle are asked for, and what it means that their rows are the same.

import assert from "node:assert/strict";
import type { Harness } from "./harness.ts";
import type { Oracle } from "./oracle.ts";
import { type OracleColumn, untold } from "./oracle-aggregate.ts";
import type { Fields } from "./payload.ts";

/** Every aggregate with a simple definition, by the name of its column. */
export const columns: Readonly<Record<string, OracleColumn>> = {
  n: { aggregate: "count", field: null },
  values: { aggregate: "count", field: "temp" },
  total: { aggregate: "sum", field: "temp" },
  mean: { aggregate: "mean", field: "temp" },
  low: { aggregate: "min", field: "temp" },
  high: { aggregate: "max", field: "temp" },
  range: { aggregate: "range", field: "temp" },
  opened: { aggregate: "first", field: "temp" },
  closed: { aggregate: "last", field: "temp" },
  delta: { aggregate: "delta", field: "temp" },
  spread: { aggregate: "stddev", field: "temp" },
  middle: { aggregate: "median", field: "temp" },
  p50: { aggregate: "quantile", field: "temp", parameters: [0.5] },
  p90: { aggregate: "quantile", field: "temp", parameters: [0.9] },
  devices: { aggregate: "count_distinct", field: "device" },
  temps: { aggregate: "count_distinct", field: "temp" },
  mode: { aggregate: "mode", field: "load" },
  top: { aggregate: "top_k", field: "load", parameters: [2] },
  histogram: { aggregate: "histogram", field: "temp", parameters: [0, 10] },
  coolest: { aggregate: "arg_min", field: "load", second: "temp" },
  hottest: { aggregate: "arg_max", field: "load", second: "temp" },
  all: { aggregate: "collect", field: "temp", parameters: [3] },
  rate: { aggregate: "rate", field: "load" },
  area: { aggregate: "integral", field: "temp" },
  weighted: { aggregate: "time_mean", field: "temp" },
  recent: { aggregate: "ewma", field: "temp", parameters: [0.05] },
  slope: { aggregate: "slope", field: "temp" },
  related: { aggregate: "corr", field: "temp", second: "load" },
};

/** Quantiles within 1 %, all else but for rounding. */
function sameCell(name: string, expected: unknown, actual: unknown): boolean {
  if (expected === untold) return true;
  const aggregate = columns[name]?.aggregate;
  if (typeof expected === "string" && aggregate !== undefined) return JSON.stringify(actual) === expected;
  if (typeof expected !== "number" || typeof actual !== "number") return expected === actual;
  if (aggregate === "quantile")
    return Math.abs(actual - expected) <= 0.01 * (1 + 1e-9) * Math.abs(expected) + 1e-9;
  return Math.abs(actual - expected) <= 1e-8 * Math.max(1, Math.abs(expected));
}

const textOf = ({ device, site, temp }: Fields): string => JSON.stringify([device, site, temp]);

/** The rows with those of one window, which follow each other, in an order that does not depend on its parts. */
function inOrder(rows: readonly Fields[], anyOrder: boolean): readonly Fields[] {
  const placeOf = ({ window_start: start, window_end: end }: Fields): string => JSON.stringify([start, end]);
  const groups: Fields[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last !== undefined && placeOf(last[0]!) === placeOf(row)) last.push(row);
    else groups.push([row]);
  }
  const sorted = groups.flatMap((group) => group.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)));
  // Rows between two results are sent with the later one, key by key.
  return anyOrder
    ? sorted.sort((a, b) => (placeOf(a) + textOf(a) < placeOf(b) + textOf(b) ? -1 : 1))
    : sorted;
}

/** `anyOrder`: where rows of earlier windows may come with those of a later one. */
export function expectSameRows(harness: Harness, oracle: Oracle, anyOrder: boolean): void {
  const [actual, expected] = [inOrder(harness.rows(0), anyOrder), inOrder(oracle.rows, anyOrder)];
  const differs = expected.findIndex((row, place) =>
    Object.entries(row).some(([name, value]) => !sameCell(name, value, actual[place]?.[name])),
  );
  if (differs >= 0)
    assert.deepEqual(actual.slice(differs, differs + 4), expected.slice(differs, differs + 4));
  assert.equal(differs, -1);
  assert.equal(actual.length, expected.length);
}
