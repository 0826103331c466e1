// How long a gap is filled: up to its bound and no further, so that a jump of ten years is no flood.

import { expect, test } from "vitest";
import { exampleLimits, Harness, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { catalog } from "../catalog.ts";
import { gapWindowsMax } from "./bounds.ts";

const day = 86_400_000;

function rowsOf(gaps: string, times: readonly number[]): readonly Readonly<Record<string, unknown>>[] {
  const content = JSON.stringify({
    name: "gaps",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { device: "string", ts: "time", temp: "float64" },
      time: { field: "ts", ahead: "4000d" },
    },
    limits: exampleLimits,
    steps: [
      { window: { tumbling: "1s", gaps, by: "device", select: { n: "count()", temp: "mean(temp)" } } },
      { sink: { stdout: {}, format: "json" } },
    ],
  });
  const { plan, diagnostics } = loadPipeline({ file: "gaps.yaml", content, catalogue: catalog });
  expect(diagnostics).toEqual([]);
  const harness = new Harness(plan!);
  for (const ts of times) harness.record({ device: "a", ts, temp: ts / 1000 });
  expect(lawFaults(harness.counts())).toEqual([]);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness.rows(0);
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
