// A key that is forgotten: what is open of it is sent as at the end of the stream, and nothing of it is left.

import { expect, test } from "vitest";
import type { OperatorDefinition, PartTable } from "weir/sdk";
import { Harness, lawFaults } from "weir/testing";
import { window } from "./window.ts";
import { type Fields, planOfWindows } from "./windows.fixture.ts";

const records: readonly Fields[] = [
  { key: "a", ts: 0, x: 9 },
  { key: "b", ts: 1, x: 9 },
  { key: "a", ts: 4, x: 1 },
  { key: "b", ts: 5, x: 2 },
  { key: "a", ts: 12, x: 9 },
  { key: "b", ts: 13, x: 3 },
];

let parts: PartTable;

/** `window`, which forgets the first key when the stream has ended, before it ends itself. */
const forgetful: OperatorDefinition = {
  ...window,
  create(config, context) {
    const operator = window.create(config, context);
    parts = Object.values(context.state).find((each) => "waiting" in each)!;
    return {
      onBatch: (batch, out) => operator.onBatch(batch, out),
      onWatermark(time, out) {
        if (time === Number.POSITIVE_INFINITY) {
          operator.onForget!(parts.keys, 0, out);
          const waiting: number[] = [];
          parts.waiting.take(
            () => true,
            (slot) => waiting.push(parts.cells[2]![slot]!),
          );
          expect(waiting).not.toContain(0);
          expect(parts.timers.at(0)).toBe(Number.POSITIVE_INFINITY);
          expect(parts.list(0, 0)).toEqual([]);
        }
        operator.onWatermark!(time, out);
      },
    };
  },
};

function run(definition: OperatorDefinition, settings: Fields, lateness: string): readonly Fields[] {
  const step = { ...settings, by: "key", select: { n: "count()", sum: "sum(x)" } };
  const plan = planOfWindows([step], lateness, definition);
  const harness = new Harness(plan, { batchRows: 4 });
  for (const record of records) harness.record(record);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness.rows(0).filter(({ key }) => key === "a");
}

test.each<[string, Fields, string]>([
  ["session", { session: { gap: "5ms" } }, "0ms"],
  ["session, early", { session: { gap: "20ms" }, emit: { early: "1s" } }, "0ms"],
  ["session, updates", { session: { gap: "5ms" }, emit: { updates: "1h" } }, "3ms"],
  ["count", { count: { n: 2 } }, "0ms"],
  ["count, overlapping", { count: { n: 4, every: 2 } }, "0ms"],
  ["sliding", { sliding: "10ms" }, "20ms"],
  ["state", { state: { open: "x > 8.0", close: "x < 0.0" } }, "20ms"],
])("%s", (_kind, settings, lateness) => {
  const forgotten = run(forgetful, settings, lateness);
  expect(forgotten.length).toBeGreaterThan(0);
  const ended = run(window, settings, lateness);
  // What would have been sent early is not sent any more.
  expect(forgotten).toEqual(ended.filter((row) => row["window_final"] !== false));
});
