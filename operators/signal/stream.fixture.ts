// Runs one operator as a pipeline over a list of records, cut into batches of different sizes, and holds
// every run to the laws that all operators share. What an oracle gets to see is made here as well.

import * as fc from "fast-check";
import { expect } from "vitest";
import { exampleLimits, Harness, lawFaults } from "weir/testing";
import type { ColumnType, OperatorDefinition } from "weir/sdk";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { planOnce } from "../../runtime/testing/plans.fixture.ts";

export interface Reading {
  readonly n: number;
  readonly key: string | null;
  readonly ts: number;
  readonly x: number | null;
}

/** A reading with the watermark that was in force when it arrived. */
export interface Arrival extends Reading {
  readonly watermark: number;
}

export type Row = Reading & Readonly<Record<string, unknown>>;

export interface Run {
  readonly rows: readonly Row[];
  /** By `step: reason`, records. */
  readonly ledger: Readonly<Record<string, number>>;
  readonly held: number;
  /** By name, what the steps show beside their counts. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Setting {
  readonly steps: readonly (readonly [OperatorDefinition, unknown])[];
  readonly lateness?: number;
  readonly type?: ColumnType;
}

function planOf({ steps, lateness = 0, type = "float64" }: Setting): PipelinePlan {
  const pipeline = {
    name: "stream",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { n: "float64", key: "string", ts: "time", x: type },
      time: { field: "ts", lateness: `${lateness}ms` },
    },
    limits: exampleLimits,
    steps: [
      ...steps.map(([{ name }, config]) => ({ [name]: config })),
      { sink: { stdout: {}, format: "json" } },
    ],
  };
  const catalogue = steps.map(([definition]) => definition);
  return planOnce(JSON.stringify(pipeline), catalogue);
}

function runOnce(plan: PipelinePlan, readings: readonly Reading[], batchRows: number): Run {
  const harness = new Harness(plan, { batchRows });
  for (const { n, key, ts, x } of readings) harness.record({ n, key, ts, x });
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  const counts = harness.counts()[0]!;
  expect(lawFaults([counts])).toEqual([]);
  return {
    rows: harness.rows(0) as readonly Row[],
    ledger: Object.fromEntries(
      counts.ledger
        .map(({ step, reason, records }) => [`${step.replace(/^[^a-z]*/, "")}: ${reason}`, records] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    held: counts.held,
    metrics: Object.fromEntries(harness.metrics().map(({ name, value }) => [name, value])),
  };
}

/** The run of `readings`, which is the same however they are cut into batches. */
export function run(
  setting: Setting,
  readings: readonly Reading[],
  cuts: readonly number[] = [1, 3, 1000],
): Run {
  const plan = planOf(setting);
  const first = runOnce(plan, readings, cuts[0]!);
  for (const batchRows of cuts.slice(1)) expect(runOnce(plan, readings, batchRows)).toEqual(first);
  return first;
}

/** The readings with the watermarks that they meet, and the last watermark. */
export function arrivalsOf(readings: readonly Reading[], lateness: number): [Arrival[], number] {
  let latest = Number.NEGATIVE_INFINITY;
  const arrivals = readings.map((reading) => {
    const watermark = latest - lateness;
    latest = Math.max(latest, reading.ts);
    return { ...reading, watermark };
  });
  return [arrivals, latest - lateness];
}

export interface ReadingOptions {
  /** Longest step of event time between two readings; some go back by as much. */
  readonly step?: number;
  readonly x?: fc.Arbitrary<number | null>;
  readonly length?: number;
}

const smallNumbers = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 8, arbitrary: fc.integer({ min: -8, max: 8 }) },
);

/** Streams of a few keys in which most readings are in order and some are not. */
export function readings(options: ReadingOptions = {}): fc.Arbitrary<readonly Reading[]> {
  const { step = 10, x = smallNumbers, length = 60 } = options;
  const one = fc.record({
    key: fc.constantFrom("a", "a", "a", "b", "b", null),
    step: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: step }) },
      { weight: 1, arbitrary: fc.integer({ min: -2 * step, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: step, max: 5 * step }) },
    ),
    x,
  });
  return fc.array(one, { maxLength: length, size: "max" }).map((steps) => {
    let ts = 1000;
    return steps.map((each, n) => {
      ts += each.step;
      return { n, key: each.key, ts, x: each.x };
    });
  });
}

/** The readings of each key on their own, by key. */
export function byKey<R extends Reading>(all: readonly R[]): ReadonlyMap<string | null, readonly R[]> {
  const groups = new Map<string | null, R[]>();
  for (const reading of all) groups.set(reading.key, [...(groups.get(reading.key) ?? []), reading]);
  return groups;
}

/** By key, the numbers of the readings in `rows`, in order. */
export function numbersByKey(rows: readonly Reading[]): Readonly<Record<string, readonly number[]>> {
  const numbers: Record<string, number[]> = {};
  for (const { key, n } of rows) (numbers[String(key)] ??= []).push(n);
  return numbers;
}

/** `oracle` says which readings of one key are sent, in order; the run has to agree for every key. */
export function expectSame(
  { rows }: Run,
  all: readonly Arrival[],
  oracle: (key: readonly Arrival[]) => readonly number[],
): void {
  const expected: Record<string, readonly number[]> = {};
  for (const [key, own] of byKey(all)) {
    const numbers = oracle(own);
    if (numbers.length > 0) expected[String(key)] = numbers;
  }
  expect(numbersByKey(rows)).toEqual(expected);
}
