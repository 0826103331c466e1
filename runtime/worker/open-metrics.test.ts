// The text of metrics keeps to the format that scrapers read, whatever names hold.

import { expect, test } from "vitest";
import type { Heartbeat } from "../heartbeat.ts";
import { liveness, readiness, readinessTogether } from "./health.ts";
import { openMetricsText } from "./open-metrics.ts";
import type { WorkerStatus } from "./worker.ts";

const beat: Heartbeat = {
  host: "h",
  worker: "w",
  process: 1,
  at: 20_000,
  started: 10_000,
  phase: "running",
  assignment: "",
  memory_bytes: 90_000_000,
  processor_s: 1.5,
  pipelines: [
    {
      name: "p",
      revision: "r",
      attempt: 1,
      phase: "running",
      fault: null,
      since: 0,
      records: 0,
      rows: 0,
      held: 0,
      state_bytes: 4_096,
      pending: 0,
      dropped: 0,
      lag: 3,
      watermark: 15_000,
      busy: 0.25,
      true_rate: null,
    },
  ],
};

const status: WorkerStatus = {
  name: "p",
  pipeline: {
    name: "p",
    watermark: 15_000,
    branches: [
      {
        name: "main",
        in: 5,
        out: 2,
        held: 1,
        rows: 2,
        ledger: [{ step: 'a "b" \\ \n', reason: "late", records: 2 }],
      },
    ],
    inputs: [],
    metrics: [],
    steps: [],
    references: [],
  },
  sources: [{ name: "source", records: 5, bytes: 50, dropped: { overflow: 4 }, lag: 3, deaf_ms: 2_500 }],
  sinks: [{ branch: "main", rows: 2, bytes: 20, pending: 0, dropped: {} }],
  deadLetter: null,
};

const sampleLine = /^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? \S+$/;

test("every line is one of the format, each family stands together, and the end is marked", () => {
  const lines = openMetricsText([status, { ...status, name: "q" }], beat).split("\n");
  expect(lines.splice(-2)).toEqual(["# EOF", ""]);
  let family = "";
  let kind = "";
  const families = new Set<string>();
  for (const line of lines) {
    const type = /^# TYPE (\w+) (counter|gauge)$/.exec(line);
    if (type !== null) {
      [, family = "", kind = ""] = type;
      expect(families.has(family)).toBe(false);
      families.add(family);
    } else if (!line.startsWith("# HELP ")) {
      expect(line).toMatch(sampleLine);
      expect(/^[a-z_]+/.exec(line)![0]).toBe(kind === "counter" ? `${family}_total` : family);
    }
  }
  expect(families.size).toBeGreaterThan(15);
});

test("counts are those of the status, ages those of the heartbeat", () => {
  const text = openMetricsText([status], beat);
  expect(text).toContain('{pipeline="p",branch="main",step="a \\"b\\" \\\\ \\n",reason="late"} 2\n');
  expect(text).toContain(
    'weir_source_dropped_records_total{pipeline="p",source="source",reason="overflow"} 4\n',
  );
  expect(text).toContain('weir_pipeline_watermark_age_seconds{pipeline="p",revision="r"} 5\n');
  expect(text).toContain('weir_pipeline_state_bytes{pipeline="p",revision="r"} 4096\n');
  expect(text).toContain('weir_source_lag_records{pipeline="p",source="source"} 3\n');
  expect(text).toContain('weir_source_deaf_seconds_total{pipeline="p",source="source"} 2.5\n');
  expect(text).toContain("weir_worker_resident_memory_bytes 90000000\n");
  // What is not known is not there.
  expect(text).not.toContain("weir_pipeline_true_rate");
});

test("a worker is well while it has not ended, and ready when all that it was given runs or is done", () => {
  const pipeline = beat.pipelines[0]!;
  const ready = (more: Partial<Heartbeat>): readonly string[] => readiness({ ...beat, ...more }).reasons;
  expect(
    ["starting", "running", "draining"].map((phase) => liveness({ phase: phase as "running" }).ok),
  ).toEqual([true, true, true]);
  expect(liveness({ phase: "failed" })).toEqual({ ok: false, reasons: ["the worker has failed"] });
  expect(ready({})).toEqual([]);
  expect(ready({ pipelines: [{ ...pipeline, phase: "stopped" }] })).toEqual([]);
  expect(ready({ phase: "draining" })).toEqual(["the worker is draining"]);
  expect(ready({ assignment: null })).toEqual(["it has not been told what to run"]);
  expect(ready({ pipelines: [{ ...pipeline, phase: "failed", fault: "no file\nmore" }] })).toEqual([
    "p@r is failed: no file",
  ]);
  expect(readinessTogether("running", [])).toEqual({ ok: true, reasons: [] });
  expect(readinessTogether("starting", []).reasons).toEqual(["the worker is starting"]);
  expect(readinessTogether("running", ["p: no file\nmore"]).reasons).toEqual(["p: no file"]);
});
