// Back-off, intensity, hang and escalation as tables and properties.

import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import {
  afterFailure,
  escalate,
  isDue,
  isGood,
  neverFailed,
  restartDelay,
  type RestartRecord,
  silence,
} from "./restart.ts";

test.each([
  { attempt: 0, jitter: 0, delay: 200 },
  { attempt: 1, jitter: 0, delay: 200 },
  { attempt: 1, jitter: 1, delay: 400 },
  { attempt: 3, jitter: 0.5, delay: 1200 },
  { attempt: 7, jitter: 1, delay: 25_600 },
  { attempt: 8, jitter: 1, delay: 30_000 },
  { attempt: 1000, jitter: 0, delay: 15_000 },
])("start $attempt with jitter $jitter waits $delay ms", ({ attempt, jitter, delay }) => {
  expect(restartDelay(attempt, jitter)).toBe(delay);
});

test("a delay is always within its bounds", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, jitter) => {
        const delay = restartDelay(attempt, jitter);
        expect(delay).toBeGreaterThanOrEqual(limits.restart_back_off_ms_min);
        expect(delay).toBeLessThanOrEqual(limits.restart_back_off_ms_max);
      },
    ),
  );
});

function failing(times: readonly number[]): { record: RestartRecord; exhausted: readonly boolean[] } {
  let record = neverFailed;
  const exhausted: boolean[] = [];
  for (const at of times) {
    const verdict = afterFailure(record, at, 0);
    record = verdict.record;
    exhausted.push(verdict.exhausted);
  }
  return { record, exhausted };
}

test("five failures within 30 s are too many, and ten in a row", () => {
  expect(failing([0, 1000, 2000, 3000, 4000]).exhausted).toEqual([false, false, false, false, true]);
  expect(failing([0, 10_000, 20_000, 30_000, 40_000, 50_000]).exhausted).not.toContain(true);
  expect(
    failing([0, 30_000, 60_000, 90_000, 120_000, 150_000, 180_000, 210_000, 240_000]).exhausted,
  ).not.toContain(true);
  expect(
    failing([0, 30_000, 60_000, 90_000, 120_000, 150_000, 180_000, 210_000, 240_000, 270_000]).exhausted.at(
      -1,
    ),
  ).toBe(true);
  expect(failing([0, 7_499, 14_998, 22_497, 29_996]).exhausted.at(-1)).toBe(true);
});

test("each failure waits longer than the one before, up to the longest", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(
    (count) => failing(Array.from({ length: count + 1 }, () => 0)).record.notBefore,
  );
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBe(15_000);
});

test("it is due at its time, and when the clock was put back", () => {
  const { record } = failing([1_000_000]);
  expect(isDue(record, 1_000_000)).toBe(false);
  expect(isDue(record, record.notBefore)).toBe(true);
  expect(isDue(record, 5)).toBe(true);
  expect(isDue(neverFailed, 0)).toBe(true);
});

test("good is what ran for long enough", () => {
  expect(isGood(0, limits.restart_good_ms - 1)).toBe(false);
  expect(isGood(0, limits.restart_good_ms)).toBe(true);
});

test.each([
  { since: 0, heard: null, late: 0, now: limits.worker_start_ms_max, silent: false },
  { since: 0, heard: null, late: 0, now: limits.worker_start_ms_max + 1, silent: true },
  { since: 0, heard: 500, starts: true, late: 0, now: limits.worker_start_ms_max, silent: false },
  { since: 0, heard: 500, starts: true, late: 0, now: limits.worker_start_ms_max + 1, silent: true },
  { since: 0, heard: 29_000, starts: true, late: 0, now: 32_000, silent: false },
  { since: 0, heard: 29_000, starts: true, late: 0, now: 32_001, silent: true },
  { since: 0, heard: 500, starts: true, late: 1_000, now: 33_000, silent: false },
  { since: 0, heard: 5_000, late: 0, now: 8_000, silent: false },
  { since: 0, heard: 5_000, late: 0, now: 8_001, silent: true },
  { since: 0, heard: 5_000, late: 1_000, now: 11_000, silent: false },
  { since: 0, heard: 5_000, late: 1_000, now: 11_001, silent: true },
  { since: 0, heard: 9_000, late: 0, now: 5_000, silent: false },
  { since: 0, heard: null, late: 0, slowness: 10, now: 10 * limits.worker_start_ms_max, silent: false },
  { since: 0, heard: null, late: 0, slowness: 10, now: 10 * limits.worker_start_ms_max + 1, silent: true },
  { since: 0, heard: 5_000, late: 1_000, slowness: 10, now: 38_000, silent: false },
  { since: 0, heard: 5_000, late: 1_000, slowness: 10, now: 38_001, silent: true },
])(
  "started at $since, heard at $heard, starting: $starts, looked at $late ms late, $slowness times as slow, at $now",
  ({ since, heard, starts = false, late, slowness = 1, now, silent }) => {
    expect(silence({ since, heard, starts, late, slowness }, now) > 0).toBe(silent);
  },
);

test.each([
  { of: ["old:1:1", "changed:2:1"], rollBack: "changed" },
  { of: ["old:1:1", "new:1"], quarantine: "new" },
  { of: ["old:1:1", "new:1", "changed:2:1"], apart: ["new", "changed"] },
  { of: ["old:1:1", "older:1:1"], apart: ["old", "older"] },
  { of: ["old:1:1"], whole: true },
  { of: [], whole: true },
])("of $of, what is new is blamed first", ({ of, ...expected }) => {
  const suspects = of.map((text) => {
    const [name = "", revision = "", good = null] = text.split(":");
    return { name, revision, good };
  });
  expect(escalate(suspects)).toEqual({
    apart: [],
    rollBack: null,
    quarantine: null,
    whole: false,
    ...expected,
  });
});
