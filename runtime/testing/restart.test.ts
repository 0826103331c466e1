// A whole pipeline goes on after a restart as if nothing had been: with keys that are forgotten, with clocks
// for each key, with late branches and with several sources. What single operators do is in the suite that
// all of them are held to.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "./harness.ts";

const schema = { device: "string", ts: "time", temp: "float64" } as const;
const file = { path: "in.ndjson" };
const sink = { sink: { stdout: {}, format: "json" } } as const;
const window = { tumbling: "50ms", by: "device", select: { n: "count()", mean: "mean(temp)" } };
const source = { file, format: "json", schema, time: { field: "ts", lateness: "5ms", idle: "40ms" } };

const pipelines: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["keys that are silent are forgotten", { steps: [{ window, keys: { max: 9, ttl: "60ms" } }, sink] }],
  [
    "keys make room for others",
    {
      steps: [
        {
          throttle: { every: "30ms", by: "device", keep: "last" },
          keys: { max: 3, when_full: "forget_oldest" },
        },
        sink,
      ],
    },
  ],
  [
    "late records go another way",
    { steps: [{ window, late: [{ deadband: { value: "temp", by: "device", band: 1 } }, sink] }, sink] },
  ],
  [
    "keys have clocks of their own",
    { source: { ...source, time: { ...source.time, per: "device" } }, steps: [{ window }, sink] },
  ],
  [
    "periods are open long before the newest",
    {
      source: { ...source, time: { ...source.time, lateness: "80ms" } },
      steps: [
        {
          top: { count: 2, value: "temp", every: "10ms", by: "device" },
          keys: { max: 3, when_full: "forget_oldest" },
        },
        sink,
      ],
    },
  ],
  [
    "several sources",
    {
      source: undefined,
      sources: { one: source, other: { ...source, time: { field: "ts", idle: "10ms" } } },
      steps: [{ window }, sink],
    },
  ],
];

function planOf(parts: Readonly<Record<string, unknown>>): PipelinePlan {
  const limits = { keys: { max: 100 }, rate: "1000/s" };
  const content = JSON.stringify({ name: "restarted", source, limits, ...parts });
  const { plan, diagnostics } = loadPipeline({ file: "restarted", content, catalogue: catalog });
  if (plan === null) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  return plan;
}

const happening = fc.record({
  device: fc.constantFrom("a", "b", "c", "d", "e", null),
  step: fc.oneof(fc.nat(9), fc.integer({ min: -40, max: 0 })),
  pause: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(90) }),
  second: fc.boolean(),
  restarts: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  checkpoint: fc.boolean(),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;
type Restart = (harness: Harness, plan: PipelinePlan) => void;

const ways: readonly (readonly [string, Restart])[] = [
  ["a snapshot", (harness, plan) => harness.restart(plan)],
  ["checkpoints", (harness, plan) => harness.resume(plan)],
];
const cases = pipelines.flatMap(([title, parts]) =>
  ways.map(([way, restart]) => ({ title, way, parts, restart })),
);

test.each(cases)("$title, from $way", ({ parts, restart }) => {
  const plan = planOf(parts);
  // As the process that goes on reads it.
  const again = planOf(parts);
  const run = (all: readonly Happening[], restarts: boolean): unknown => {
    const harness = new Harness(plan);
    let ts = 1_000;
    for (const [n, each] of all.entries()) {
      if (each.pause > 0) harness.pause(each.pause);
      if (each.checkpoint && restarts) harness.checkpoint();
      if (each.restarts && restarts) restart(harness, again);
      ts += each.step;
      const record = { device: each.device, ts, temp: n % 7 };
      harness.record(record, { source: each.second ? "one" : "other" });
      if (restarts) expect(lawFaults(harness.counts())).toEqual([]);
    }
    harness.finish();
    return { rows: plan.branches.map((_, branch) => harness.sent(branch)), counts: harness.counts() };
  };
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60, size: "max" }), (all) => {
      expect(run(all, true)).toEqual(run(all, false));
    }),
    { seed: 12, numRuns: 25 },
  );
});
