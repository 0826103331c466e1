// Keys that are forgotten while records of theirs are kept: the law holds, batches do not matter, and what
// is due of a key is sent before it goes.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exampleLimits, Harness, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import type { KeyBounds, PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import type { Reading } from "../signal/stream.fixture.ts";
import { align } from "./align.ts";
import { inputs, mixedReadings } from "./inputs.fixture.ts";
import { join } from "./join.ts";

const select = { ln: "left.n", rn: "right.n" };
const steps = {
  left: { join: { left: "left", right: "right", inputs, on: "key", within: "50ms", kind: "left", select } },
  outer: { join: { left: "left", right: "right", inputs, on: "key", window: "50ms", kind: "outer", select } },
  each: { align: { by: "key", inputs, age: "50ms", select } },
  every: { align: { by: "key", inputs, age: "50ms", every: "50ms", select } },
} as const;

function planOf(step: unknown, keys: KeyBounds): PipelinePlan {
  const source = {
    file: { path: "in.ndjson" },
    format: "json",
    schema: { n: "float64", key: "string", ts: "time", x: "float64" },
    time: { field: "ts", lateness: "5ms" },
  };
  const content = JSON.stringify({
    name: "forgetting",
    source,
    limits: exampleLimits,
    steps: [step, { sink: { stdout: {}, format: "json" } }],
  });
  const { plan } = loadPipeline({ file: "forgetting", content, catalogue: [align, join] });
  return { ...plan!, steps: plan!.steps.map((each) => ({ ...each, keys })) };
}

function runOnce(plan: PipelinePlan, all: readonly Reading[], batchRows: number): unknown {
  const harness = new Harness(plan, { batchRows });
  for (const { n, key, ts, x } of all) harness.record({ n, key, ts, x });
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  const [{ held, ledger }] = harness.counts() as [ReturnType<Harness["counts"]>[number]];
  expect(lawFaults(harness.counts())).toEqual([]);
  expect(held).toBe(0);
  return {
    rows: harness.rows(0),
    ledger: ledger.map(({ reason, records }) => `${reason} ${records}`).toSorted(),
  };
}

test.each(Object.keys(steps) as (keyof typeof steps)[])(
  "%s: nothing is lost, however records come",
  (name) => {
    const bounds = fc.record({
      max: fc.integer({ min: 1, max: 3 }),
      ttl: fc.constantFrom(null, 1, 20, 60),
      when_full: fc.constantFrom("refuse" as const, "forget_oldest" as const),
    });
    fc.assert(
      fc.property(bounds, mixedReadings, (keys, all) => {
        const plan = planOf(steps[name], keys);
        const whole = runOnce(plan, all, 1000);
        for (const batchRows of [1, 7]) expect(runOnce(plan, all, batchRows)).toEqual(whole);
      }),
      { seed: 27, numRuns: 40 },
    );
  },
);

test("what is due of a key is sent before it goes", () => {
  const keys = { max: 10, ttl: 10, when_full: "refuse" } as const;
  const all = [
    { n: 1000, key: "a", ts: 3, x: 0 },
    { n: 1001, key: "b", ts: 20, x: 0 },
    { n: 2002, key: "a", ts: 21, x: 0 },
  ];
  expect(runOnce(planOf(steps.left, keys), all, 1)).toMatchObject({
    rows: [
      { key: "a", time: 3, ln: 1000, rn: null },
      { key: "b", time: 20, ln: 1001, rn: null },
    ],
    ledger: ["filtered 1"],
  });
  expect(runOnce(planOf(steps.every, keys), all, 1)).toMatchObject({
    rows: [
      { key: "a", time: 50, ln: 1000, rn: null },
      { key: "a", time: 50, ln: null, rn: 2002 },
      { key: "b", time: 50, ln: 1001, rn: null },
    ],
  });
});
