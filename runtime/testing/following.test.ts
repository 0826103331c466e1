// What follows a window does not depend on how records are cut into batches either: its rows carry the
// time at which they were sent.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import { Harness, lawFaults } from "./harness.ts";
import type { Fields } from "./payload.ts";

const select = { n: "count()", temp: "last(temp)" };
const windows: readonly Fields[] = [
  { tumbling: "10ms", by: "device", select },
  { hopping: { size: "20ms", every: "5ms" }, by: "device", select },
  { tumbling: "20ms", emit: { early: "5ms" }, by: "device", select },
  { tumbling: "10ms", emit: { updates: "40ms" }, by: "device", select },
  { tumbling: "10ms", gaps: "last", by: "device", select },
  { session: { gap: "6ms" }, by: "device", select },
  { sliding: "30ms", by: "device", select },
  { count: { n: 3 }, by: "device", select },
  { state: { open: "temp > 3.0", close: "temp < -3.0" }, by: "device", select },
];
const followers: readonly Fields[] = [
  { absence: { for: "25ms", by: "device" } },
  { hold: { when: "temp > 0.0", for: "15ms", by: "device" } },
  { window: { tumbling: "40ms", by: "device", select: { rows: "count(n)" } } },
  { throttle: { every: "30ms", keep: "last", by: "device" } },
];

const record = fc.record({
  device: fc.constantFrom("a", "b", "c"),
  ts: fc.integer({ min: 0, max: 30 }),
  temp: fc.integer({ min: -8, max: 8 }),
});
/** Around a time that moves on. */
const records = fc
  .array(record, { maxLength: 60 })
  .map((all) => all.map((each, place) => ({ ...each, ts: each.ts + place * 4 })));

const cases = windows.flatMap((window) => followers.map((follower) => [window, follower] as const));

test.each(cases)("%j, then %j", (window, follower) => {
  const pipeline = {
    name: "following",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { device: "string", ts: "time", temp: "float64" },
      time: { field: "ts", lateness: "8ms" },
    },
    steps: [{ window }, follower, { sink: { stdout: {}, format: "json" } }],
    limits: { rate: "1000/s", memory: "8GiB" },
  };
  const content = JSON.stringify(pipeline);
  const { plan, diagnostics } = loadPipeline({ file: "following.yaml", content, catalogue: catalog });
  expect(diagnostics).toEqual([]);
  fc.assert(
    fc.property(records, (all) => {
      const [one, ...others] = [1, 2, 7, 1000].map((batchRows) => {
        const harness = new Harness(plan!, { batchRows });
        for (const each of all) harness.record(each);
        harness.finish();
        const counts = harness.counts();
        expect(lawFaults(counts)).toEqual([]);
        const ledger = counts[0]!.ledger.map((entry) => JSON.stringify(entry)).sort();
        return { rows: harness.rows(0), ledger };
      });
      for (const other of others) expect(other).toEqual(one);
    }),
    { seed: 41, numRuns: 12 },
  );
});
