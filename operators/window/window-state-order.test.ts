// What steps see that follow a state window: the same, however records are cut into batches.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readings, run } from "../signal/stream.fixture.ts";
import { window } from "./window.ts";

test("a window behind one that a record closes gives the same rows however records are cut", () => {
  let rows = 0;
  fc.assert(
    fc.property(fc.constantFrom(0, 15), readings(), (lateness, all) => {
      const steps = [
        [window, { state: { open: "x > 0.0", close: "x < 0.0" }, by: "key", select: { n: "count()" } }],
        [window, { tumbling: "10ms", by: "key", select: { windows: "count()" } }],
      ] as const;
      const result = run({ steps, lateness }, all);
      expect(result.held).toBe(0);
      rows += result.rows.length;
    }),
    { seed: 3, numRuns: 60 },
  );
  expect(rows).toBeGreaterThan(100);
});
