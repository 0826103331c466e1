// Batches in the pool and at home, with real threads: the same rows, counts and dead letters in the same
// order; and a thread that dies takes nothing along.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PayloadBatch } from "../batch/payloads.ts";
import { limits } from "../limits.ts";
import { lawFaults } from "../testing/harness.ts";
import { Kept, payloadsOf, pipelineText, Placeless, sink, source } from "./engine.fixture.ts";
import { GroupRunner } from "./group-runner.ts";
import { type LoadedPipeline, loadInput, readInput } from "./loader.ts";
import { hopGuess_ms } from "./placement.ts";
import { DecodePool } from "./pool.ts";
import { SourceGroup } from "./source-group.ts";

/** Steps that take time, so that the pool gains; that die where they are not at home; that cannot go on. */
const operators = `
import { isMainThread } from "node:worker_threads";
import { defineFilter, defineMap, defineOperator, field, z } from "weir/sdk";

const spin = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};
const base = { summary: "", rule: "", examples: [] };
const config = z.strictObject({ ms: z.number() });

export const slow = defineOperator({
  ...base, name: "slow", kind: "stateless", config,
  create: ({ ms }) => ({ onBatch(batch, out) { spin(ms); out.emit(batch); } }),
});
export const slow_home = defineOperator({
  ...base, name: "slow_home", kind: "keyed", config,
  create: ({ ms }) => ({ onBatch(batch, out) { spin(ms); out.emit(batch); } }),
});
const column = z.strictObject({ device: field.column(["string"], "") });
export const mortal = defineFilter({
  ...base, name: "mortal", config: column,
  keep: ({ device }) => (record) => {
    if (record.text(device) === "deadly" && !isMainThread) process.exit(3);
    return true;
  },
});
export const slow_first = defineFilter({
  ...base, name: "slow_first", config: column,
  keep: ({ device }) => (record) => {
    if (record.text(device) === "slow" && !isMainThread) spin(400);
    return true;
  },
});
export const brittle = defineMap({
  ...base, name: "brittle", config: column,
  columns: () => ({ size: "float64" }),
  map: ({ device }) => (record) => {
    if (record.text(device) === "bad") throw new Error("cannot take it");
    return { size: record.text(device).length };
  },
});
export const doubled = defineOperator({
  ...base, name: "doubled", kind: "stateless", config: z.strictObject({}),
  schema: () => ({ fields: [{ name: "at", type: "time" }, { name: "text", type: "string" }], rest: null }),
  create: () => ({
    onBatch(batch, out) {
      for (const half of [0.5, 0.5]) {
        const draft = out.draft(batch.count);
        for (let i = 0; i < batch.count; i++) {
          const at = batch.time[batch.selection[i]!]!;
          draft.time[i] = at;
          draft.weight[i] = half;
          draft.columns[0]!.values[i] = at;
          draft.columns[1]!.values[i] = draft.text(1, "at " + at);
        }
        out.append(draft);
      }
    },
  }),
});
export const last_straw = defineOperator({
  ...base, name: "last_straw", kind: "keyed", config: column,
  create: ({ device }) => ({
    onBatch(batch, out) {
      const { values, dictionary } = batch.columns[device.index]!;
      for (let i = 0; i < batch.count; i++) {
        if (dictionary.text(values[batch.selection[i]!]) === "straw") throw new Error("no more");
      }
      out.emit(batch);
    },
  }),
});
`;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-group-"));
  writeFileSync(join(folder, "operators.ts"), operators);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(name: string, parts: object): Promise<LoadedPipeline> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, pipelineText({ name, use: ["operators.ts"], ...parts }));
  const loaded = await loadInput(readInput(file, {}));
  expect(loaded.diagnostics).toEqual([]);
  return loaded;
}

/** Long enough that a few of them make a full batch. */
const padding = "p".repeat(8_000);

/** Full batches of readings, some out of order, late, ahead, of the wrong type or broken. */
function fullBatches(count: number, odd: (batch: number) => string | null = () => null): PayloadBatch[] {
  return Array.from({ length: count }, (_, batch) => {
    const records = Array.from({ length: 70 }, (_, i): string | Record<string, unknown> => {
      const n = batch * 70 + i;
      if (n % 41 === 0) return `{"device":"broken ${n}"`;
      if (n % 37 === 0) return { device: "a", ts: 1e12, temp: 1 };
      const temp = n % 31 === 0 ? "warm" : n % 7 === 0 ? null : (n % 100) / 4;
      const device = (i === 69 ? odd(batch) : null) ?? (n % 53 === 0 ? null : `d${n % 5}`);
      return { device, ts: n * 10 - (n % 13) * 40, temp, pad: padding, n };
    });
    return payloadsOf(records, batch * 700 + 650);
  });
}

interface Ran {
  readonly kept: readonly Kept[];
  readonly status: unknown;
}

const options = { identity: "i" };

function statusOf(group: SourceGroup): unknown {
  return group.engines.map((engine) => {
    expect(lawFaults(engine.counts())).toEqual([]);
    return { watermark: engine.watermark, counts: engine.counts() };
  });
}

/** All at home, in this thread. */
function atHome(loaded: readonly LoadedPipeline[], batches: readonly PayloadBatch[]): Ran {
  const plans = loaded.map(({ plan }) => plan!);
  const kept = plans.map(() => new Placeless());
  const group = new SourceGroup(plans, { ...options, outputs: (plan) => kept[plans.indexOf(plan)]! });
  batches.forEach((batch, i) => group.feed(batch, i * 700 + 700));
  group.finish(1e6);
  return { kept, status: statusOf(group) };
}

/** The same by a runner with threads, which did the work or not. */
async function pooled(
  loaded: readonly LoadedPipeline[],
  batches: readonly PayloadBatch[],
  threads: number,
  place: "pool" | "home" = "pool",
): Promise<Ran> {
  const plans = loaded.map(({ plan }) => plan!);
  const kept = plans.map(() => new Placeless());
  const group = new SourceGroup(plans, { ...options, outputs: (plan) => kept[plans.indexOf(plan)]! });
  const pool = new DecodePool(threads);
  const runner = new GroupRunner(group, { inputs: loaded.map(({ input }) => input), header: [], pool });
  try {
    for (const [i, batch] of batches.entries()) await runner.feed(batch, i * 700 + 700);
    await runner.idle();
    await runner.finish(1e6);
    // A hop that was measured was made.
    expect(runner.costs().hop_ms === hopGuess_ms ? "home" : "pool").toBe(place);
    return { kept, status: statusOf(group) };
  } finally {
    await runner.close();
    await pool.close();
  }
}

/** The same with a checkpoint after some batches, while the pool has them, from which another runner goes on. */
async function resumed(
  loaded: readonly LoadedPipeline[],
  batches: readonly PayloadBatch[],
  after: readonly number[],
): Promise<Ran> {
  const plans = loaded.map(({ plan }) => plan!);
  const kept = plans.map(() => new Placeless());
  const inputs = loaded.map(({ input }) => input);
  const changes = new Map<string, Uint8Array[]>(plans.map(({ name }) => [name, []]));
  const runners: GroupRunner[] = [];
  const pool = new DecodePool(2);
  const open = async (now: number): Promise<GroupRunner> => {
    group = new SourceGroup(plans, { ...options, outputs: (plan) => kept[plans.indexOf(plan)]! });
    const runner = new GroupRunner(group, { inputs, header: [], pool });
    runners.push(runner);
    for (const [name, all] of changes) await runner.restore(name, all, now);
    return runner;
  };
  let group: SourceGroup;
  try {
    let runner = await open(0);
    for (const [i, batch] of batches.entries()) {
      await runner.feed(batch, i * 700 + 700);
      if (!after.includes(i)) continue;
      for (const [name, change] of await runner.checkpoint(i * 700 + 700)) changes.get(name)!.push(change);
      expect(runner.costs().hop_ms === hopGuess_ms ? "home" : "pool").toBe("pool");
      runner = await open(i * 700 + 700);
    }
    await runner.finish(1e6);
    return { kept, status: statusOf(group!) };
  } finally {
    for (const runner of runners) await runner.close();
    await pool.close();
  }
}

const devices = { device: "device" };
const windowed = { window: { tumbling: "1s", by: "device", select: { mean: "mean(temp)", n: "count()" } } };

describe("the pool gives what home gives", () => {
  test("two pipelines of one source: windows, branches, passed-on records, refusals, faults", async () => {
    const steps = [
      { slow: { ms: 4 } },
      { brittle: devices },
      { filter: "temp < 20.0" },
      { slow_home: { ms: 4 } },
    ];
    const first = await load("first", {
      source: { ...source, time: { field: "ts", lateness: "100ms" } },
      steps: [
        ...steps,
        { branch: { condensed: [windowed, sink], raw: [{ set: { kelvin: "temp + 273.15" } }, sink] } },
      ],
    });
    const second = await load("second", {
      source: { ...source, schema: { device: "string", ts: "time", n: "float64" } },
      steps: [{ filter: "n > 100.0 && device != null" }, sink],
    });
    const batches = fullBatches(15, (batch) => (batch % 3 === 0 ? "bad" : null));
    const home = atHome([first, second], batches);
    const pool = await pooled([first, second], batches, 2);
    expect(pool.status).toEqual(home.status);
    expect(pool.kept).toEqual(home.kept);
    expect(home.kept[0]!.rows.length).toBeGreaterThan(300);
    const reasons = new Set(home.kept[0]!.letters.map(({ letter }) => letter.reason));
    expect([...reasons].sort()).toEqual(["ahead", "decode", "fault", "type"]);
  });

  test("an operator that makes several batches of one, whose rows may be late", async () => {
    const late = { window: { tumbling: "50ms", by: "text", select: { n: "count()", end: "max(at)" } } };
    const loaded = await load("doubled", {
      steps: [{ slow: { ms: 4 } }, { doubled: {} }, { filter: "double(at) > 100.0" }, late, sink],
    });
    const batches = fullBatches(12);
    const home = atHome([loaded], batches);
    expect(home.kept[0]!.rows.length).toBeGreaterThan(100);
    const pool = await pooled([loaded], batches, 2);
    expect(pool.kept).toEqual(home.kept);
    expect(pool.status).toEqual(home.status);
  });

  test("a thread that dies loses nothing and repeats nothing", async () => {
    const loaded = await load("mortal", {
      steps: [{ mortal: devices }, { slow: { ms: 4 } }, windowed, sink],
    });
    const batches = fullBatches(15, (batch) => (batch === 10 || batch === 13 ? "deadly" : null));
    const pool = await pooled([loaded], batches, 2);
    const home = atHome([loaded], batches);
    expect(pool.kept).toEqual(home.kept);
    expect(pool.status).toEqual(home.status);
    expect(home.kept[0]!.records()).toContainEqual(expect.objectContaining({ device: "deadly" }));
  });

  test("threads that cannot start leave the work at home", async () => {
    const text = operators.replace(
      "const spin",
      'if (!isMainThread) throw new Error("not here");\nconst spin',
    );
    writeFileSync(join(folder, "home-only.ts"), text);
    const loaded = await load("unstartable", {
      use: ["home-only.ts"],
      steps: [{ slow: { ms: 4 } }, windowed, sink],
    });
    const batches = fullBatches(12);
    const pool = await pooled([loaded], batches, 2, "home");
    expect(pool).toEqual(atHome([loaded], batches));
  });

  test("batches that overtake each other in the pool are taken in source order", async () => {
    const loaded = await load("overtaken", {
      steps: [{ slow_first: devices }, { slow: { ms: 4 } }, windowed, sink],
    });
    // By then both threads are up, and one of them works off the others while they wait for the slow one.
    const slow = 10 + limits.pool_batches_in_flight_max;
    const count = slow + limits.pool_batches_in_flight_max + 2;
    const batches = fullBatches(count, (batch) => (batch === slow ? "slow" : null));
    const pool = await pooled([loaded], batches, 2);
    const home = atHome([loaded], batches);
    expect(pool.kept).toEqual(home.kept);
    expect(pool.status).toEqual(home.status);
  });
});

test("what goes on from a checkpoint gives what home gives without one, whatever is in the pool", async () => {
  const timed = { ...source, time: { field: "ts", lateness: "100ms" } };
  const first = await load("first", {
    source: timed,
    steps: [{ slow: { ms: 4 } }, { brittle: devices }, windowed, sink],
  });
  const second = await load("second", { source: timed, steps: [{ filter: "temp > 10.0" }, sink] });
  const batches = fullBatches(14);
  const home = atHome([first, second], batches);
  const pool = await resumed([first, second], batches, [10]);
  expect(pool.kept).toEqual(home.kept);
  expect(pool.status).toEqual(home.status);
  expect(home.kept[0]!.rows.length).toBeGreaterThan(50);
});

test("a keyed operator that fails on what the pool gave back is told at the next call", async () => {
  const loaded = await load("straw", {
    steps: [{ slow: { ms: 4 } }, { last_straw: devices }, sink],
  });
  const batches = fullBatches(12, (batch) => (batch === 9 ? "straw" : "d0"));
  const unseen: unknown[] = [];
  const note = (reason: unknown): number => unseen.push(reason);
  process.on("unhandledRejection", note);
  try {
    await expect(pooled([loaded], batches, 2)).rejects.toThrow(
      "step 2 last_straw: operator last_straw failed: no more",
    );
  } finally {
    process.off("unhandledRejection", note);
  }
  expect(unseen).toEqual([]);
});

describe("placement", () => {
  test("a source that does not fill its batches starts no thread", async () => {
    const loaded = await load("calm", { steps: [{ slow: { ms: 4 } }, windowed, sink] });
    const kept = new Kept();
    const group = new SourceGroup([loaded.plan!], { ...options, outputs: () => kept });
    const pool = new DecodePool(2);
    const runner = new GroupRunner(group, { inputs: [loaded.input], header: [], pool });
    for (let i = 0; i < 20; i++)
      await runner.feed(payloadsOf([{ device: "a", ts: i * 100, temp: i }]), 2_000);
    expect(runner.costs()).toMatchObject({ hop_ms: hopGuess_ms });
    expect(runner.costs().stateless_ms).toBeGreaterThan(runner.costs().home_ms);
    await runner.finish(2_000);
    expect(kept.rows).toHaveLength(2);
    expect(runner.status()).toMatchObject([{ name: "calm", branches: [{ in: 20, out: 20, held: 0 }] }]);
    await runner.close();
    await pool.close();
  });

  test("without threads everything stays at home, however full", async () => {
    const loaded = await load("home", { steps: [{ slow: { ms: 4 } }, windowed, sink] });
    const kept = new Kept();
    const group = new SourceGroup([loaded.plan!], { ...options, outputs: () => kept });
    const runner = new GroupRunner(group, { inputs: [loaded.input], header: [], pool: null });
    for (const batch of fullBatches(12)) await runner.feed(batch, 1e5);
    expect(runner.costs().hop_ms).toBe(hopGuess_ms);
    await runner.close();
  });
});
