// Pipelines of one source go on from their checkpoints as if nothing had been; one that has failed is left out of
// them and keeps what it had; and what is of another plan, or damaged, is told by the pipeline's name and changes nothing.

import { describe, expect, test } from "vitest";
import { defineOperator, type OperatorDefinition, z } from "../../operators/sdk/index.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Kept, payloadsOf, planOf, sink, source } from "./engine.fixture.ts";
import { GroupRunner } from "./group-runner.ts";
import { SourceGroup } from "./source-group.ts";

const by = "device";
/** Fails on a temperature that nothing has. */
const brittle: OperatorDefinition = defineOperator({
  name: "brittle",
  summary: "",
  rule: "",
  kind: "keyed",
  config: z.strictObject({}),
  examples: [],
  create: () => ({
    onBatch(batch, out) {
      const temps = batch.columns[batch.schema.fields.findIndex(({ name }) => name === "temp")]!.values;
      for (let i = 0; i < batch.count; i++)
        if (temps[batch.selection[i]!] === 666) throw new Error("no more");
      out.emit(batch);
    },
  }),
});

const plans: readonly PipelinePlan[] = [
  planOf({
    name: "windows",
    steps: [{ window: { tumbling: "1m", by, select: { n: "count()", p: "quantile(temp, 0.5)" } } }, sink],
  }),
  planOf({ name: "doors", steps: [{ swinging_door: { value: "temp", by, band: 0.5 } }, sink] }),
  planOf({
    name: "sessions",
    steps: [{ window: { session: { gap: "20s" }, by, select: { n: "count()" } } }, sink],
  }),
  planOf({ name: "none", steps: [{ filter: "temp > 50.0" }, sink] }),
  planOf({ name: "brittle", steps: [{ filter: "temp < 1000.0" }, { brittle: {} }, sink] }, [brittle]),
];

interface Running {
  readonly runner: GroupRunner;
  readonly kept: readonly Kept[];
  readonly failed: string[];
}

function open(
  of: readonly PipelinePlan[] = plans,
  kept: readonly Kept[] = of.map(() => new Kept()),
): Running {
  const failed: string[] = [];
  const group = new SourceGroup(of, {
    headers: [null],
    identity: "i",
    outputs: (plan) => kept[of.indexOf(plan)]!,
    failed: ({ name }) => failed.push(name),
  });
  return { runner: new GroupRunner(group, { inputs: [], header: [], pool: null }), kept, failed };
}

const batchOf = (n: number) =>
  payloadsOf(
    Array.from({ length: 7 }, (_, i) => ({
      device: `d${(n * i) % 5}`,
      ts: n * 7_000 + i,
      temp: (n * 37 + i * 11) % 90,
    })),
  );

/** Feeds some batches; with `changes`, a checkpoint after each. */
async function feed({ runner }: Running, from: number, to: number, changes?: Map<string, Uint8Array[]>) {
  for (let n = from; n < to; n++) {
    await runner.feed(batchOf(n), n * 7_000);
    if (changes === undefined) continue;
    await runner.idle();
    for (const [name, change] of await runner.checkpoint(n * 7_000))
      changes.set(name, [...(changes.get(name) ?? []), change]);
  }
}

/** `ms`: the clock at the end, which none of the pipelines looks at. */
async function ended(running: Running): Promise<unknown> {
  await running.runner.finish(1e9);
  return { kept: running.kept, status: statusOf(running) };
}

/** But for how large states are, which only those know that write them down. */
function statusOf({ runner }: Running): unknown {
  return runner.status().map((status) => ({ ...status, state_bytes: undefined }));
}

async function restore(
  { runner }: Running,
  changes: ReadonlyMap<string, readonly Uint8Array[]>,
  now: number,
) {
  for (const [name, all] of changes) await runner.restore(name, all, now);
}

async function refusal(task: Promise<unknown>): Promise<WeirError> {
  const error: unknown = await task.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof WeirError) return error;
  throw new Error("it was not refused", { cause: error });
}

test.each([1, 13, 39])("rows, counts and what steps show go on from %i checkpoints", async (cut) => {
  const uninterrupted = open();
  await feed(uninterrupted, 0, 40);
  const expected = await ended(uninterrupted);
  const changes = new Map<string, Uint8Array[]>();
  const before = open();
  await feed(before, 0, cut, changes);
  const whole = await before.runner.whole();
  for (const all of [changes, new Map([...whole].map(([name, change]) => [name, [change]]))]) {
    const next = open(
      plans,
      before.kept.map(({ rows, letters }) => Object.assign(new Kept(), structuredClone({ rows, letters }))),
    );
    await restore(next, all, (cut - 1) * 7_000);
    expect(statusOf(next)).toEqual(statusOf(before));
    await feed(next, cut, 40, new Map());
    expect(await ended(next)).toEqual(expected);
  }
  const shown = uninterrupted.runner.status()[1]!.metrics;
  expect(shown).toContainEqual(expect.objectContaining({ kind: "max" }));
});

test("what has not changed is left out, and a checkpoint costs what has changed", async () => {
  const running = open();
  expect((await running.runner.whole()).size).toBe(0);
  await feed(running, 0, 20);
  const first = await running.runner.checkpoint(0);
  expect([...first.keys()]).toEqual(plans.map(({ name }) => name));
  expect((await running.runner.checkpoint(1)).size).toBe(0);
  await feed(running, 20, 21);
  const second = await running.runner.checkpoint(2);
  expect(second.get("none")!.length).toBeLessThan(200);
  const wholes = await running.runner.whole();
  for (const { name } of plans) {
    const next = open();
    await next.runner.restore(name, [first.get(name)!, second.get(name)!], 2);
    await next.runner.checkpoint(2);
    expect((await next.runner.whole()).get(name)).toEqual(wholes.get(name));
  }
});

test("how large a state is, is told as it was when it was looked at, which is not at each checkpoint", async () => {
  const running = open();
  const told = (): readonly (number | undefined)[] =>
    running.runner.status().map(({ state_bytes }) => state_bytes);
  await feed(running, 0, 20);
  expect(told()).toEqual(plans.map(() => undefined));
  await running.runner.checkpoint(0);
  const wholes = await running.runner.whole();
  const first = told();
  for (const [place, { name }] of plans.entries()) {
    const { length } = wholes.get(name)!;
    expect(first[place]).toBeGreaterThan(length / 2);
    expect(first[place]).toBeLessThan(2 * length + 1_000);
  }
  await feed(running, 20, 60);
  await running.runner.checkpoint(limits.state_size_look_ms - 1);
  expect(told()).toEqual(first);
  await running.runner.checkpoint(limits.state_size_look_ms);
  expect(told()[0]).not.toBe(first[0]);
});

test("what goes on from checkpoints writes down only what differs from them", async () => {
  const before = open();
  await feed(before, 0, 20);
  const next = open();
  for (const [name, change] of await before.runner.checkpoint(5))
    await next.runner.restore(name, [change], 5);
  expect((await next.runner.checkpoint(5)).size).toBe(0);
});

test("one that has failed is left out, the others go on, and all of it still has what it was before", async () => {
  const running = open();
  await feed(running, 0, 3);
  const first = await running.runner.checkpoint(0);
  await running.runner.feed(payloadsOf([{ device: "d1", ts: 22_000, temp: 666 }]), 0);
  expect(running.failed).toEqual(["brittle"]);
  const second = await running.runner.checkpoint(1);
  expect([...second.keys()]).toEqual(["windows", "doors", "sessions", "none"]);
  const whole = await running.runner.whole();
  expect(whole.get("brittle")).toEqual(first.get("brittle"));
});

test("a million ms for which nobody listened are no silence of a source", async () => {
  const idle = [
    planOf({ name: "idle", source: { ...source, time: { field: "ts", idle: "10s" } }, steps: [sink] }),
  ];
  const before = open(idle);
  await before.runner.feed(payloadsOf([{ device: "a", ts: 0, temp: 1 }]), 0);
  await before.runner.tick(4_000);
  const next = open(idle);
  const changes = await before.runner.checkpoint(4_000);
  await next.runner.restore("idle", [changes.get("idle")!], 1_000_000);
  await next.runner.tick(1_005_999);
  expect(next.runner.status()[0]!.watermark).toBe(0);
  await next.runner.tick(1_006_000);
  expect(next.runner.status()[0]!.watermark).toBe(10_000);
});

describe("is refused, and nothing is changed", () => {
  async function tried(
    of: readonly PipelinePlan[],
    name: string,
    change: (whole: Uint8Array) => readonly Uint8Array[],
    expected: WeirError["code"] = "WEIR_STATE",
  ): Promise<WeirError> {
    const before = open();
    await feed(before, 0, 9);
    const whole = (await before.runner.checkpoint(0)).get("windows")!;
    const running = open(of);
    await feed(running, 20, 22);
    const status = running.runner.status();
    const error = await refusal(running.runner.restore(name, change(whole), 0));
    expect(running.runner.status()).toEqual(status);
    expect(error.code).toBe(expected);
    expect(error.remedy).toBeDefined();
    // It can be used as if nothing had been.
    await feed(running, 22, 24);
    expect((await running.runner.checkpoint(0)).size).toBe(of.length);
    return error;
  }

  test("what was kept with another plan: the pipeline is named", async () => {
    const other = planOf({
      name: "windows",
      steps: [{ window: { tumbling: "2m", by, select: { n: "count()" } } }, sink],
    });
    const error = await tried([other], "windows", (whole) => [whole], "WEIR_STATE_CHANGED");
    expect(error.message).toBe("pipeline windows was kept with other steps, settings, tables or columns");
    expect(error.remedy).toContain("--forget windows");
  });

  test("what is of a pipeline that does not run here", async () => {
    const error = await tried(plans, "gone", (whole) => [whole]);
    expect(error.message).toBe("there is state of pipeline gone, which does not run here");
  });

  test.each<[string, (whole: Uint8Array) => Uint8Array[]]>([
    ["nothing in it", () => [new Uint8Array(0)]],
    ["its end missing", (whole) => [whole.subarray(0, whole.length - 1)]],
    ["a part of it missing", (whole) => [whole, new Uint8Array([...whole.subarray(0, 9), 11, 0, 0])]],
    ["no time", (whole) => [new Uint8Array(whole.length).fill(255)]],
  ])("what is damaged, with %s", async (_title, change) => {
    const error = await tried(plans, "windows", change);
    expect(error.message).toMatch(/^pipeline windows: the snapshot is damaged: /);
  });
});

test.each(["before", "after"])("reference tables may be given %s a restart", async (when) => {
  const table = { file: "sites.json" };
  const steps = [{ lookup: { table, on: "device", add: { site: "string" } } }, sink];
  const sites = [planOf({ name: "sites", steps })];
  const bytes = new TextEncoder().encode(JSON.stringify({ a: { site: "north" }, b: { site: "south" } }));
  const content = { kind: "file", name: "sites.json", format: "json", bytes } as const;
  const first = open(sites);
  await first.runner.refer("sites", "sites.json", content);
  await first.runner.feed(payloadsOf([{ device: "a", ts: 1, temp: 1 }]), 0);
  const changes = await first.runner.checkpoint(0);
  const next = open(sites);
  if (when === "before") await next.runner.refer("sites", "sites.json", content);
  await next.runner.restore("sites", [changes.get("sites")!], 0);
  if (when === "after") await next.runner.refer("sites", "sites.json", content);
  await next.runner.feed(payloadsOf([{ device: "b", ts: 2, temp: 1 }]), 0);
  await next.runner.finish(0);
  expect(next.kept[0]!.records()).toMatchObject([{ device: "b", site: "south" }]);
  expect(next.runner.status()).toMatchObject([{ branches: [{ in: 2, out: 2 }] }]);
});
