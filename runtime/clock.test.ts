// The clock of the system: times beyond what one of its timers takes, which would be over at once.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { wallClock } from "./clock.ts";

const day_ms = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a time of months passes before what waits for it", () => {
  const called: string[] = [];
  wallClock.after(100 * day_ms, () => void called.push("once"));
  const end = wallClock.every(60 * day_ms, () => void called.push("again"));
  vi.advanceTimersByTime(59 * day_ms);
  expect(called).toEqual([]);
  vi.advanceTimersByTime(71 * day_ms);
  expect(called).toEqual(["again", "once", "again"]);
  end();
  vi.advanceTimersByTime(100 * day_ms);
  expect(called).toHaveLength(3);
});

test("such a one can be called off at any time", () => {
  const called: string[] = [];
  const cancel = wallClock.after(100 * day_ms, () => void called.push("once"));
  vi.advanceTimersByTime(50 * day_ms);
  cancel();
  vi.advanceTimersByTime(100 * day_ms);
  expect(called).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
