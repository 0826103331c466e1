// Keys with clocks of their own: a pipeline with `per` gives each key the rows that it would get in a
// pipeline for itself.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "./harness.ts";
import type { Fields } from "./payload.ts";
import { runTest } from "./pipeline-tests.ts";
import { planOnce } from "./plans.fixture.ts";

interface Case {
  readonly step: Fields;
  readonly idle: number | null;
  readonly lateness: number;
}

function planOf({ step, idle, lateness }: Case, per: boolean): PipelinePlan {
  const time = {
    field: "ts",
    lateness: `${lateness}ms`,
    ...(idle === null ? {} : { idle: `${idle}ms` }),
    ...(per ? { per: "device" } : {}),
  };
  const pipeline = {
    name: "clocks",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { device: "string", ts: "time", temp: "float64" },
      time,
    },
    limits: { rate: "1000/s" },
    steps: [{ filter: "temp > -5.0" }, step, { sink: { stdout: {}, format: "json" } }],
  };
  return planOnce(JSON.stringify(pipeline), catalog);
}

const steps: readonly Fields[] = [
  { window: { tumbling: "10ms", by: "device", select: { n: "count()", last: "last(temp)" } } },
  { window: { hopping: { size: "20ms", every: "5ms" }, by: "device", select: { n: "count()" } } },
  { window: { session: { gap: "7ms" }, by: "device", select: { n: "count()" } } },
  { hold: { when: "temp > 3.0", for: "8ms", by: "device" } },
  { absence: { for: "15ms", by: "device" } },
  { reorder: {} },
];

const record = fc.record({
  device: fc.constantFrom("a", "b", "c", null),
  ts: fc.integer({ min: -30, max: 200 }),
  temp: fc.integer({ min: -8, max: 8 }),
});
const events = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: record.map((each) => ({ record: each as Fields, pause: 0 })) },
    { weight: 1, arbitrary: fc.constantFrom(3, 20, 90).map((pause) => ({ record: null, pause })) },
  ),
  { maxLength: 60 },
);

/** The rows of each key, as texts, in their order. */
function byKey(rows: readonly Fields[]): Readonly<Record<string, string[]>> {
  const groups: Record<string, string[]> = {};
  for (const row of rows) (groups[String(row["device"])] ??= []).push(JSON.stringify(row));
  return groups;
}

type Event = { readonly record: Fields | null; readonly pause: number };

/** Runs the events of one key, or of all. */
function run(each: Case, per: boolean, batchRows: number, all: readonly Event[], key?: unknown): Harness {
  const harness = new Harness(planOf(each, per), { batchRows });
  // Beyond all event times, so that none of them moves the clock.
  harness.pause(1000);
  for (const { record, pause } of all) {
    if (record === null) harness.pause(pause);
    else if (key === undefined || record["device"] === key) harness.record(record);
  }
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness;
}

test.each(steps)("each key as in a pipeline for itself: %j", (step) => {
  let rows = 0;
  const cases = fc.record({
    step: fc.constant(step),
    idle: fc.constantFrom(null, 10, 60),
    lateness: fc.constantFrom(0, 0, 12),
  });
  fc.assert(
    fc.property(cases, events, (each, all) => {
      const expected = Object.fromEntries(
        ["a", "b", "c", null].map((key) => [String(key), run(each, false, 1, all, key).rows(0)]),
      );
      for (const batchRows of [1, 3, 1000]) {
        const harness = run(each, true, batchRows, all);
        const groups = byKey(harness.rows(0));
        for (const [key, own] of Object.entries(expected))
          expect(groups[key] ?? []).toEqual(own.map((row) => JSON.stringify(row)));
        expect(harness.counts()[0]!.held).toBe(0);
      }
      rows += Object.values(expected).flat().length;
    }),
    { seed: 21, numRuns: 40 },
  );
  expect(rows).toBeGreaterThan(10);
});

/** Devices on subjects of their own, counted by the minute. */
function storyOf({
  per = "per: device",
  window = "tumbling: 1m, by: device, select: { n: count() }",
  rest = "",
}): ReturnType<typeof loadPipeline> {
  const content = `
name: story
source:
  nats: { subject: "sensors.{device}" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, ${per} }
steps:
  - window: { ${window} }
  - sink: { stdout: {}, format: json }
${rest}`;
  return loadPipeline({ file: "story.yaml", content, catalogue: catalog });
}

describe("told as a story", () => {
  test("a device that comes back with what it stored is late for nobody", () => {
    const { plan, diagnostics } = storyOf({
      rest: `tests:
  - name: b was away for ten minutes
    input:
      - { subject: sensors.b, record: { ts: 5s } }
      - { subject: sensors.a, record: { ts: 10m } }
      - { subject: sensors.b, record: { ts: 20s } }
      - { subject: sensors.b, record: { ts: 61s } }
      - { subject: sensors.a, record: { ts: 59s } }
    expect:
      main:
        - { device: b, window_start: 0s, n: 2 }
        - { device: b, window_start: 1m, n: 1 }
        - { device: a, window_start: 10m, n: 1 }
`,
    });
    expect(diagnostics).toEqual([]);
    for (const batchRows of [1, 2])
      expect(runTest(plan!, plan!.spec.tests[0]!, batchRows).faults).toEqual([]);
    expect(runTest(plan!, plan!.spec.tests[0]!).waiting[1]).toContain("device b has come to 00:01:01.000Z");
  });

  test("there are so many clocks, and records of further devices are counted", () => {
    const { plan, diagnostics } = storyOf({ rest: "limits: { keys: { max: 2 } }" });
    expect(diagnostics).toEqual([]);
    const harness = new Harness(plan!, { batchRows: 3 });
    for (const device of ["a", "b", "c", "a", "c"])
      harness.record({ ts: 0 }, { subject: `sensors.${device}` });
    harness.finish();
    const [counts] = harness.counts();
    expect(lawFaults([counts!])).toEqual([]);
    expect(counts!.ledger).toEqual([{ step: "time per key", reason: "overflow", records: 2 }]);
    expect(harness.rows(0).map((row) => [row["device"], row["n"]])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });

  test.each([
    [
      "a window that mixes devices",
      "per: device",
      "tumbling: 1m, select: { n: count() }",
      "add device to by",
    ],
    [
      "a column that is not there",
      "per: devise",
      "tumbling: 1m, by: devise, select: { n: count() }",
      "devise",
    ],
  ])("%s", (_name, per, window, said) => {
    const { diagnostics } = storyOf({ per, window });
    expect(diagnostics.map(({ message, hint }) => `${message}; ${hint}`).join("\n")).toContain(said);
  });
});
