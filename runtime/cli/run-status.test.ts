// What weir status shows of pipelines without a supervisor.

import { expect, it } from "vitest";
import type { WorkerStatus } from "../worker/worker.ts";
import { droppedLines, runLines, summaryOf, throughText } from "./run-status.ts";
import { tableText } from "./table-text.ts";

function statusOf(name: string, records: number, out: number): WorkerStatus {
  const refused = [
    { step: "source", reason: "type" as const, records: 3 },
    { step: "1 filter", reason: "filtered" as const, records: 7 },
  ];
  const branch = { name: "main", in: records, out: 0, held: 0, ledger: refused, rows: 12 };
  const none = { inputs: [], metrics: [], steps: [], references: [] };
  return {
    name,
    pipeline: { name, watermark: 0, branches: [branch], ...none },
    sources: [{ name: "source", records, bytes: records * 100, dropped: {}, lag: null }],
    sinks: [{ branch: "main", rows: 12, bytes: out, pending: 1, dropped: {} }],
    deadLetter: null,
  };
}

it("shows what came, what went and how much less that is", () => {
  expect(runLines([statusOf("climate", 20_000, 50_000), statusOf("hall", 5, 0)])).toEqual([
    "PIPELINE  RECORDS  REFUSED  ROWS  PENDING  BYTES IN      OUT  REDUCTION",
    "climate    20,000        3    12        1    2.0 MB  50.0 kB        40×",
    "hall            5        3    12        1     500 B      0 B          –",
  ]);
  expect(throughText(statusOf("climate", 20_000, 50_000))).toBe("2.0 MB in, 50.0 kB out (40×)");
  expect(throughText(statusOf("hall", 5, 0))).toBe("500 B in, 0 B out");
  expect(throughText(statusOf("hall", 0, 500))).toBe("0 B in, 500 B out");
});

it("tells of rows that will never arrive, and why", () => {
  const hall = statusOf("hall", 5, 0);
  const lossy = { ...hall, sinks: [{ ...hall.sinks[0]!, dropped: { expired: 1_500, overflow: 2 } }] };
  expect(droppedLines([statusOf("climate", 1, 1), lossy])).toEqual([
    "hall: rows that were let go: expired 1,500, overflow 2",
  ]);
  const unread = { ...hall, sources: [{ ...hall.sources[0]!, dropped: { oversize: 1 } }] };
  expect(droppedLines([unread])).toEqual(["hall: source let go: oversize 1"]);
});

it("a run ends with the rows that never arrived as well", () => {
  const hall = statusOf("hall", 5, 0);
  const lossy = { ...hall, sinks: [{ ...hall.sinks[0]!, dropped: { oversize: 2, subject: 1 } }] };
  expect(summaryOf(hall)).not.toContain("let go");
  expect(summaryOf(lossy)).toMatch(/^hall: rows that were let go: oversize 2, subject 1; /);
});

it("puts texts to the left and amounts to the right", () => {
  const rows = [
    ["NAME", "FOR", "ROWS"],
    ["a", "1m 1s", "5"],
    ["b", "2s", "1,234"],
  ];
  expect(tableText(rows)).toEqual(["NAME  FOR     ROWS", "a     1m 1s      5", "b     2s     1,234"]);
});
