// Numbers of steps: put together in one step, over runs of the pool, and shown in the pipeline's status.

import { expect, test } from "vitest";
import { defineOperator, z } from "weir/sdk";
import { Harness } from "weir/testing";
import { limits } from "../limits.ts";
import { planOf, sink } from "./engine.fixture.ts";
import { joinMetrics, StepMetrics } from "./step-metrics.ts";

test("the largest, and the sum", () => {
  const metrics = new StepMetrics("1 a");
  for (const value of [Number.NaN, -2, 5, 3, Number.NaN]) metrics.max("height", value);
  for (const amount of [1, 2]) metrics.add("height", amount);
  const entries = [
    { step: "1 a", name: "height", kind: "max", value: 5 },
    { step: "1 a", name: "height", kind: "add", value: 3 },
  ] as const;
  expect(metrics.entries()).toEqual(entries);
  expect(joinMetrics([...entries, ...entries, { ...entries[1], step: "2 b" }])).toEqual([
    entries[0],
    { ...entries[1], value: 6 },
    { ...entries[1], step: "2 b" },
  ]);
});

test("there is an end to names", () => {
  const metrics = new StepMetrics("1 a");
  for (let i = 0; i < limits.step_metrics_max; i++) metrics.add(`n${i}`, 1);
  metrics.add("n0", 1);
  expect(() => metrics.add("one more", 1)).toThrow("one more");
});

const weigher = defineOperator({
  name: "weigher",
  summary: "Shows how many rows it saw.",
  rule: "Passes every row.",
  kind: "stateless",
  config: z.strictObject({}),
  examples: [],
  create: (_config, { metrics }) => ({
    onBatch(batch, out) {
      metrics.add("rows", batch.count);
      metrics.max("rows_max", batch.count);
      out.emit(batch);
    },
  }),
});

test("steps of the trunk and of branches show theirs by label", () => {
  const one = { steps: [{ weigher: {} }, sink] };
  const plan = planOf({ steps: [{ weigher: {} }, { branch: { a: one.steps, b: [sink] } }] }, [weigher]);
  const harness = new Harness(plan, { batchRows: 2 });
  for (let i = 0; i < 5; i++) harness.record({ device: "d", ts: i, temp: 1 });
  harness.finish();
  expect(harness.metrics()).toEqual([
    { step: "1 weigher", name: "rows_max", kind: "max", value: 2 },
    { step: "1 weigher", name: "rows", kind: "add", value: 5 },
    { step: "a/1 weigher", name: "rows_max", kind: "max", value: 2 },
    { step: "a/1 weigher", name: "rows", kind: "add", value: 5 },
  ]);
});
