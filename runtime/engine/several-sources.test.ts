// Several sources through one pipeline: the rows, counts and dead letters are the same however the records
// are cut into batches and wherever the pipeline runs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { wallClock } from "../clock.ts";
import { Harness, lawFaults } from "../testing/harness.ts";
import { toPayload } from "../testing/payload.ts";
import { planOnce } from "../testing/plans.fixture.ts";
import { PayloadBuilder } from "../batch/payloads.ts";
import { Kept, pipelineText, planOf, sink, source } from "./engine.fixture.ts";
import { GroupRunner } from "./group-runner.ts";
import { HomeRunner } from "./home-runner.ts";
import { loadInput, readInput } from "./loader.ts";
import { DecodePool } from "./pool.ts";
import type { Runner } from "./runner.ts";
import { groupPlans, SourceGroup } from "./source-group.ts";

const sources = {
  temp: {
    nats: { subject: "sensors.{device}.temp" },
    schema: { ts: "time", value: "float64", unit: "string" },
    time: { field: "ts", lateness: "5ms", idle: "40ms", ahead: "100ms" },
  },
  door: {
    nats: { subject: "sensors.{device}.door" },
    format: "msgpack",
    schema: { at: "time", open: "bool", n: "int64", raw: "json", unit: "string" },
    time: { field: "at", idle: "60ms", ahead: "100ms" },
  },
} as const;

function several(steps: readonly unknown[]): ReturnType<typeof planOf> {
  return planOf({ source: undefined, sources, steps });
}

describe("the rows of several sources", () => {
  test("have null for what only another source has, and the name of their own", () => {
    const harness = new Harness(several([sink]), { batchRows: 10 });
    harness.record({ ts: 1, value: 2.5 }, { source: "temp", subject: "sensors.a.temp" });
    harness.record({ at: 2, open: true, n: 7, raw: { x: 1 } }, { source: "door", subject: "sensors.b.door" });
    harness.record({ ts: 3, value: null, unit: "K" }, { source: "temp" });
    harness.finish();
    expect(lawFaults(harness.counts())).toEqual([]);
    const nothing = { ts: null, value: null, unit: null, at: null, open: null, n: null, raw: null };
    expect(harness.rows(0)).toEqual([
      { ...nothing, ts: 1, value: 2.5, device: "a", source: "temp" },
      { ...nothing, at: 2, open: true, n: 7, raw: { x: 1 }, device: "b", source: "door" },
      { ...nothing, ts: 3, unit: "K", device: "x", source: "temp" },
    ]);
  });

  test("are chosen by it like by any column", () => {
    const harness = new Harness(several([{ filter: 'source == "door" && has(open)' }, sink]));
    harness.record({ ts: 1, value: 1 }, { source: "temp" });
    harness.record({ at: 2, open: false }, { source: "door" });
    harness.record({ at: 3 }, { source: "door" });
    harness.finish();
    expect(harness.rows(0)).toMatchObject([{ at: 2, open: false }]);
  });

  test("that are refused say which source they came by", () => {
    const harness = new Harness(several([sink]));
    harness.raw("x", { source: "temp" });
    harness.record({ at: "never" }, { source: "door" });
    expect(harness.letters.map(({ step, reason }) => [step, reason])).toEqual([
      ["source temp", "decode"],
      ["source door", "type"],
    ]);
    expect(lawFaults(harness.counts())).toEqual([]);
  });
});

test("a pipeline with several sources shares none of them", () => {
  const plans = [several([sink]), several([sink]), planOf({ steps: [sink] }), planOf({ steps: [sink] })];
  expect(groupPlans(plans).map((group) => group.length)).toEqual([1, 1, 2]);
});

interface Happening {
  readonly kind: "temp" | "door" | "broken" | "pause";
  readonly time: number;
  readonly device: string;
}

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("temp", "temp", "door", "door", "broken", "pause"),
    time: fc.integer({ min: 0, max: 400 }),
    device: fc.constantFrom("a", "b"),
  }),
  { maxLength: 40 },
);

/** What comes of it with so many records a batch at most, and one source ending on the way. */
function outcome(steps: readonly unknown[], story: readonly Happening[], batchRows: number): unknown {
  const plan = planOnce(pipelineText({ source: undefined, sources, steps }), catalog);
  const harness = new Harness(plan, { batchRows });
  story.forEach(({ kind, time, device }, place) => {
    if (kind === "pause") harness.pause(time % 70);
    else if (kind === "temp")
      harness.record({ ts: time, value: place }, { source: kind, subject: `sensors.${device}.temp` });
    else if (kind === "door") harness.record({ at: time, open: place % 2 === 0 }, { source: kind });
    else harness.raw("{", { source: time % 2 === 0 ? "temp" : "door" });
  });
  const { holder } = harness.waiting.sources;
  if (story.length % 3 === 0) harness.end("door");
  const { watermark } = harness;
  harness.finish();
  const counts = harness.counts();
  expect(lawFaults(counts)).toEqual([]);
  const letters = harness.letters.map(({ step, reason, detail }) => [step, reason, detail]);
  return { rows: harness.rows(0), counts, letters, watermark, holder: holder?.name };
}

describe("how records are cut into batches changes nothing", () => {
  test.each([
    [
      "by source",
      [{ window: { tumbling: "20ms", by: "source", select: { n: "count()", first: "first(value)" } } }, sink],
    ],
    [
      "by device",
      [
        {
          window: {
            hopping: { size: "40ms", every: "20ms" },
            by: "device",
            select: { n: "count()", open: "count(open)" },
          },
        },
        sink,
      ],
    ],
    ["in sessions", [{ window: { session: { gap: "15ms" }, select: { n: "count()" } } }, sink]],
  ])("to windows %s", (_name, steps) => {
    fc.assert(
      fc.property(happenings, (story) => {
        const alone = outcome(steps, story, 1);
        expect(outcome(steps, story, 3)).toEqual(alone);
        expect(outcome(steps, story, 1000)).toEqual(alone);
      }),
      { seed: 5, numRuns: 40 },
    );
  });

  test("to a source that is silent after a record that was refused", () => {
    const time = { field: "ts", idle: "150ms" };
    const plan = planOf({
      source: { ...source, schema: { device: "string", ts: "time" }, time },
      steps: [{ window: { tumbling: "50ms", by: "device", select: { n: "count()" } } }, sink],
    });
    const run = (batchRows: number): unknown => {
      const harness = new Harness(plan, { batchRows });
      harness.record({ ts: 0 });
      harness.record({ device: 7, ts: 111 });
      harness.record({});
      harness.pause(19);
      harness.pause(20);
      const { watermark } = harness;
      harness.record({ ts: 0 });
      harness.finish();
      return { watermark, counts: harness.counts(), rows: harness.rows(0) };
    };
    expect(run(1)).toMatchObject({ watermark: 150, counts: [{ out: 1 }] });
    expect(run(1000)).toEqual(run(1));
  });

  test("to a record that is ahead: the clock is that of its own arrival", () => {
    const plan = planOf({ source: { ...source, time: { field: "ts", ahead: "10ms" } }, steps: [sink] });
    const run = (batches: readonly (readonly [at: number, ts: number][])[]): unknown => {
      const kept = new Kept();
      const group = new SourceGroup([plan], { identity: "i", outputs: () => kept });
      for (const rows of batches) {
        const builder = new PayloadBuilder();
        for (const [at, ts] of rows) builder.add(toPayload("json", { ts }, []), "in", at);
        group.feed(builder.view(), rows.at(-1)![0]);
      }
      return [kept.rows.map(({ text }) => text), kept.letters.map(({ letter }) => letter.detail)];
    };
    // The clock jumps back before the fourth: it is taken to stand still, so that a punctual record enters.
    const rows: [number, number][] = [
      [0, 5],
      [1, 12],
      [2, 12],
      [1_000, 1_010],
      [30, 1_005],
      [31, 1_011],
      [1_002, 1_012],
    ];
    const together = run([rows]);
    expect(together).toEqual([
      ['{"ts":5}', '{"ts":12}', '{"ts":1010}', '{"ts":1005}', '{"ts":1012}'],
      ["event time is 11 ms ahead of the clock", "event time is 11 ms ahead of the clock"],
    ]);
    expect(run(rows.map((row) => [row]))).toEqual(together);
    expect(run([rows.slice(0, 2), rows.slice(2, 5), rows.slice(5)])).toEqual(together);
  });
});

test("processing time does not go back with the clock: no record is late for it", () => {
  const { time: _, ...untimed } = source;
  const plan = planOf({
    source: untimed,
    steps: [{ window: { tumbling: "1s", select: { n: "count()" } } }, sink],
  });
  const kept = new Kept();
  const group = new SourceGroup([plan], { identity: "i", outputs: () => kept });
  const feed = (now: number): void => {
    const builder = new PayloadBuilder();
    builder.add(toPayload("json", { temp: 1 }, []), "in", now);
    group.feed(builder.view(), now);
  };
  feed(5_500);
  group.tick(6_200);
  feed(300);
  feed(400);
  feed(7_000);
  group.finish(7_000);
  expect(kept.records()).toMatchObject([
    { window_start: 5_000, n: 1 },
    { window_start: 6_000, n: 2 },
    { window_start: 7_000, n: 1 },
  ]);
  expect(lawFaults(group.engines[0]!.counts())).toEqual([]);
});

test("a stream's stored records are no silence: what counts is when they were read", () => {
  const plan = planOf({ source: { ...source, time: { field: "ts", idle: "1s" } }, steps: [sink] });
  const group = new SourceGroup([plan], { identity: "i", outputs: () => new Kept() });
  const builder = new PayloadBuilder();
  for (const at of [1_000, 9_000]) builder.add(toPayload("json", { ts: at }, []), "in", at);
  const hours = 36_000_000;
  group.feed(builder.view(), hours);
  group.tick(hours + 999);
  expect(group.engines[0]!.watermark).toBe(9_000);
  group.tick(hours + 1_000);
  expect(group.engines[0]!.watermark).toBe(10_000);
});

describe("wherever it runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-sources-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "own.ts"),
    'import { defineFilter, z } from "weir/sdk";\nexport const own = defineFilter({ name: "own", summary: "All.", config: z.strictObject({}), keep: () => () => true });\n',
  );
  const steps = [{ own: {} }, { window: { tumbling: "20ms", by: "source", select: { n: "count()" } } }, sink];
  const file = join(folder, "two.yaml");
  writeFileSync(file, pipelineText({ source: undefined, sources, use: ["./own.ts"], steps }));

  async function drive(runner: Runner): Promise<unknown> {
    const temp = new PayloadBuilder();
    for (const ts of [1, 2, 30, 31]) temp.add(toPayload("json", { ts }, []), "sensors.a.temp", ts);
    const door = new PayloadBuilder();
    for (const at of [5, 25]) door.add(toPayload("msgpack", { at }, []), "sensors.a.door", at);
    await runner.feed(temp.view(), 31, 0);
    await runner.feed(door.view(), 31, 1);
    await runner.tick(60, 0);
    await runner.tick(80, 0);
    await runner.end(90, 1);
    await runner.idle();
    const status = runner.status();
    await runner.finish(100);
    await runner.close();
    return status;
  }

  test("at home or in a thread of its own, it gives the same", async () => {
    const loaded = await loadInput(readInput(file, {}), "two.yaml");
    expect(loaded.diagnostics).toEqual([]);
    const plan = loaded.plan!;
    const home = new Kept();
    const group = new SourceGroup([plan], { identity: "i", outputs: () => home });
    const atHome = await drive(
      new GroupRunner(group, { inputs: [loaded.input], header: [], pool: new DecodePool(2) }),
    );
    const away = new Kept();
    const common = { plan, input: loaded.input, headers: [], identity: "i", clock: wallClock };
    expect(await drive(await HomeRunner.open({ ...common, outputs: away }))).toEqual(atHome);
    expect(away).toEqual(home);
    expect(home.records()).toMatchObject([
      { source: "temp", n: 2 },
      { source: "door", n: 1 },
      { source: "temp", n: 2 },
      { source: "door", n: 1 },
    ]);
    expect(atHome).toMatchObject([
      { watermark: 84, inputs: [{ name: "temp", latest: 31 }, { ended: true }] },
    ]);
  });
});
