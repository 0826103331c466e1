// How long a gap is filled: up to its bound and no further, so that a jump of ten years is no flood; and only
// as long as the key is known.

import { expect, test } from "vitest";
import { exampleLimits, Harness, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { catalog } from "../catalog.ts";
import { gapWindowsMax } from "./bounds.ts";

const day = 86_400_000;

type Fields = Readonly<Record<string, unknown>>;

const select = { n: "count()", temp: "mean(temp)", meter: "last(meter)" };

function harnessOf(
  gaps: string | null,
  readings: readonly Fields[],
  step: Fields = {},
  tumbling = "1s",
): Harness {
  const content = JSON.stringify({
    name: "gaps",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { device: "string", ts: "time", temp: "float64", meter: "int64" },
      time: { field: "ts", ahead: "4000d" },
    },
    limits: exampleLimits,
    steps: [
      { window: { tumbling, gaps, by: "device", select }, ...step },
      { sink: { stdout: {}, format: "json" } },
    ],
  });
  const { plan, diagnostics } = loadPipeline({ file: "gaps.yaml", content, catalogue: catalog });
  expect(diagnostics).toEqual([]);
  const harness = new Harness(plan!);
  for (const reading of readings) harness.record(reading);
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness;
}

function rowsOf(gaps: string | null, times: readonly number[]): readonly Fields[] {
  const readings = times.map((ts) => ({ device: "a", ts, temp: ts / 1000 }));
  return harnessOf(gaps, readings).rows(0);
}

test.each(["zero", "null", "last"])(
  "%s: a gap of ten years has a thousand rows, and the next is filled again",
  (gaps) => {
    const rows = rowsOf(gaps, [0, 3650 * day, 3650 * day + 3_000]);
    expect(rows.length).toBe(1 + gapWindowsMax + 2 + 2);
    const filled = rows.filter((row) => row["window_filled"] === true);
    expect(filled.length).toBe(gapWindowsMax + 2);
    expect(filled.every((row) => row["n"] === 0)).toBe(true);
    expect(filled[gapWindowsMax - 1]!["window_start"]).toBe(gapWindowsMax * 1000);
    expect(filled[gapWindowsMax]!["window_start"]).toBe(3650 * day + 1_000);
  },
);

test("interpolate: a line is drawn over a thousand windows, and none over more", () => {
  const within = rowsOf("interpolate", [0, (gapWindowsMax + 1) * 1000]);
  expect(within.length).toBe(gapWindowsMax + 2);
  for (const [place, row] of within.entries()) expect(row["temp"]).toBeCloseTo(place, 9);
  expect(rowsOf("interpolate", [0, (gapWindowsMax + 2) * 1000]).length).toBe(2);
});

/** A reading of `a`, then one of `b` every two seconds, then `c`. */
const silent: readonly Fields[] = [
  { device: "a", ts: 0, temp: 1 },
  ...Array.from({ length: 60 }, (_, place) => ({ device: "b", ts: (2 * place + 1) * 1000, temp: 2 })),
  { device: "c", ts: 121_000, temp: 3 },
  { device: "b", ts: 131_000, temp: 4 },
];

/** How many rows there are of a device, and when its last window begins, seconds. */
function rowsFor(harness: Harness, device: string): { rows: number; last: number } {
  const rows = harness.rows(0).filter((row) => row["device"] === device);
  return { rows: rows.length, last: (rows.at(-1)?.["window_start"] as number) / 1000 };
}

test.each(["zero", "null", "last"])("%s: no gap is filled of a key that was forgotten", (gaps) => {
  const expired = harnessOf(gaps, silent, { keys: { max: 2, ttl: "30s" } }, "10s");
  expect(expired.counts()[0]!.ledger).toEqual([]);
  // Until 30 s have passed, in the windows that have ended by then.
  expect(rowsFor(expired, "a")).toEqual({ rows: 3, last: 20 });
  expect(rowsFor(expired, "c").rows).toBeGreaterThan(0);

  const crowded = harnessOf(gaps, silent, { keys: { max: 2, when_full: "forget_oldest" } }, "10s");
  expect(crowded.counts()[0]!.ledger).toEqual([]);
  expect(rowsFor(crowded, "a")).toEqual({ rows: 11, last: 100 });
  expect(rowsFor(crowded, "c").rows).toBeGreaterThan(0);
});

test.each<Fields>([{ ttl: "30s" }, { when_full: "forget_oldest" }])(
  "interpolate: no line is drawn from before a key was forgotten, with %j",
  (bounds) => {
    const back = [...silent, { device: "a", ts: 131_500, temp: 9 }];
    const harness = harnessOf("interpolate", back, { keys: { max: 2, ...bounds } }, "10s");
    expect(rowsFor(harness, "a").rows).toBe(bounds["ttl"] === undefined ? 2 : 1);
    expect(harness.rows(0).some((row) => row["device"] === "a" && row["window_filled"] === true)).toBe(false);
  },
);

test("null may be written as YAML's own null", () => {
  expect(rowsOf(null, [0, 3_000])).toEqual(rowsOf("null", [0, 3_000]));
});

test("interpolate: whole numbers are the nearest of the line, and null where an end is", () => {
  const meter = (values: readonly (number | null)[]): unknown[] => {
    const readings = values.map((each, place) => ({ device: "a", ts: place * 4_000, meter: each }));
    return harnessOf("interpolate", readings)
      .rows(0)
      .map((row) => row["meter"]);
  };
  expect(meter([0, 10, -1])).toEqual([0, 2, 5, 8, 10, 7, 4, 2, -1]);
  expect(meter([1, null])).toEqual([1, null, null, null, null]);
});
