// Pipelines with operators of the user's own, in a thread of their own: the same results as at home, from
// files outside the repository; and an operator that hangs, throws, dies or cannot be loaded is seen and
// named, and takes nobody along.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { Kept, payloadsOf, pipelineText, Placeless, sink, source } from "./engine.fixture.ts";
import { HomeRunner } from "./home-runner.ts";
import { type LoadedPipeline, loadInput, readInput } from "./loader.ts";
import { SourceGroup } from "./source-group.ts";
import type { PipelineStatus } from "./status.ts";

const operators = `
import { isMainThread, parentPort } from "node:worker_threads";
import { defineFilter, defineOperator, field, table, z } from "weir/sdk";

export const moody = defineFilter({
  name: "moody",
  summary: "Keeps every record, but for what some devices do to it.",
  config: z.strictObject({ device: field.column(["string"], "The device.") }),
  keep: ({ device }) => (record) => {
    const name = record.text(device);
    while (name === "loop");
    if (name === "die") process.exit(7);
    if (name === "post") parentPort.postMessage({ kind: "garbage" });
    if (name === "forgets") void Promise.reject(new Error("never awaited"));
    if (name === "shout") throw new Error("x".repeat(1_000_000));
    if (name === "bad") throw new Error("cannot take it");
    return name !== "none";
  },
});

export const running = defineOperator({
  name: "running",
  summary: "Keeps readings that are the largest so far of their device.",
  rule: "",
  kind: "keyed",
  config: z.strictObject({ by: field.keys("Key."), value: field.column(["float64"], "Reading.") }),
  examples: [],
  state: ({ by }) => ({ largest: table.keyed(by, [-Infinity]) }),
  create: ({ value }, { state: { largest } }) => ({
    onBatch(batch, out) {
      const ids = new Uint32Array(batch.count);
      largest.keys.identify(batch, ids);
      largest.reserve();
      const rows = out.scratch(batch);
      let count = 0;
      for (let i = 0; i < batch.count; i++) {
        const row = batch.selection[i];
        const reading = batch.columns[value.index].values[row];
        if (reading === 666) throw new Error("no more");
        if (!(reading > largest.cells[0][ids[i]])) continue;
        largest.cells[0][ids[i]] = reading;
        rows[count++] = row;
      }
      out.select(batch, rows, count);
    },
  }),
});
`;

let folder = "";
const runners: HomeRunner[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-home-"));
  writeFileSync(join(folder, "operators.ts"), operators);
});
afterAll(async () => {
  for (const runner of runners) await runner.close();
  rmSync(folder, { recursive: true, force: true });
});

async function load(use = "operators.ts", parts: object = {}): Promise<LoadedPipeline> {
  const file = join(folder, "own.yaml");
  const steps = [
    { moody: { device: "device" } },
    { running: { by: "device", value: "temp" } },
    { window: { tumbling: "1s", by: "device", select: { n: "count()", high: "max(temp)" } } },
    sink,
  ];
  const timed = { ...source, time: { field: "ts", idle: "1s" } };
  writeFileSync(file, pipelineText({ name: "own", use: [use], source: timed, steps, ...parts }));
  return loadInput(readInput(file, {}), "own.yaml");
}

async function open(loaded: LoadedPipeline, kept: Kept, hang_ms = 5_000): Promise<HomeRunner> {
  const runner = await HomeRunner.open({
    plan: loaded.plan!,
    input: loaded.input,
    headers: [],
    identity: "i",
    outputs: kept,
    clock: wallClock,
    hang_ms,
  });
  runners.push(runner);
  return runner;
}

const reading = (device: string, ts: number, temp: number): object => ({ device, ts, temp });
const batches = [
  [reading("a", 1, 5), reading("b", 2, 7), reading("a", 3, 4), reading("none", 4, 1)],
  [reading("a", 900, 6), reading("bad", 950, 1), '{"device":', reading("b", 1_100, 8)],
  [reading("a", 2_500, 7), reading("a", 100, 99)],
].map((records, i) => payloadsOf(records as Parameters<typeof payloadsOf>[0], i));

test("gives what home gives: rows, dead letters, counts", async () => {
  const loaded = await load();
  expect(loaded.diagnostics).toEqual([]);
  expect(loaded.custom).toBe(true);
  const expected = new Placeless();
  const group = new SourceGroup([loaded.plan!], { headers: [], identity: "i", outputs: () => expected });
  const kept = new Placeless();
  const runner = await open(loaded, kept);
  for (const [i, batch] of batches.entries()) {
    group.feed(batch, i);
    await runner.feed(batch, i);
  }
  group.tick(5_000);
  await runner.tick(5_000);
  await runner.idle();
  expect(kept).toEqual(expected);
  expect(runner.status()).toEqual([group.engines[0]!.status()]);
  group.finish(5_000);
  await runner.finish(5_000);
  expect(kept).toEqual(expected);
  expect(kept.records()).toMatchObject([
    { device: "a", n: 2, high: 6 },
    { device: "b", n: 1, high: 7 },
    { device: "b", n: 1, high: 8 },
    { device: "a", n: 1, high: 7 },
  ]);
  expect(kept.letters.map(({ letter }) => letter.reason).sort()).toEqual(["decode", "fault"]);
});

describe("checkpoints", () => {
  const spike = new URL("../../operators/examples/spike.ts", import.meta.url).pathname;
  const steps = [
    { spike: { value: "temp", by: "device", jump: 3 } },
    { window: { tumbling: "10ms", by: "device", select: { n: "count()" } } },
    sink,
  ];
  const readings = Array.from({ length: 40 }, (_, n) =>
    payloadsOf(
      [
        { device: `d${n % 3}`, ts: n * 2, temp: (n * 7) % 11 },
        { device: "d1", ts: n * 2 + 1, temp: n % 5 },
      ],
      n,
    ),
  );

  test("what goes on from them gives what home gives without one", async () => {
    const loaded = await load(spike, { steps });
    const expected = new Kept();
    const group = new SourceGroup([loaded.plan!], { headers: [], identity: "i", outputs: () => expected });
    for (const [n, batch] of readings.entries()) group.feed(batch, n);
    group.finish(99);
    const kept = new Kept();
    const changes: Uint8Array[] = [];
    let runner = await open(loaded, kept);
    expect((await runner.whole()).size).toBe(0);
    for (const [n, batch] of readings.entries()) {
      void runner.feed(batch, n);
      if (n % 7 === 3) changes.push((await runner.checkpoint(n)).get("own")!);
      if (n % 14 !== 3) continue;
      expect((await runner.checkpoint(n)).size).toBe(0);
      if (n === 17) changes.splice(0, changes.length, (await runner.whole()).get("own")!);
      runner = await open(loaded, kept);
      await runner.restore("own", changes, n);
    }
    await runner.finish(99);
    expect(kept).toEqual(expected);
    expect(kept.rows.length).toBeGreaterThan(10);
    const [{ state_bytes, ...status }] = runner.status() as [PipelineStatus];
    expect(status).toEqual(group.engines[0]!.status());
    expect(state_bytes).toBeGreaterThan(0);
    expect(changes.map(({ length }) => length > 0)).not.toContain(false);
  });

  test("what is of another plan is refused, and the pipeline runs on without it", async () => {
    const runner = await open(await load(spike, { steps }), new Kept());
    await runner.feed(readings[0]!, 0);
    const changes = [...(await runner.checkpoint(0)).values()];
    const [first, ...others] = steps;
    const changed = { spike: { ...(first as { spike: object }).spike, jump: 4 } };
    const kept = new Kept();
    const next = await open(await load(spike, { steps: [changed, ...others] }), kept);
    await expect(next.restore("own", changes, 0)).rejects.toMatchObject({
      code: "WEIR_STATE_CHANGED",
      message: "pipeline own was kept with other steps, settings, tables or columns",
      remedy: expect.stringContaining("--forget own"),
    });
    await expect(next.restore("other", changes, 0)).rejects.toMatchObject({ code: "WEIR_STATE" });
    await next.feed(readings[0]!, 0);
    await next.finish(0);
    expect(next.status()).toMatchObject([{ branches: [{ in: 2 }] }]);
    expect(changes[0]!.length).toBeGreaterThan(0);
  });
});

test("payloads are the caller's again as soon as they were taken", async () => {
  const kept = new Kept();
  const runner = await open(await load(), kept);
  const batch = payloadsOf([{ device: "a", ts: 1, temp: 5 }]);
  const fed = runner.feed(batch, 0);
  batch.bytes.fill(0);
  await fed;
  await runner.finish(0);
  expect(kept.letters).toEqual([]);
  expect(kept.records()).toMatchObject([{ device: "a", high: 5 }]);
});

test("what an operator says of a record it throws at is kept in short", async () => {
  const kept = new Kept();
  const runner = await open(await load(), kept);
  await runner.feed(payloadsOf([{ device: "shout", ts: 1, temp: 5 }]), 0);
  await runner.finish(0);
  expect(kept.letters).toMatchObject([{ letter: { reason: "fault", detail: "x".repeat(512) } }]);
});

describe("an operator that", () => {
  async function fails(
    device: string,
    temp: number,
    message: string | RegExp,
    hang_ms?: number,
  ): Promise<HomeRunner> {
    const runner = await open(await load(), new Kept(), hang_ms);
    const failed = Promise.allSettled([
      runner.feed(payloadsOf([{ device, ts: 1, temp }]), 0),
      runner.feed(payloadsOf([{ device: "a", ts: 2, temp: 1 }]), 0).then(() => runner.idle()),
      runner.finish(0),
    ]);
    for (const outcome of await failed) {
      if (outcome.status === "fulfilled") continue;
      expect(outcome.reason).toBeInstanceOf(WeirError);
      expect(outcome.reason).toMatchObject({
        code: "WEIR_OPERATOR",
        message: expect.stringMatching(message) as string,
        remedy: expect.any(String) as string,
      });
    }
    expect((await failed).at(-1)!.status).toBe("rejected");
    await expect(runner.feed(payloadsOf([]), 0)).rejects.toThrow(message);
    await expect(runner.tick(0)).rejects.toThrow(message);
    await expect(runner.idle()).rejects.toThrow(message);
    return runner;
  }

  test("loops for ever is ended, and the pipeline with it", async () => {
    const runner = await fails(
      "loop",
      1,
      /^pipeline own: one of the steps 1 moody, 2 running did not return within 300 ms$/,
      300,
    );
    expect(runner.status()).toMatchObject([{ name: "own" }]);
    await runner.close();
    await runner.close();
  });

  test("throws with state in hand is named with its step", async () => {
    await fails(
      "a",
      666,
      /^pipeline own: step 2 running: operator running failed: no more \(operators\.ts:\d+:\d+\)$/,
    );
  });

  test("ends its thread is seen", async () => {
    await fails("die", 1, /^pipeline own: its thread ended with exit code 7$/);
  });

  test("leaves a failed promise to nobody is seen", async () => {
    await fails("forgets", 1, /^pipeline own: its thread died: never awaited \(operators\.ts:\d+:\d+\)$/);
  });

  test("posts to weir itself is seen", async () => {
    await fails("post", 1, /^pipeline own: its thread sent what is no answer$/);
  });
});

test("closing tells those who wait", async () => {
  const runner = await open(await load(), new Kept());
  const fed = runner.finish(0);
  const told = expect(fed).rejects.toThrow("the pipeline's thread is closed");
  await runner.close();
  await told;
});

test("what cannot be opened leaves no thread behind", async () => {
  const loaded = await load();
  const broken = { ...loaded, input: { ...loaded.input, text: "name: own\nsteps: []\n" } };
  const before = process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
  await expect(open(broken, new Kept())).rejects.toMatchObject({ code: "WEIR_OPERATOR" });
  await expect
    .poll(() => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length)
    .toBe(before);
});

describe("an operator file that cannot be loaded is a mistake in the pipeline's file", () => {
  const files: readonly (readonly [string, string, RegExp])[] = [
    ["syntax", "export const x = {{", /cannot load operators from .*syntax\.ts: /],
    ["throws", 'throw new Error("on load")', /cannot load operators from .*throws\.ts: on load/],
    ["empty", "export const x = 1", /empty\.ts exports no operator/],
    ["missing", "", /cannot load operators from .*missing\.ts: .*no such file/i],
    [
      "taken",
      operators.replaceAll("moody", "filter"),
      /there is an operator filter already, which comes with weir/,
    ],
    [
      "twice",
      operators.replaceAll("running", "moody").replace("const moody", "const other"),
      /two of its operators are called moody/,
    ],
    ["shouts", 'throw new Error("x".repeat(1e6))', /cannot load operators from .*shouts\.ts: x{500}…$/],
    ["imports", 'import "no-such-package"', /cannot load operators from .*imports\.ts: .*no-such-package/],
  ];
  test.each([
    ["wrong", "export const x = {{", /^correct that file/],
    ["nowhere", "", /^the path is relative to the pipeline's file$/],
  ])("%s says what to do", async (name, text, hint) => {
    if (text !== "") writeFileSync(join(folder, `${name}.ts`), text);
    const { diagnostics } = await load(`${name}.ts`, { steps: [sink] });
    expect(diagnostics[0]!.hint).toMatch(hint);
  });

  test.each(files)("%s", async (name, text, message) => {
    if (text !== "") writeFileSync(join(folder, `${name}.ts`), text);
    const { plan, diagnostics } = await load(`${name}.ts`, { steps: [sink] });
    expect(plan).toBeNull();
    const [first] = diagnostics;
    expect(first).toMatchObject({
      file: "own.yaml",
      severity: "error",
      line: 1,
      hint: expect.any(String) as string,
    });
    expect(first!.message).toMatch(message);
  });

  test("that is no code is not read at all", async () => {
    writeFileSync(join(folder, "password.txt"), "hunter2 = 12345678\n");
    const { diagnostics } = await load("password.txt", { steps: [sink] });
    expect(diagnostics[0]!.message).toMatch(
      /cannot load operators from .*password\.txt: it is no file of code$/,
    );
    expect(JSON.stringify(diagnostics)).not.toContain("hunter2");
  });

  test("with the place of its entry", async () => {
    writeFileSync(join(folder, "ill.ts"), "export const x = {{");
    const text =
      "name: own\nuse:\n  - operators.ts\n  - ill.ts\nsource: { file: { path: x }, format: json }\nsteps: [{ sink: { stdout: {} } }]\n";
    const file = join(folder, "placed.yaml");
    writeFileSync(file, text);
    const { diagnostics } = await loadInput(readInput(file, {}), "placed.yaml");
    expect(diagnostics[0]).toMatchObject({ line: 4, column: 5, length: "ill.ts".length });
  });
});
