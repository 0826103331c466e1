// The engine against the oracle: random pipelines, records, batches and silences. To replay a failure,
// put the seed and path that the report names into `replay`.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "./harness.ts";
import { Oracle, type OracleColumn, type OraclePipeline } from "./oracle.ts";
import type { Fields } from "./payload.ts";

/** For instance { seed: 1, path: "12:3" }. */
const replay: { readonly seed: number; readonly path?: string } = { seed: 20_260_726 };

const select: Readonly<Record<string, OracleColumn>> = {
  n: { aggregate: "count", field: null },
  values: { aggregate: "count", field: "temp" },
  total: { aggregate: "sum", field: "temp" },
  mean: { aggregate: "mean", field: "temp" },
  low: { aggregate: "min", field: "temp" },
  high: { aggregate: "max", field: "temp" },
  opened: { aggregate: "first", field: "temp" },
  closed: { aggregate: "last", field: "temp" },
  spread: { aggregate: "stddev", field: "temp" },
  median: { aggregate: "quantile", field: "temp", share: 0.5 },
  p90: { aggregate: "quantile", field: "temp", share: 0.9 },
  devices: { aggregate: "count_distinct", field: "device" },
  temps: { aggregate: "count_distinct", field: "temp" },
};

const schema = { device: "string", site: "string", ts: "time", temp: "float64" } as const;

function callOf({ aggregate, field, share }: OracleColumn): string {
  return `${aggregate}(${[field, share].filter((part) => part !== null && part !== undefined).join(", ")})`;
}

interface Shape {
  readonly lateness: number;
  readonly idle: number | null;
  readonly ahead: number;
  readonly filter: boolean;
  readonly size: number;
  readonly offset: number;
  readonly by: readonly string[];
}

function planOf({ lateness, idle, ahead, filter, size, offset, by }: Shape): PipelinePlan {
  const time = { field: "ts", lateness: `${lateness}ms`, ahead: `${ahead}ms` };
  const window = {
    tumbling: `${size}ms`,
    offset: `${offset}ms`,
    ...(by.length > 0 ? { by } : {}),
    select: Object.fromEntries(Object.entries(select).map(([name, column]) => [name, callOf(column)])),
  };
  const source = {
    file: { path: "in.ndjson" },
    format: "json",
    schema,
    time: idle === null ? time : { ...time, idle: `${idle}ms` },
  };
  const sink = { sink: { stdout: {}, format: "json" } };
  const steps = [...(filter ? [{ filter: "temp > -20.0 || site == 'x'" }] : []), { window }, sink];
  const content = JSON.stringify({ name: "oracle", source, steps });
  const { plan, diagnostics } = loadPipeline({ file: "oracle", content, catalogue: catalog });
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

/** As the expression language has it: null is not true. */
function keeps(record: Fields): boolean {
  const { temp, site } = record;
  return (typeof temp === "number" && temp > -20) || site === "x";
}

function oracleOf(shape: Shape): Oracle {
  const { lateness, idle, ahead, size, offset, by } = shape;
  const pipeline: OraclePipeline = {
    schema,
    time: { field: "ts", lateness, idle, ahead },
    keep: shape.filter ? keeps : () => true,
    size,
    offset,
    by,
    select,
  };
  return new Oracle(pipeline);
}

type Event =
  | { readonly kind: "records"; readonly records: readonly Fields[] }
  | { readonly kind: "pause"; readonly ms: number };

const shapes: fc.Arbitrary<Shape> = fc.record({
  lateness: fc.constantFrom(0, 0, 1, 7, 40),
  idle: fc.constantFrom(null, 1, 20, 150),
  ahead: fc.constantFrom(0, 50, 300_000),
  filter: fc.boolean(),
  size: fc.constantFrom(1, 10, 60),
  offset: fc.constantFrom(0, 3, 60),
  by: fc.constantFrom<readonly string[]>([], ["device"], ["site", "device"], ["temp"]),
});

const day = 86_400_000;

/** Readings around one moment, out of order, some broken, some from another time altogether. */
const record: fc.Arbitrary<Fields> = fc.record(
  {
    device: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("a", "b", "c", null) },
      fc.constantFrom<unknown>(7, true),
    ),
    site: fc.constantFrom("x", "y", null),
    ts: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: -90, max: 400 }) },
      { weight: 2, arbitrary: fc.constantFrom(0, 10, 60) },
      fc.constantFrom<unknown>(3 * day, 3650 * day, null, "soon", 59.5, -0.25),
    ),
    temp: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: -400, max: 400 }).map((eighths) => eighths / 8) },
      { weight: 1, arbitrary: fc.constant(null) },
      fc.constantFrom<unknown>("warm", -0, 1e-30, [1]),
    ),
  },
  { requiredKeys: [] },
);

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("records" as const),
        records: fc.array(record, { minLength: 1, maxLength: 12 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("pause" as const),
        ms: fc.constantFrom(1, 19, 20, 90, 1000),
      }),
    },
  ),
  { maxLength: 14 },
);

/** Quantiles within 1 %, all else but for rounding. */
function sameCell(name: string, expected: unknown, actual: unknown): boolean {
  if (typeof expected !== "number" || typeof actual !== "number") return expected === actual;
  if (select[name]?.aggregate === "quantile")
    return Math.abs(actual - expected) <= 0.01 * (1 + 1e-9) * Math.abs(expected) + 1e-12;
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

function expectSameRows(actual: readonly Fields[], expected: readonly Fields[]): void {
  const differs = expected.findIndex((row, place) =>
    Object.entries(row).some(([name, value]) => !sameCell(name, value, actual[place]?.[name])),
  );
  if (differs >= 0) expect(actual[differs]).toEqual(expected[differs]);
  expect(differs).toBe(-1);
  expect(actual.length).toBe(expected.length);
}

function ledgerOf(harness: Harness): Record<string, number> {
  return Object.fromEntries(harness.counts()[0]!.ledger.map(({ reason, records }) => [reason, records]));
}

function expectSame(harness: Harness, oracle: Oracle): void {
  const counts = harness.counts();
  expect(lawFaults(counts)).toEqual([]);
  const { in: taken, out, held } = counts[0]!;
  expect({ in: taken, out, held }).toEqual({ in: oracle.in, out: oracle.out, held: oracle.held });
  expect(ledgerOf(harness)).toEqual(oracle.ledger);
  expect(harness.watermark).toBe(oracle.watermark);
}

test("the engine does what the oracle does, batch by batch", () => {
  let rows = 0;
  const reasons = new Set<string>();
  fc.assert(
    fc.property(shapes, events, (shape, all) => {
      const harness = new Harness(planOf(shape), { batchRows: 1000 });
      const oracle = oracleOf(shape);
      for (const event of all) {
        if (event.kind === "pause") {
          harness.pause(event.ms);
          oracle.tick(harness.now);
        } else {
          for (const each of event.records) harness.record(each);
          oracle.batch(event.records, harness.now);
        }
        // Asking for the counts ends the batch.
        expectSame(harness, oracle);
        expectSameRows(harness.rows(0), oracle.rows);
      }
      harness.finish();
      oracle.finish();
      expectSameRows(harness.rows(0), oracle.rows);
      const counts = harness.counts()[0]!;
      expect(lawFaults([counts])).toEqual([]);
      expect(counts.held).toBe(0);
      expect(counts.out).toBe(oracle.out);
      const refused = ["type", "time", "ahead"] as const;
      const letters = refused.reduce((total, reason) => total + (oracle.ledger[reason] ?? 0), 0);
      expect(harness.letters.length).toBe(letters);
      rows += oracle.rows.length;
      for (const reason of Object.keys(oracle.ledger)) reasons.add(reason);
    }),
    { ...replay, numRuns: 400 },
  );
  if (replay.path !== undefined) return;
  // The cases are worth something: many rows, and every way to leave the stream.
  expect(rows).toBeGreaterThan(1000);
  expect([...reasons].sort()).toEqual(["ahead", "filtered", "late", "time", "type"]);
});

test("how records are cut into batches changes nothing", () => {
  fc.assert(
    fc.property(shapes, events, (shape, all) => {
      const plan = planOf(shape);
      const runs = [1, 2, 1000].map((batchRows) => {
        const harness = new Harness(plan, { batchRows });
        for (const event of all) {
          if (event.kind === "pause") harness.pause(event.ms);
          else for (const each of event.records) harness.record(each);
        }
        harness.finish();
        expect(lawFaults(harness.counts())).toEqual([]);
        return { rows: harness.rows(0), ledger: ledgerOf(harness), letters: harness.letters.length };
      });
      expect(runs[1]).toEqual(runs[0]);
      expect(runs[2]).toEqual(runs[0]);
    }),
    { ...replay, numRuns: 300 },
  );
});
