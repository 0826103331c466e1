// The engine against the oracle: random pipelines, records, batches and silences. To replay a failure,
// put the seed and path that the report names into `replay`.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "./harness.ts";
import { Oracle, type OraclePipeline } from "./oracle.ts";
import type { OracleColumn } from "./oracle-aggregate.ts";
import type { OracleWindow } from "./oracle-windows.ts";
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
  readonly window: OracleWindow;
  readonly by: readonly string[];
}

const ms = (duration: number): string => `${duration}ms`;

/** The settings of the step that the oracle's window stands for. */
function settingsOf(window: OracleWindow): Fields {
  switch (window.kind) {
    case "tumbling":
      return { tumbling: ms(window.size), offset: ms(window.offset) };
    case "hopping":
      return { hopping: { size: ms(window.size), every: ms(window.every) }, offset: ms(window.offset) };
    case "cumulate":
      return { cumulate: { step: ms(window.step), max: ms(window.max) }, offset: ms(window.offset) };
    case "early":
      return { tumbling: ms(window.size), emit: { early: ms(window.early) }, offset: ms(window.offset) };
    case "session": {
      const gap = ms(window.gap);
      return { session: window.max === Infinity ? { gap } : { gap, max: ms(window.max) } };
    }
    case "count":
      return { count: { n: window.n, every: window.every } };
    case "sliding":
      return { sliding: ms(window.length) };
    case "state":
      return { state: { open: opening, close: closing } };
  }
}

const opening = "temp > 10.0";
const closing = "temp < -5.0 || temp > 40.0";

/** As the expression language has it: null is not true. */
const opens = ({ temp }: Fields): boolean => typeof temp === "number" && temp > 10;
const closes = ({ temp }: Fields): boolean => typeof temp === "number" && (temp < -5 || temp > 40);

function planOf({ lateness, idle, ahead, filter, window: of, by }: Shape): PipelinePlan {
  const time = { field: "ts", lateness: `${lateness}ms`, ahead: `${ahead}ms` };
  const window = {
    ...settingsOf(of),
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
  const { lateness, idle, ahead, window, by } = shape;
  const pipeline: OraclePipeline = {
    schema,
    time: { field: "ts", lateness, idle, ahead },
    keep: shape.filter ? keeps : () => true,
    window,
    by,
    select,
  };
  return new Oracle(pipeline);
}

type Event =
  | { readonly kind: "records"; readonly records: readonly Fields[] }
  | { readonly kind: "pause"; readonly ms: number };

const offset = fc.constantFrom(0, 3, 60);

const kinds: Readonly<Record<OracleWindow["kind"], fc.Arbitrary<OracleWindow>>> = {
  tumbling: fc.record({ kind: fc.constant("tumbling"), size: fc.constantFrom(1, 10, 60), offset }),
  hopping: fc.constantFrom([10, 5], [60, 25], [60, 7], [10, 10], [7, 1]).chain(([size, every]) =>
    fc.record({
      kind: fc.constant("hopping"),
      size: fc.constant(size!),
      every: fc.constant(every!),
      offset,
    }),
  ),
  cumulate: fc
    .constantFrom([5, 20], [10, 10], [7, 70], [1, 12])
    .chain(([step, max]) =>
      fc.record({ kind: fc.constant("cumulate"), step: fc.constant(step!), max: fc.constant(max!), offset }),
    ),
  early: fc
    .constantFrom([20, 5], [10, 10], [60, 15])
    .chain(([size, early]) =>
      fc.record({ kind: fc.constant("early"), size: fc.constant(size!), early: fc.constant(early!), offset }),
    ),
  session: fc.record({
    kind: fc.constant("session"),
    gap: fc.constantFrom(1, 5, 10, 30),
    max: fc.constantFrom(Infinity, Infinity, 12, 30, 100),
  }),
  count: fc
    .constantFrom([1, 1], [3, 3], [5, 2], [6, 3], [4, 1], [7, 5])
    .map(([n, every]) => ({ kind: "count", n: n!, every: every! })),
  sliding: fc.record({ kind: fc.constant("sliding"), length: fc.constantFrom(1, 10, 60, 400) }),
  state: fc.constant({ kind: "state", opens, closes }),
};

const shapesOf = (window: fc.Arbitrary<OracleWindow>): fc.Arbitrary<Shape> =>
  fc.record({
    window,
    lateness: fc.constantFrom(0, 0, 1, 7, 40),
    idle: fc.constantFrom(null, 1, 20, 150),
    ahead: fc.constantFrom(0, 50, 300_000),
    filter: fc.boolean(),
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

/** The rows with those of one window, which follow each other, in an order that does not depend on its parts. */
function inOrder(rows: readonly Fields[]): readonly Fields[] {
  const groups: Fields[][] = [];
  for (const row of rows) {
    const group = groups.at(-1);
    const isSame = (["window_start", "window_end"] as const).every(
      (name) => group?.[0]?.[name] === row[name],
    );
    if (isSame) group!.push(row);
    else groups.push([row]);
  }
  const textOf = ({ device, site, temp }: Fields): string => JSON.stringify([device, site, temp]);
  return groups.flatMap((group) => group.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)));
}

function expectSameRows(actualRows: readonly Fields[], expectedRows: readonly Fields[]): void {
  const [actual, expected] = [inOrder(actualRows), inOrder(expectedRows)];
  const differs = expected.findIndex((row, place) =>
    Object.entries(row).some(([name, value]) => !sameCell(name, value, actual[place]?.[name])),
  );
  if (differs >= 0) expect(actual[differs]).toEqual(expected[differs]);
  expect(differs).toBe(-1);
  expect(actual.length).toBe(expected.length);
}

/** By reason, records; the filter and the window may give the same one. */
function ledgerOf(harness: Harness): Record<string, number> {
  const ledger: Record<string, number> = {};
  for (const { reason, records } of harness.counts()[0]!.ledger)
    ledger[reason] = (ledger[reason] ?? 0) + records;
  return ledger;
}

function expectSame(harness: Harness, oracle: Oracle): void {
  const counts = harness.counts();
  expect(lawFaults(counts)).toEqual([]);
  const { in: taken, out, held } = counts[0]!;
  expect({ in: taken, out, held }).toEqual({ in: oracle.in, out: oracle.out, held: oracle.held });
  expect(ledgerOf(harness)).toEqual(oracle.ledger);
  expect(harness.watermark).toBe(oracle.watermark);
}

const allKinds = Object.keys(kinds) as OracleWindow["kind"][];

/** The ways in which each kind lets go of records. */
const everyReason = ["ahead", "filtered", "late", "time", "type"];

test.each(allKinds)("the engine does what the oracle does, batch by batch: %s", (kind) => {
  let rows = 0;
  const reasons = new Set<string>();
  fc.assert(
    fc.property(shapesOf(kinds[kind]), events, (shape, all) => {
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
    { ...replay, numRuns: 150 },
  );
  if (replay.path !== undefined) return;
  // The cases are worth something: many rows, and every way to leave the stream.
  expect(rows).toBeGreaterThan(100);
  expect([...reasons].sort()).toEqual(everyReason.filter((reason) => kind !== "count" || reason !== "late"));
});

test.each(allKinds)("how records are cut into batches changes nothing: %s", (kind) => {
  fc.assert(
    fc.property(shapesOf(kinds[kind]), events, (shape, all) => {
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
    { ...replay, numRuns: 60 },
  );
});
