// What a record out of its time may do, told as stories: a late one is in every window that is still open,
// and one from the far future takes nothing from anybody.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import { Harness } from "./harness.ts";
import { runTest } from "./pipeline-tests.ts";

function faultsOf(content: string): string[] {
  const { plan, diagnostics } = loadPipeline({ file: "story.yaml", content, catalogue: catalog });
  expect(diagnostics).toEqual([]);
  expect(plan!.spec.tests.length).toBeGreaterThan(0);
  return plan!.spec.tests.flatMap((each) =>
    [1, 2, 1000].flatMap((batchRows) => runTest(plan!, each, batchRows).faults),
  );
}

test("a record that is late for a tumbling window counts in the hopping one that is still open", () => {
  expect(
    faultsOf(`
name: late
source:
  nats: { subject: "sensors.*" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts }
steps:
  - branch:
      tumbling:
        - window: { tumbling: 1m, select: { n: count() } }
        - sink: { stdout: {}, format: json }
      hopping:
        - window: { hopping: { size: 5m, every: 1m }, select: { n: count() } }
        - sink: { stdout: {}, format: json }
tests:
  - name: at 3m30s a record of 2m30s comes
    input:
      - { ts: 2m10s }
      - { ts: 3m30s }
      - { ts: 2m30s }
    expect:
      tumbling:
        - { window_start: 2m, n: 1 }
        - { window_start: 3m, n: 1 }
      hopping:
        - { window_end: 3m, n: 1 }
        - { window_end: 4m, n: 3 }
        - { window_end: 5m, n: 3 }
        - { window_end: 6m, n: 3 }
        - { window_end: 7m, n: 3 }
        - { window_end: 8m, n: 1 }
`),
  ).toEqual([]);
});

test("a device ten years ahead loses no record of another", () => {
  expect(
    faultsOf(`
name: ahead
source:
  nats: { subject: "sensors.{device}" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, lateness: 10s }
steps:
  - window: { tumbling: 1m, by: device, select: { n: count() } }
  - sink: { stdout: {}, format: json }
tests:
  - name: its record is refused, and time goes on as it was
    input:
      - { subject: sensors.a, record: { ts: 5s } }
      - { subject: sensors.b, record: { ts: 3650d } }
      - { subject: sensors.a, record: { ts: 6s } }
      - { subject: sensors.b, record: { ts: 7s } }
      - { subject: sensors.a, record: { ts: 1m9s } }
      - { subject: sensors.a, record: { ts: 59s } }
    expect:
      main:
        - { device: a, window_start: 0s, n: 3 }
        - { device: b, window_start: 0s, n: 1 }
        - { device: a, window_start: 1m, n: 1 }
    dead_letter: 1
`),
  ).toEqual([]);
});

test("a window's row is late for no step behind it, where the clock of a silent source stands in the last ms before its end", () => {
  const { plan, diagnostics } = loadPipeline({
    file: "story.yaml",
    content: `
name: silent
source:
  nats: { subject: "sensors.*" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, idle: 10ms }
limits: { rate: 100/s }
steps:
  - window: { tumbling: 100ms, select: { warm: max(temp) } }
  - align: { inputs: { warm: warm > 20, cold: warm <= 20 }, age: 1m, select: { warm: warm.warm } }
  - sink: { stdout: {}, format: json }
`,
    catalogue: catalog,
  });
  expect(diagnostics).toEqual([]);
  const harness = new Harness(plan!);
  harness.record({ ts: 40, temp: 21 });
  harness.pause(59.5);
  harness.pause(60);
  expect(harness.rows(0)).toEqual([{ time: 99, warm: 21 }]);
});
