// Pipelines that share a source: who may, what is decoded for them, and that none notices the others.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineOperator, field } from "../../operators/sdk/index.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { lawFaults } from "../testing/harness.ts";
import { Kept, payloadsOf, planOf, sink, source } from "./engine.fixture.ts";
import { groupPlans, SourceGroup, unionOfFields } from "./source-group.ts";

const from = (name: string, parts: object): object => ({ name, source: { ...source, ...parts } });
const schemas = {
  plain: { device: "string", ts: "time", temp: "float64" },
  more: { device: "string", ts: "time", hum: "float64", door: "bool" },
  wrong: { device: "string", ts: "time", temp: "string" },
} as const;

function planFrom(name: string, parts: object, steps: readonly object[]): PipelinePlan {
  return planOf({ ...from(name, parts), steps: [...steps, sink] });
}

const window = (select: object): object => ({ window: { tumbling: "10ms", by: "device", select } });
const means = [window({ mean: "mean(temp)", n: "count()" })];
const doors = [{ filter: "hum > 10.0" }, window({ open: "count(door)", n: "count()" })];

const a = planFrom("a", { schema: schemas.plain, time: { field: "ts", lateness: "5ms" } }, means);
const b = planFrom("b", { schema: schemas.more, time: { field: "ts", idle: "50ms" } }, doors);
const c = planFrom("c", { schema: schemas.wrong }, [{ filter: 'temp.startsWith("x")' }]);
const seconds = planFrom("s", { schema: schemas.plain, time: { field: "ts", unit: "s" } }, means);
const elsewhere = planFrom("e", { file: { path: "other.ndjson" }, schema: schemas.plain }, means);
const cells = planFrom("m", { format: "csv", schema: schemas.plain }, means);

const names = (groups: readonly (readonly PipelinePlan[])[]): string[] =>
  groups.map((group) => group.map(({ name }) => name).join(" "));

describe("who shares a decode", () => {
  test.each([
    ["pipelines of one source", [a, b], ["a b"]],
    ["not where a field is read as another type", [a, c, b], ["a b", "c"]],
    ["not where time is read in another unit", [a, seconds], ["a", "s"]],
    ["not with another file", [a, elsewhere, b], ["a b", "e"]],
    ["not with another format", [cells, a], ["m", "a"]],
    ["nobody, where nobody is", [], []],
  ])("%s", (_name, plans, expected) => {
    expect(names(groupPlans(plans))).toEqual(expected);
  });

  test("every field of the union is decoded once", () => {
    const union = unionOfFields([a, b]).map(({ name, type }) => `${name} ${type}`);
    expect(union.toSorted()).toEqual([
      "device string",
      "door bool",
      "hum float64",
      "temp float64",
      "ts time",
    ]);
    expect(unionOfFields([a, a])).toEqual(a.inputs[0]!.fields);
  });
});

type Batches = readonly (readonly (string | Readonly<Record<string, unknown>>)[])[];

function run(plans: readonly PipelinePlan[], batches: Batches): unknown[] {
  const kept = new Map(plans.map((plan) => [plan, new Kept()]));
  const group = new SourceGroup(plans, { headers: [], identity: "i", outputs: (plan) => kept.get(plan)! });
  let now = 0;
  for (const batch of batches) {
    group.feed(payloadsOf(batch, now), now);
    for (const engine of group.engines) expect(lawFaults(engine.counts())).toEqual([]);
    now += 20;
    group.tick(now);
  }
  group.finish(now);
  return group.engines.map((engine) => {
    expect(lawFaults(engine.counts())).toEqual([]);
    const { rows, letters } = kept.get(engine.plan)!;
    return { rows, letters, counts: engine.counts(), watermark: engine.watermark };
  });
}

describe("together as alone", () => {
  const record = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record(
        {
          device: fc.constantFrom("a", "b", null),
          ts: fc.integer({ min: -20, max: 60 }),
          temp: fc.constantFrom<unknown>(1, 2.5, null, "warm", true),
          hum: fc.constantFrom<unknown>(5, 20, 30, null, "wet"),
          door: fc.constantFrom<unknown>(true, false, null, 1),
        },
        { requiredKeys: [] },
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom("", "{", "null", '{"ts":1,"ts":"x"}') },
  );

  test("whatever the records", () => {
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(batches, (all) => {
        const together = run([a, b], all);
        expect(together).toEqual([...run([a], all), ...run([b], all)]);
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  test("with steps in common, and steps that differ at the end only", () => {
    const begin = [{ filter: "temp > 1" }, { set: { double: "temp * 2" } }];
    const window = { window: { tumbling: "10ms", by: "device", select: { n: "count()" } } };
    const alike = [
      [],
      [...begin],
      [...begin],
      [...begin, window],
      [...begin, { filter: "double > 4" }],
      [begin[0]!, window],
      [{ filter: "temp > 2" }],
    ].map((steps, place) => planOf({ name: `p${place}`, steps: [...steps, sink] }));
    const late = planOf({
      name: "late",
      source: { ...source, time: { field: "ts", lateness: "5ms" } },
      steps: [...begin, window, sink],
    });
    const plans = [...alike, late];
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(batches, (all) => {
        expect(run(plans, all)).toEqual(plans.flatMap((plan) => run([plan], all)));
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  test("with filters that hold one column against numbers", () => {
    const bounds = [
      "temp > 1",
      "temp >= 1",
      "temp > 2.0",
      "2 < temp",
      "temp < 2",
      "temp <= 1.0",
      "2.5 >= temp",
    ];
    const others = ["temp > ts - ts", "temp == 1", "!(temp > 1)"];
    const plans = [...bounds, ...others].map((filter, place) =>
      planOf({ name: `p${place}`, steps: [{ filter }, { select: ["ts", "temp"] }, sink] }),
    );
    const branches = { warm: [{ filter: "temp > 1" }, sink], warmer: [{ filter: "temp > 2" }, sink] };
    plans.push(planOf({ name: "branched", steps: [{ filter: "temp > 0" }, { branch: branches }] }));
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(batches, (all) => {
        expect(run(plans, all)).toEqual(plans.flatMap((plan) => run([plan], all)));
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  test("with filters that want one value of a column each", () => {
    const devices = ["a", "b", "c", "d", "e", "f"].map((device) => `device == "${device}"`);
    const further = ['device == "a" && temp > 1', '"b" == device && hum != null', 'hum > 5 && device == "a"'];
    const numbers = Array.from({ length: 9 }, (_, n) => `temp == ${n * 0.5}`);
    const plans = [...devices, ...further, ...numbers, 'device == "a" || temp == 1'].map((filter, place) =>
      planFrom(`p${place}`, { schema: { ...schemas.plain, hum: "float64" } }, [{ filter }]),
    );
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(batches, (all) => {
        expect(run(plans, all)).toEqual(plans.flatMap((plan) => run([plan], all)));
      }),
      { seed: 6, numRuns: 25 },
    );
  });

  test("but for one that fails, which counts no further", () => {
    const brittle = defineOperator({
      name: "brittle",
      summary: "Passes batches on until one has a negative number.",
      rule: "Fails at a negative number.",
      kind: "keyed",
      config: field.column(["float64"], "The number."),
      examples: [],
      create: ({ index }) => ({
        onBatch(batch, out) {
          for (let i = 0; i < batch.count; i++)
            if (Number(batch.columns[index]!.values[batch.selection[i]!]) < 0) throw new Error("negative");
          out.emit(batch);
        },
      }),
    });
    const steps = (name: string, own: readonly object[]): PipelinePlan =>
      planOf({ name, steps: [{ filter: "temp != 0" }, ...own, sink] }, [brittle]);
    const [whole, broken] = [steps("whole", []), steps("broken", [{ brittle: "temp" }])];
    const plans = [broken, whole, steps("also", [])];
    const kept = new Map(plans.map((plan) => [plan, new Kept()]));
    const told: string[] = [];
    const group = new SourceGroup(plans, {
      identity: "i",
      outputs: (plan) => kept.get(plan)!,
      failed: ({ name }) => told.push(name),
    });
    const temps = [
      [1, 0],
      [2, -1],
      [0, 3],
    ] as const;
    for (const [at, pair] of temps.entries())
      group.feed(
        payloadsOf(
          pair.map((temp) => ({ device: "d", ts: at, temp })),
          at,
        ),
        at,
      );
    expect(told).toEqual(["broken"]);
    expect(group.engines.map((engine) => engine.counts()[0]!.in)).toEqual([4, 6, 6]);
    for (const engine of group.engines.slice(1)) expect(lawFaults(engine.counts())).toEqual([]);
    expect(kept.get(whole)!.records()).toMatchObject([{ temp: 1 }, { temp: 2 }, { temp: -1 }, { temp: 3 }]);
    expect(() => group.finish(3)).toThrow("negative");
  });

  test("after one of them goes on from an older state", () => {
    const late = { time: { field: "ts" } };
    const plans = ["x", "y"].map((name) => planFrom(name, { schema: schemas.plain, ...late }, means));
    const kept = new Map(plans.map((plan) => [plan, new Kept()]));
    const group = new SourceGroup(plans, { identity: "i", outputs: (plan) => kept.get(plan)! });
    const at = (ts: number): void => void group.feed(payloadsOf([{ device: "d", ts, temp: ts }], ts), ts);
    at(1);
    const early = group.engines[0]!.snapshot(1);
    at(25);
    group.engines[0]!.restore(early, 25);
    at(5);
    const ledgers = group.engines.map((engine) => engine.counts()[0]!.ledger.map(({ reason }) => reason));
    expect(ledgers).toEqual([[], ["late"]]);
    expect(group.engines.map(({ watermark }) => watermark)).toEqual([5, 25]);
  });

  test("a wrong type in a field that a pipeline does not read is nothing to it", () => {
    const records = [
      { device: "x", ts: 1, temp: "warm", hum: 20, door: true },
      { device: "x", ts: 2, temp: 3, hum: "wet", door: 5 },
    ];
    const [first, second] = run([a, b], [records]) as {
      readonly rows: readonly { readonly text: string }[];
      readonly letters: readonly { readonly letter: { readonly detail: string; readonly reason: string } }[];
    }[];
    expect(first!.rows.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      { window_start: 0, window_end: 10, device: "x", mean: 3, n: 1 },
    ]);
    expect(first!.letters.map(({ letter }) => letter.reason)).toEqual(["type"]);
    expect(second!.rows.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      { window_start: 0, window_end: 10, device: "x", open: 1, n: 1 },
    ]);
    expect(second!.letters.map(({ letter }) => letter.reason)).toEqual(["type"]);
  });

  test("one may name tokens of the subject that the other does not", () => {
    const nats = {
      nats: { subject: "s.{site}.{device}" },
      format: "json",
      schema: { ts: "time", v: "float64" },
    };
    const parts = (name: string, steps: readonly object[]): PipelinePlan =>
      planOf({ name, source: { ...nats, time: { field: "ts" } }, steps: [...steps, sink] });
    const bySite = parts("site", [{ window: { tumbling: "1s", by: "site", select: { n: "count()" } } }]);
    const byDevice = parts("device", [
      { window: { tumbling: "1s", by: "device", select: { n: "count()" } } },
    ]);
    expect(groupPlans([bySite, byDevice])).toHaveLength(1);
    const kept = [new Kept(), new Kept()];
    const group = new SourceGroup([bySite, byDevice], {
      headers: [],
      identity: "i",
      outputs: (plan) => kept[plan === bySite ? 0 : 1]!,
    });
    const records = payloadsOf([
      { ts: 0, v: 1 },
      { ts: 1, v: 2 },
      { ts: 2, v: 3 },
    ]);
    const subjects = ["s.north.d1", "s.north.d2", "s"];
    group.feed({ ...records, subjects, subject: Uint16Array.of(0, 1, 2) }, 0);
    group.finish(0);
    expect(kept[0]!.records()).toMatchObject([
      { site: "north", n: 2 },
      { site: "", n: 1 },
    ]);
    expect(kept[1]!.records()).toMatchObject([{ device: "d1" }, { device: "d2" }, { device: "" }]);
  });
});
