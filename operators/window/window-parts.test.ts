// Windows that one moment makes due in large numbers are sent a few rows at a time. Whatever comes in between, however
// batches are cut, and through restarts: the rows are those that are sent at once.

import fc from "fast-check";
import { expect, test } from "vitest";
import { exampleLimits, Harness, type HarnessOptions, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { catalog } from "../catalog.ts";
import { windowSending } from "./window.ts";

/** A few rows at once. */
const few = windowSending(3);
const catalogue = catalog.map((each) => (each.name === few.name ? few : each));

type Fields = Readonly<Record<string, unknown>>;

const windows: readonly Fields[] = [
  ...["zero", "null", "last", "interpolate"].map((gaps) => ({ tumbling: "10ms", gaps })),
  ...["last", "interpolate"].map((gaps) => ({ hopping: { size: "25ms", every: "10ms" }, gaps })),
  { hopping: { size: "200ms", every: "10ms" } },
  { hopping: { size: "200ms", every: "10ms" }, emit: { early: "5ms" } },
  { hopping: { size: "60ms", every: "10ms" }, emit: { updates: "30ms" } },
  { cumulate: { max: "200ms", step: "10ms" } },
];

function planOf(window: Fields, keys: Fields): PipelinePlan {
  const select = { n: "count()", mean: "mean(temp)", last: "last(temp)" };
  const content = JSON.stringify({
    name: "parts",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { device: "string", ts: "time", temp: "float64" },
      time: { field: "ts", lateness: "15ms" },
    },
    limits: exampleLimits,
    steps: [
      { window: { ...window, by: "device", select }, ...keys },
      // What comes behind must not take for late what was left for later.
      { throttle: { every: "1ms", by: "device", keep: "last" } },
      { sink: { stdout: {}, format: "json" } },
    ],
  });
  const { plan, diagnostics } = loadPipeline({ file: "parts.yaml", content, catalogue });
  expect(diagnostics).toEqual([]);
  return plan!;
}

type Event = "go on" | "restart" | Fields;

const record = fc.record({
  device: fc.constantFrom("a", "b", "c"),
  ts: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.constantFrom(300, 310, 700)),
  temp: fc.integer({ min: 0, max: 9 }),
});
const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: record },
    { weight: 3, arbitrary: fc.constant<Event>("go on") },
    { weight: 1, arbitrary: fc.constant<Event>("restart") },
  ),
  { maxLength: 24 },
);

function runOf(plan: PipelinePlan, all: readonly Event[], options: HarnessOptions): unknown {
  const harness = new Harness(plan, options);
  for (const event of all) {
    if (event === "restart") harness.restart();
    else if (event === "go on") harness.goOn();
    else harness.record(event);
    if (event === "restart") expect(lawFaults(harness.counts())).toEqual([]);
  }
  harness.finish();
  const [counts] = harness.counts();
  expect(lawFaults([counts!])).toEqual([]);
  return { rows: harness.rows(0), ledger: new Set(counts!.ledger) };
}

const cases = windows.flatMap((window) => [
  { window, keys: {} },
  { window, keys: { keys: { max: 10, ttl: "150ms" } } },
]);

test.each(cases)("$window with $keys", ({ window, keys }) => {
  const plan = planOf(window, keys);
  fc.assert(
    fc.property(events, fc.constantFrom(1, 2, 1000), (all, batchRows) => {
      const whole = runOf(
        plan,
        all.filter((event) => typeof event === "object"),
        { batchRows: 1 },
      );
      expect(runOf(plan, all, { batchRows, inParts: true })).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

test("no more than a few windows' rows come in one go, and the rest when there is room", () => {
  const harness = new Harness(planOf({ tumbling: "10ms", gaps: "zero" }, {}), { inParts: true });
  for (const ts of [0, 2_000]) for (const device of ["a", "b"]) harness.record({ device, ts, temp: 1 });
  const sent: number[] = [];
  for (let times = 0; times < 3; times++) {
    sent.push(harness.rows(0).length);
    harness.goOn();
  }
  for (const [place, rows] of sent.entries()) if (place > 0) expect(rows - sent[place - 1]!).toBeLessThan(9);
  harness.finish();
  expect(harness.rows(0).length).toBe(2 * 201);
});

test("nor do they where every record of a batch makes windows due", () => {
  const plan = planOf({ tumbling: "10ms", gaps: "zero" }, {});
  const harness = new Harness(plan, { inParts: true, batchRows: 1_000 });
  for (let ts = 0; ts <= 2_000; ts += 100) harness.record({ device: "a", ts, temp: 1 });
  // Ends the batch.
  harness.counts();
  expect(harness.rows(0).length).toBeLessThan(12);
  harness.finish();
  expect(harness.rows(0).length).toBe(201);
});
