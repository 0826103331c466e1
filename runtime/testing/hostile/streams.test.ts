// What no single record shows: devices whose clocks are wrong, keys without end or of great length, sums that a computer gets wrong,
// bombs of a compressor. One stranger among devices that go on as if there were none.

import { zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { cutOf } from "../../codec/framing.ts";
import { limits } from "../../limits.ts";
import type { PipelinePlan } from "../../pipeline/pipeline.ts";
import { type Fields } from "../payload.ts";
import { Harness, lawFaults } from "../harness.ts";
import { plannedText } from "./hostile-input.fixture.ts";

interface Setting {
  readonly time?: string;
  readonly keys?: string;
  readonly by?: string;
  readonly window?: string;
  readonly select?: string;
}

function planOf({
  time = "lateness: 1s, ahead: 1d",
  keys = "max: 1000",
  by = "device",
  window = "tumbling: 1m",
  select = "records: count(), total: sum(temp)",
}: Setting = {}): Promise<PipelinePlan> {
  return plannedText(`name: hostile
source:
  nats: { subject: in.x }
  format: json
  schema: { device: string, ts: time, temp: float64 }
  time: { field: ts, unit: ms, ${time} }
limits: { keys: { ${keys} } }
steps:
  - window: { ${window}, by: ${by}, select: { ${select} } }
  - sink: { stdout: {}, format: json }
`);
}

const minute = 60_000;

/** Records of `device`, one a second for three minutes, and what `stranger` sends between them. */
async function beside(
  stranger: (harness: Harness, at: number) => void,
  setting: Setting = {},
): Promise<Harness> {
  const harness = new Harness(await planOf(setting), { batchRows: 7 });
  for (let ts = 0; ts < 3 * minute; ts += 1_000) {
    harness.record({ device: "healthy", ts, temp: 1 });
    stranger(harness, ts);
  }
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness;
}

const ofHealthy = (harness: Harness): readonly Fields[] =>
  harness.rows(0).filter(({ device }) => device === "healthy");

function reasons(harness: Harness): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { reason, records } of harness.counts()[0]!.ledger) all[reason] = (all[reason] ?? 0) + records;
  return all;
}

const whole = [0, 1, 2].map((n) => ({ window_start: n * minute, records: 60, total: 60 }));

describe("a device whose clock is wrong", () => {
  test("ten years ahead, moves time for nobody", async () => {
    const harness = await beside((each, ts) => each.record({ device: "x", ts: ts + 3.2e11, temp: 1 }));
    expect(ofHealthy(harness)).toMatchObject(whole);
    expect(reasons(harness)).toEqual({ ahead: 180 });
  });

  test("set to 1970 once an hour has passed, is late, and counted", async () => {
    const harness = new Harness(await planOf());
    for (let ts = 60 * minute; ts < 62 * minute; ts += 1_000) {
      harness.record({ device: "healthy", ts, temp: 1 });
      harness.record({ device: "x", ts: ts - 60 * minute, temp: 1 });
    }
    harness.finish();
    expect(ofHealthy(harness)).toHaveLength(2);
    expect(reasons(harness)).toEqual({ late: 120 });
    expect(lawFaults(harness.counts())).toEqual([]);
  });

  test("that stands still, or goes backwards, is late once its window is closed", async () => {
    const still = await beside((each) => each.record({ device: "x", ts: 5_000, temp: 1 }));
    expect(ofHealthy(still)).toMatchObject(whole);
    expect(still.rows(0)).toContainEqual(expect.objectContaining({ device: "x", records: 61 }));
    expect(reasons(still)).toEqual({ late: 119 });
    const back = await beside((each, ts) => each.record({ device: "x", ts: -ts, temp: 1 }));
    expect(ofHealthy(back)).toMatchObject(whole);
    expect(reasons(back)).toEqual({ late: 179 });
  });

  test("that says times before 1970, in windows that floor", async () => {
    const harness = new Harness(await planOf({ time: "lateness: 1h" }));
    for (const ts of [-1, -60_000, -60_001]) harness.record({ device: "x", ts, temp: 1 });
    harness.finish();
    expect(harness.rows(0)).toMatchObject([
      { window_start: -2 * minute, records: 1 },
      { window_start: -minute, records: 2 },
    ]);
  });
});

describe("keys", () => {
  test("without end are refused where the table is full, and those that are there go on", async () => {
    let made = 0;
    const strangers = (each: Harness, ts: number): void => {
      for (let n = 0; n < 20; n++) each.record({ device: `x${made++}`, ts, temp: 1 });
    };
    const harness = await beside(strangers, { keys: "max: 100" });
    expect(ofHealthy(harness)).toMatchObject(whole);
    const taken = harness.rows(0).length - whole.length;
    expect(taken).toBeLessThanOrEqual(whole.length * 99);
    expect(reasons(harness)).toEqual({ overflow: made - taken });
  });

  test("of a megabyte are refused, and kept by nobody", async () => {
    const long = "x".repeat(limits.key_bytes_max + 1);
    const harness = await beside((each, ts) => each.record({ device: long, ts, temp: 1 }));
    expect(ofHealthy(harness)).toMatchObject(whole);
    expect(harness.rows(0).every(({ device }) => device !== long)).toBe(true);
    expect(reasons(harness)).toEqual({ overflow: 180 });
  });

  test("of which one has nearly all records hold up none", async () => {
    const harness = await beside((each, ts) => {
      for (let n = 0; n < 50; n++) each.record({ device: "hot", ts, temp: 1 });
    });
    expect(ofHealthy(harness)).toMatchObject(whole);
    expect(harness.rows(0)).toContainEqual(expect.objectContaining({ device: "hot", records: 3_000 }));
  });

  test("are their bytes: case, spaces, NULs and the form of a letter tell them apart", async () => {
    const names = ["a", "A", "a ", "a\u0000", "\u00e9", "e\u0301", "", "__proto__"];
    const harness = new Harness(await planOf());
    for (const device of [...names, ...names]) harness.record({ device, ts: 0, temp: 1 });
    harness.finish();
    expect(new Map(harness.rows(0).map(({ device, records }) => [device, records]))).toEqual(
      new Map(names.map((name) => [name, 2])),
    );
  });

  test("of numbers know no minus zero", async () => {
    const harness = new Harness(await planOf({ by: "temp", select: "records: count()" }));
    harness.raw('{"device":"a","ts":0,"temp":0}');
    harness.raw('{"device":"a","ts":0,"temp":-0.0}');
    harness.finish();
    expect(harness.rows(0)).toMatchObject([{ temp: 0, records: 2 }]);
  });
});

test("a sum does not depend on the order of what is small and what is large", async () => {
  const values = [1e16, 1, -1e16, 1, 5e-324, ...Array<number>(10).fill(0.1)];
  for (const order of [values, values.toReversed(), values.toSorted((a, b) => a - b)]) {
    const harness = new Harness(await planOf());
    for (const temp of order) harness.record({ device: "a", ts: 0, temp });
    harness.finish();
    expect(harness.rows(0)[0]!["total"]).toBeCloseTo(3, 9);
  }
});

test("a bomb of a compressor is not unpacked", () => {
  const bomb = zstdCompressSync(Buffer.alloc(4 * limits.lane_body_bytes_max));
  expect(bomb.length).toBeLessThan(limits.lane_body_bytes_max / 1_000);
  const records = cutOf("lane")!(bomb, 0);
  // It is one record, which no decoder takes.
  expect(records.count).toBe(1);
  const before = process.threadCpuUsage();
  cutOf("lane")!(bomb, 0);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(limits.fuzz_input_ms_max);
});
