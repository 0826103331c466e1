// Keys within their bounds: what a naive engine says that judges every record by itself, however records are
// cut into batches; and nothing lost from the ledger.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Harness, lawFaults } from "weir/testing";
import { catalog } from "../../operators/catalog.ts";
import type { KeyBounds, PipelinePlan } from "../pipeline/pipeline.ts";
import { planOnce } from "../testing/plans.fixture.ts";
import { pipelineText, sink } from "./engine.fixture.ts";
import { forgottenAtOnce } from "./key-bounds.ts";

interface Reading {
  readonly device: string | null;
  readonly ts: number;
  readonly temp: number;
}

const lateness = 200;

function sourceOf(late: number): Step {
  return {
    file: { path: "in.ndjson" },
    format: "json",
    schema: { device: "string", ts: "time", temp: "float64" },
    time: { field: "ts", lateness: `${late}ms` },
  };
}

type Step = Readonly<Record<string, unknown>>;

function bounded(step: Step, keys: KeyBounds, before: readonly Step[] = []): PipelinePlan {
  const source = sourceOf(lateness);
  const plan = planOnce(pipelineText({ source, steps: [...before, step, sink] }), catalog);
  return {
    ...plan,
    steps: plan.steps.map((each) => ({ ...each, keys })),
    branches: plan.branches.map((branch) => ({
      ...branch,
      steps: branch.steps.map((each) => ({ ...each, keys })),
    })),
  };
}

interface Run {
  readonly rows: readonly unknown[];
  readonly ledger: readonly unknown[];
}

function runOnce(plan: PipelinePlan, readings: readonly Reading[], batchRows: number): Run {
  const harness = new Harness(plan, { batchRows });
  for (const reading of readings) harness.record({ ...reading });
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  const [counts] = harness.counts();
  expect(lawFaults([counts!])).toEqual([]);
  expect(counts!.held).toBe(0);
  const ledger = counts!.ledger.map(({ reason, records }) => `${reason} ${records}`).toSorted();
  return { rows: harness.rows(0), ledger };
}

/** The run of `readings`, which is the same however they are cut into batches. */
function run(plan: PipelinePlan, readings: readonly Reading[]): Run {
  const whole = runOnce(plan, readings, 1000);
  for (const batchRows of [1, 7]) expect(runOnce(plan, readings, batchRows)).toEqual(whole);
  return whole;
}

/** Times are all different, so that of two keys one was silent longer. */
const streams = fc
  .array(fc.record({ key: fc.nat(9), step: fc.integer({ min: -2, max: 6 }), temp: fc.nat(9) }), {
    maxLength: 90,
    size: "max",
  })
  .map((steps) => {
    let at = 0;
    return steps.map(({ key, step, temp }, place): Reading => {
      at += step;
      return { device: key === 9 ? null : `d${key}`, ts: at * 100 + place, temp };
    });
  });

const bounds = fc.record({
  max: fc.integer({ min: 1, max: 6 }),
  ttl: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 2_000 })),
  when_full: fc.constantFrom("refuse", "forget_oldest"),
});

/** Every third reading of a key, by the definition: kept are the keys that were heard of within `ttl`, and at most `max`. */
function sampled(readings: readonly Reading[], { max, ttl, when_full }: KeyBounds): Run {
  const known = new Map<string | null, { seen: number; last: number }>();
  let latest = Number.NEGATIVE_INFINITY;
  const rows: Reading[] = [];
  let overflow = 0;
  for (const reading of readings) {
    const watermark = latest - lateness;
    for (const [key, { last }] of known) if (ttl !== null && last + ttl <= watermark) known.delete(key);
    if (!known.has(reading.device) && known.size >= max && when_full === "forget_oldest") {
      const oldest = [...known].toSorted(([, a], [, b]) => a.last - b.last);
      for (const [key] of oldest.slice(0, forgottenAtOnce(max))) known.delete(key);
    }
    latest = Math.max(latest, reading.ts);
    if (!known.has(reading.device) && known.size >= max) {
      overflow++;
      continue;
    }
    const key = known.get(reading.device) ?? { seen: 0, last: Number.NEGATIVE_INFINITY };
    known.set(reading.device, key);
    key.last = Math.max(key.last, reading.ts);
    if (key.seen++ % 3 === 0) rows.push(reading);
  }
  const filtered = readings.length - rows.length - overflow;
  const ledger = [["filtered", filtered] as const, ["overflow", overflow] as const];
  return {
    rows,
    ledger: ledger.flatMap(([reason, records]) => (records > 0 ? [`${reason} ${records}`] : [])),
  };
}

describe("keys are forgotten", () => {
  test("as a naive engine says", () => {
    fc.assert(
      fc.property(streams, bounds, (readings, keys) => {
        expect(run(bounded({ sample: { every: 3, by: "device" } }, keys), readings)).toEqual(
          sampled(readings, keys),
        );
      }),
      { seed: 31, numRuns: 80 },
    );
  });

  test.each([
    { hold: { when: "temp > 4", for: "300ms", by: "device" } },
    { throttle: { every: "500ms", keep: "last", by: "device" } },
    { top: { count: 2, value: "temp", every: "500ms", by: "device" } },
    { top: { count: 2, value: "temp", every: "30ms", by: "device" } },
    { absence: { for: "400ms", by: "device" } },
    { window: { tumbling: "700ms", by: "device", select: { n: "count()" } } },
    { window: { hopping: { size: "900ms", every: "300ms" }, by: "device", select: { n: "count()" } } },
    { window: { tumbling: "300ms", gaps: "last", by: "device", select: { n: "count()", t: "last(temp)" } } },
    {
      window: {
        hopping: { size: "900ms", every: "300ms" },
        gaps: "zero",
        by: "device",
        select: { n: "count()" },
      },
    },
    { window: { tumbling: "300ms", gaps: "interpolate", by: "device", select: { t: "mean(temp)" } } },
    { window: { session: { gap: "300ms" }, by: "device", select: { n: "count()" } } },
    { window: { count: { n: 3 }, by: "device", select: { n: "count()" } } },
    { window: { sliding: "500ms", by: "device", select: { n: "count()" } } },
    { dedup: { within: "900ms", by: "device" } },
  ])("the same however records are cut, and nothing is lost: %j", (step) => {
    fc.assert(
      fc.property(streams, bounds, (readings, keys) => {
        run(bounded(step, keys), readings);
      }),
      { seed: 32, numRuns: 40 },
    );
  });
});

test.each([
  { hold: { when: "temp > 4", for: "300ms", by: "device" } },
  { throttle: { every: "500ms", keep: "last", by: "device" } },
  { top: { count: 2, value: "temp", every: "500ms", by: "device" } },
  { absence: { for: "400ms", by: "device", returns: true } },
  { pattern: { sequence: ["temp > 6"], absent: "temp < 3", within: "300ms", by: "device" } },
  { window: { tumbling: "300ms", gaps: "last", by: "device", select: { n: "count()", t: "last(temp)" } } },
])("the same behind a filter, which leaves watermarks out between batches: %j", (step) => {
  fc.assert(
    fc.property(streams, bounds, (readings, keys) => {
      run(bounded(step, keys, [{ filter: "temp > 5 || temp == 2" }]), readings);
    }),
    { seed: 33, numRuns: 60 },
  );
});

test("what a key lets go of stands at the moment when it is forgotten", () => {
  const by = "device";
  const inputs = { low: "temp < 5", high: "temp >= 5" };
  const select = { v: "low.temp" };
  const steps = [
    { align: { by, inputs, select, age: "100ms", every: "20ms" }, keys: { max: 5, ttl: "1ms" } },
    { window: { count: { n: 3 }, by, select: { n: "count()" } }, keys: { max: 3, ttl: "50ms" } },
    sink,
  ];
  const readings = [4216, 4243, 4289, 4327, 4602].map((ts, n) => ({ device: `d${n}`, ts, temp: 1 }));
  const { rows, ledger } = run(planOnce(pipelineText({ source: sourceOf(40), steps }), catalog), readings);
  // The first two are forgotten before the fourth comes: there is room for all.
  expect([rows.length, ledger]).toEqual([5, []]);
});

test("what event time had reached already when the record came is done before its key makes room for the next", () => {
  const keys: KeyBounds = { max: 1, ttl: null, when_full: "forget_oldest" };
  const [late, other] = [
    { device: "b", ts: 50, temp: 2 },
    { device: "c", ts: 301, temp: 3 },
  ];
  // When b comes, it has been silent for longer than 10ms.
  const { rows } = run(bounded({ absence: { for: "10ms", by: "device" } }, keys), [
    { device: "a", ts: 300, temp: 1 },
    late,
    other,
  ]);
  expect(rows).toEqual([late]);
});

test("a stream of ever new keys is held in the tables of a few", () => {
  const keys: KeyBounds = { max: 1_000, ttl: null, when_full: "forget_oldest" };
  const harness = new Harness(bounded({ sample: { every: 2, by: "device" } }, keys), { batchRows: 8_192 });
  const records = 100_000;
  for (let i = 0; i < records; i++) harness.record({ device: `d${i}`, ts: i, temp: 0 });
  harness.finish();
  expect(harness.counts()[0]!).toMatchObject({ out: records, held: 0, ledger: [] });
});
