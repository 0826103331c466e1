// How far event time has come, as tables: by records, by the clock where a source is silent or has no
// time of its own, and never back.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import type { TimeSpec } from "../pipeline/pipeline.ts";
import { WatermarkTracker } from "./watermark.ts";

const spec = (parts: Partial<TimeSpec> = {}): TimeSpec => ({
  field: "ts",
  unit: "ms",
  lateness: 0,
  idle: null,
  ahead: 1000,
  per: null,
  ...parts,
});

/** Of the only source there is. */
function trackerOf(time: TimeSpec | null): WatermarkTracker {
  return new WatermarkTracker([{ name: "source", time }]);
}

/** A batch as it enters: before each row, the largest time of those before it. */
function entered(times: readonly number[]): { readonly batch: Batch; readonly latest: number } {
  let latest = Number.NEGATIVE_INFINITY;
  const before = times.map((time) => {
    const largest = latest;
    latest = Math.max(latest, time);
    return largest;
  });
  const batch = makeBatch({
    schema: { fields: [], rest: null },
    columns: [],
    rows: times.length,
    time: Float64Array.from(times),
    watermark: Float64Array.from(before),
  });
  return { batch, latest };
}

function advance(tracker: WatermarkTracker, times: readonly number[], now = 0, input = 0): number[] {
  const { batch, latest } = entered(times);
  tracker.begin(now);
  tracker.advance([batch], { latest, moved: now, arrived: now }, input);
  return [...batch.watermark];
}

describe("by records", () => {
  test("each row is held to the largest time before it, less the lateness", () => {
    const tracker = trackerOf(spec({ lateness: 10 }));
    expect(tracker.current).toBe(Number.NEGATIVE_INFINITY);
    expect(advance(tracker, [100, 90, 130, 120])).toEqual([Number.NEGATIVE_INFINITY, 90, 90, 120]);
    expect(tracker.current).toBe(120);
    expect(advance(tracker, [50, 140, 141])).toEqual([120, 120, 130]);
    expect(tracker.current).toBe(131);
  });

  test("it is in whole ms, whatever parts of one times and the clock have", () => {
    const tracker = trackerOf(spec({ lateness: 10, idle: 5 }));
    expect(advance(tracker, [100.75, 111.5], 0.25)).toEqual([Number.NEGATIVE_INFINITY, 90]);
    expect(tracker.current).toBe(101);
    tracker.tick(9, null, 9);
    expect(tracker.current).toBe(109);
  });

  test("negative times are times", () => {
    const tracker = trackerOf(spec({ lateness: 1 }));
    expect(advance(tracker, [-5, -7])).toEqual([Number.NEGATIVE_INFINITY, -6]);
    expect(tracker.current).toBe(-6);
  });

  test("a run in which nothing entered changes nothing, and does not end a silence", () => {
    const tracker = trackerOf(spec({ idle: 10 }));
    advance(tracker, [100], 0);
    advance(tracker, [], 9);
    expect(tracker.current).toBe(100);
    tracker.tick(10);
    expect(tracker.current).toBe(110);
  });

  test("how a stream is cut into batches changes no row's watermark", () => {
    const time = fc.integer({ min: -20, max: 20 });
    fc.assert(
      fc.property(fc.array(fc.array(time)), fc.nat(5), (cut, lateness) => {
        const together = trackerOf(spec({ lateness }));
        const apart = trackerOf(spec({ lateness }));
        expect(cut.flatMap((times) => advance(apart, times))).toEqual(advance(together, cut.flat()));
        expect(apart.current).toBe(together.current);
      }),
      { seed: 2 },
    );
  });
});

describe("by the clock", () => {
  test.each([
    ["a source that may be silent for ever", null, 1_000_000, 100],
    ["not before its idle time", 50, 49, 100],
    ["from its idle time on", 50, 50, 150],
    ["as far as the clock has come since the last record", 50, 70, 170],
  ])("%s", (_name, idle, silent, expected) => {
    const tracker = trackerOf(spec({ idle }));
    advance(tracker, [100], 1_000);
    tracker.tick(1_000 + silent);
    expect(tracker.current).toBe(expected);
  });

  test("a silence before the first record leads nowhere", () => {
    const tracker = trackerOf(spec({ idle: 1 }));
    tracker.tick(1_000_000);
    expect(tracker.current).toBe(Number.NEGATIVE_INFINITY);
  });

  test("a record from before the silence does not take it back, and the next silence goes on from there", () => {
    const tracker = trackerOf(spec({ idle: 10 }));
    advance(tracker, [100], 0);
    tracker.tick(30);
    expect(tracker.current).toBe(130);
    expect(advance(tracker, [110], 31)).toEqual([130]);
    expect(tracker.current).toBe(130);
    tracker.tick(40);
    expect(tracker.current).toBe(130);
    tracker.tick(41);
    expect(tracker.current).toBe(140);
  });

  test("without a time field, time is the clock's", () => {
    const tracker = trackerOf(null);
    tracker.tick(70);
    expect(tracker.current).toBe(70);
    expect(advance(tracker, [80, 80], 80)).toEqual([70, 80]);
    tracker.tick(75);
    expect(tracker.current).toBe(80);
  });

  test("it never goes back", () => {
    const step = fc.oneof(
      fc.record({ times: fc.array(fc.integer({ min: -50, max: 50 })), after: fc.nat(30) }),
      fc.record({ after: fc.nat(30) }),
    );
    const specs = fc.constantFrom(null, spec(), spec({ idle: 5 }), spec({ idle: 5, lateness: 7 }));
    fc.assert(
      fc.property(specs, fc.array(step), (given, steps) => {
        const tracker = trackerOf(given);
        let now = 0;
        let before = tracker.current;
        for (const each of steps) {
          now += each.after;
          if ("times" in each) advance(tracker, each.times, now);
          else tracker.tick(now);
          expect(tracker.current).toBeGreaterThanOrEqual(before);
          before = tracker.current;
        }
      }),
      { seed: 4 },
    );
  });
});
