// Holds the engine to the oracle: random pipelines, records, batches and silences, and what it means that both say the
// same. How many cases there are is for whoever asks: the tests, or the script with many. Never says anything itself.

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { catalog } from "../../operators/catalog.ts";
import { gapWindowsMax } from "../../operators/window/bounds.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { exampleLimits } from "./example.ts";
import { Harness, lawFaults } from "./harness.ts";
import { Oracle } from "./oracle.ts";
import type { OracleColumn } from "./oracle-aggregate.ts";
import type { OracleEmission, OracleWindow } from "./oracle-kinds.ts";
import { columns, expectSameRows } from "./oracle-rows.fixture.ts";
import type { Fields } from "./payload.ts";

const schema = { device: "string", site: "string", ts: "time", temp: "float64", load: "float64" } as const;

export interface Shape {
  readonly lateness: number;
  readonly idle: number | null;
  readonly ahead: number;
  readonly processingTime: boolean;
  readonly filter: boolean;
  readonly window: OracleWindow;
  readonly emission: OracleEmission;
  readonly by: readonly string[];
  readonly select: readonly string[];
  /** Whether what a pool thread would do is done as it would be there. */
  readonly pooled: boolean;
  /** When the clock starts, and how many ms one step of a record's time takes. */
  readonly base: number;
  readonly scale: number;
}

const once: OracleEmission = { early: null, updates: null, gaps: null, gapsMax: gapWindowsMax };

/** What a test draws emissions from: every length in steps of `scale` ms. */
export const final: fc.Arbitrary<OracleEmission> = fc.constant(once);

export function early(...steps: readonly number[]): fc.Arbitrary<OracleEmission> {
  return fc.constantFrom(...steps).map((step) => ({ ...once, early: step }));
}

export function updates(scale = 1): fc.Arbitrary<OracleEmission> {
  return fc.constantFrom(1, 10, 50, 300).map((step) => ({ ...once, updates: step * scale }));
}

export const gaps: fc.Arbitrary<OracleEmission> = fc
  .constantFrom<NonNullable<OracleEmission["gaps"]>>("zero", "null", "last", "interpolate")
  .map((each) => ({ ...once, gaps: each }));

const opening = "temp > 10.0";
const closing = "temp < -5.0 || temp > 40.0";

/** As the expression language has it: null is not true. */
export const opens = ({ temp }: Fields): boolean => typeof temp === "number" && temp > 10;
export const closes = ({ temp }: Fields): boolean => typeof temp === "number" && (temp < -5 || temp > 40);
const keeps = ({ temp, site }: Fields): boolean => (typeof temp === "number" && temp > -20) || site === "x";

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
    case "calendar": {
      const { unit, zone } = window;
      return { calendar: typeof unit === "string" ? { unit, zone } : { shifts: unit, zone } };
    }
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

function emitOf({ early, updates, gaps }: OracleEmission): Fields {
  if (early !== null) return { emit: { early: ms(early) } };
  if (updates !== null) return { emit: { updates: ms(updates) } };
  return gaps === null ? {} : { gaps };
}

function callOf({ aggregate, field, second, parameters = [] }: OracleColumn): string {
  return `${aggregate}(${[field, second ?? null, ...parameters].filter((part) => part !== null).join(", ")})`;
}

function selected<T>(select: readonly string[], as: (column: OracleColumn) => T): Record<string, T> {
  return Object.fromEntries(select.map((name) => [name, as(columns[name]!)]));
}

function planOf(shape: Shape): PipelinePlan {
  const { lateness, idle, ahead, by } = shape;
  const time = {
    field: "ts",
    lateness: ms(lateness),
    ahead: ms(ahead),
    ...(idle === null ? {} : { idle: ms(idle) }),
  };
  const window = {
    ...settingsOf(shape.window),
    ...emitOf(shape.emission),
    ...(by.length > 0 ? { by } : {}),
    select: selected(shape.select, callOf),
  };
  const source = {
    file: { path: "in.ndjson" },
    format: "json",
    schema,
    ...(shape.processingTime ? {} : { time }),
  };
  const sink = { sink: { stdout: {}, format: "json" } };
  const steps = [...(shape.filter ? [{ filter: "temp > -20.0 || site == 'x'" }] : []), { window }, sink];
  const content = JSON.stringify({ name: "oracle", source, limits: exampleLimits, steps });
  const { plan, diagnostics } = loadPipeline({ file: "oracle", content, catalogue: catalog });
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

/** The fields that somebody reads: of no others are the types looked at. */
function readBy({ by, select, filter, window, processingTime }: Shape): Partial<typeof schema> {
  const read = new Set([...by, ...select.flatMap((name) => [columns[name]!.field, columns[name]!.second])]);
  if (!processingTime) read.add("ts");
  if (filter) read.add("temp").add("site");
  if (window.kind === "state") read.add("temp");
  return Object.fromEntries(Object.entries(schema).filter(([name]) => read.has(name)));
}

function oracleOf({ lateness, idle, ahead, ...shape }: Shape): Oracle {
  return new Oracle({
    schema: readBy({ lateness, idle, ahead, ...shape }),
    time: shape.processingTime ? null : { field: "ts", lateness, idle, ahead },
    keep: shape.filter ? keeps : () => true,
    window: shape.window,
    emission: shape.emission,
    by: shape.by,
    select: selected(shape.select, (column) => column),
  });
}

type Event =
  | { readonly kind: "records"; readonly records: readonly Fields[] }
  | { readonly kind: "pause"; readonly ms: number };

/** Further ahead than any record is. */
const far = 400 * 86_400_000;

const anyOf = (...lists: readonly (readonly string[])[]): fc.Arbitrary<readonly string[]> =>
  fc.constantFrom(...lists);

/** Shapes around a window and its emission; times are in steps of `scale` ms from `base` on. */
export function shapesOf(
  window: fc.Arbitrary<OracleWindow>,
  emission: fc.Arbitrary<OracleEmission>,
  base = 0,
  scale = 1,
): fc.Arbitrary<Shape> {
  return fc.record({
    window,
    emission,
    lateness: fc.constantFrom(0, 0, 1, 7, 40).map((steps) => steps * scale),
    idle: fc.constantFrom(null, 1, 20, 150).map((steps) => (steps === null ? null : steps * scale)),
    ahead: fc.constantFrom(0, scale === 1 ? 50 : far, scale === 1 ? 300_000 : far),
    processingTime: fc.constantFrom(false, false, false, false, false, true),
    filter: fc.boolean(),
    by: anyOf([], ["device"], ["site", "device"], ["temp"]),
    select: fc.subarray(Object.keys(columns), { minLength: 1, maxLength: 4 }),
    pooled: fc.boolean(),
    base: fc.constant(base),
    scale: fc.constant(scale),
  });
}

const day = 86_400_000;

/** Readings around one moment, out of order, some broken, some from another time altogether. */
const record: fc.Arbitrary<Fields> = fc.record(
  {
    device: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("a", "b", "c", null) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(7, true) },
    ),
    site: fc.constantFrom("x", "y", null),
    ts: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: -90, max: 400 }) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(3 * day, 3650 * day, null, "soon", 59.5, -0.25) },
    ),
    temp: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: -400, max: 400 }).map((eighths) => eighths / 8) },
      { weight: 2, arbitrary: fc.constantFrom<unknown>(null, null, 20, "warm", [1]) },
    ),
    load: fc.constantFrom(0, 1, 2, 3, 5, null),
  },
  { requiredKeys: ["ts"] },
);

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("records" as const),
        records: fc.array(record, { minLength: 1, maxLength: 9 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("pause" as const), ms: fc.constantFrom(1, 19, 20, 90, 1000) }),
    },
  ),
  { maxLength: 8 },
);

/** The events at the times of a shape: a calendar that is read minute by minute does not reach ten years far. */
function placed(all: readonly Event[], { base, scale }: Shape): readonly Event[] {
  if (scale === 1) return all;
  const at = ({ ts, ...rest }: Fields): Fields => {
    if (typeof ts !== "number") return { ts, ...rest };
    return { ...rest, ts: base + (Math.abs(ts) < 1000 ? ts : 30) * scale };
  };
  return all.map((event) =>
    event.kind === "pause"
      ? { kind: "pause", ms: Math.min(event.ms, 90) * scale }
      : { kind: "records", records: event.records.map(at) },
  );
}

/** By reason, records; the filter and the window may give the same one. */
function ledgerOf(harness: Harness): Record<string, number> {
  const ledger: Record<string, number> = {};
  for (const { reason, records } of harness.counts()[0]!.ledger)
    ledger[reason] = (ledger[reason] ?? 0) + records;
  return ledger;
}

function expectSameCounts(harness: Harness, oracle: Oracle): void {
  const counts = harness.counts();
  assert.deepEqual(lawFaults(counts), []);
  const { in: taken, out, held } = counts[0]!;
  assert.deepEqual({ in: taken, out, held }, { in: oracle.in, out: oracle.out, held: oracle.held });
  assert.deepEqual(ledgerOf(harness), oracle.ledger);
  assert.equal(harness.watermark, oracle.watermark);
}

function started(plan: PipelinePlan, { base }: Shape, batchRows: number, pooled: boolean = false): Harness {
  const harness = new Harness(plan, { batchRows, pooled });
  if (base > 0) harness.pause(base);
  return harness;
}

const plans = new WeakMap<Shape, PipelinePlan>();

/** Runs engine and oracle side by side; what they say is compared after the event numbered `look`, and at the end. */
function compare(shape: Shape, events: readonly Event[], look: number): Oracle {
  const all = placed(events, shape);
  const plan = plans.get(shape) ?? planOf(shape);
  plans.set(shape, plan);
  const harness = started(plan, shape, 1000, shape.pooled);
  const oracle = oracleOf(shape);
  if (shape.base > 0) oracle.tick(harness.now);
  all.forEach((event, place) => {
    if (event.kind === "pause") {
      harness.pause(event.ms);
      oracle.tick(harness.now);
    } else {
      const arrivals = event.records.map((each) => {
        harness.record(each);
        return harness.now;
      });
      harness.counts(); // Asking for the counts ends the batch.
      oracle.batch(event.records, arrivals);
    }
    if (place === look) expectSameCounts(harness, oracle);
  });
  harness.finish();
  oracle.finish();
  expectSameRows(harness, oracle, shape.emission.gaps === "interpolate");
  expectSameCounts(harness, oracle);
  assert.equal(oracle.held, 0);
  const refused = ["type", "time", "ahead"] as const;
  const letters = refused.reduce((total, reason) => total + (oracle.ledger[reason] ?? 0), 0);
  assert.equal(harness.letters.length, letters);
  return oracle;
}

/** Runs the engine over the events in batches of one, two and many records. */
function expectSameInBatches(shape: Shape, events: readonly Event[]): void {
  const plan = planOf(shape);
  const runs = [1, 2, 1000].map((batchRows) => {
    const harness = started(plan, shape, batchRows);
    for (const event of placed(events, shape)) {
      if (event.kind === "pause") harness.pause(event.ms);
      else for (const each of event.records) harness.record(each);
    }
    harness.finish();
    assert.deepEqual(lawFaults(harness.counts()), []);
    return { rows: harness.rows(0), ledger: ledgerOf(harness), letters: harness.letters.length };
  });
  assert.deepEqual(runs[1], runs[0]);
  assert.deepEqual(runs[2], runs[0]);
}

/** The ways in which each kind lets go of records. */
const everyReason = ["ahead", "filtered", "late", "time", "type"];
/** Pipelines among the cases of a shape: to check and plan one costs as much as to run it. */
const pipelines = 60;
/** Columns that each of them selects in turn, beside those by chance. */
const dealtColumns = 3;
/** Of so many cases with the oracle, one is cut into batches as well. */
const casesOfBatches = 16;

export interface OracleCases {
  readonly cases: number;
  readonly seed: number;
  /** Of a case that failed, as its report names it; no other is run then. */
  readonly path?: string;
}

export interface OracleFigures {
  readonly cases: number;
  readonly rows: number;
}

/** What is held to what, and how it is done; throws with seed and path of the smallest case that differs. */
export type OracleCheck = (asked: OracleCases) => OracleFigures;

/** Pipelines of a shape; together they select every aggregate, whatever chance says. */
function pipelinesOf(shape: fc.Arbitrary<Shape>, seed: number): readonly Shape[] {
  const names = Object.keys(columns);
  return fc.sample(shape, { seed, numRuns: pipelines }).map((each, place) => {
    const dealt = Array.from(
      { length: dealtColumns },
      (_, n) => names[(place * dealtColumns + n) % names.length]!,
    );
    return { ...each, select: [...new Set([...each.select, ...dealt])] };
  });
}

/** The engine does what the oracle does. */
export function sameAsOracle(name: string, shape: fc.Arbitrary<Shape>): OracleCheck {
  return ({ cases, ...replay }) => {
    let rows = 0;
    const reasons = new Set<string>();
    const selected = new Set<string>();
    const some = fc.constantFrom(...pipelinesOf(shape, replay.seed));
    fc.assert(
      fc.property(some, events, fc.nat(8), (one, all, look) => {
        const oracle = compare(one, all, look);
        rows += oracle.rows.length;
        for (const reason of Object.keys(oracle.ledger)) reasons.add(reason);
        for (const column of one.select) selected.add(column);
      }),
      { ...replay, numRuns: cases },
    );
    if (replay.path !== undefined) return { cases: 1, rows };
    // The cases are worth something: many rows, every aggregate, and every way to leave the stream.
    assert.ok(rows > cases, `${rows} rows of ${cases} cases`);
    assert.deepEqual([...selected].sort(), Object.keys(columns).sort());
    const isCount = name.startsWith("count");
    assert.deepEqual(
      [...reasons].sort(),
      everyReason.filter((reason) => !isCount || reason !== "late"),
    );
    return { cases, rows };
  };
}

/** How records are cut into batches changes nothing. */
export function sameInBatches(shape: fc.Arbitrary<Shape>): OracleCheck {
  return ({ cases, ...replay }) => {
    const numRuns = Math.ceil(cases / casesOfBatches);
    fc.assert(fc.property(shape, events, expectSameInBatches), { ...replay, numRuns });
    return { cases: replay.path === undefined ? numRuns : 1, rows: 0 };
  };
}
