// What is said of a pipeline that waits.

import { describe, expect, test } from "vitest";
import type { HeldBack, InputState } from "./held-back.ts";
import { durationText, type PipelineWaiting, waitingText } from "./waiting.ts";

const now = Date.UTC(2026, 4, 4, 12, 0, 0);
const source: InputState = {
  name: "source",
  state: "holding",
  watermark: now - 30_000,
  latest: now - 26_000,
  arrived: now - 25_600,
  lateness_ms: 4_000,
  idle_ms: null,
};
const held = (by_ms: number | null, ...inputs: InputState[]): HeldBack => ({
  inputs,
  holder: { name: "door", since: now - 90_000, for_ms: 90_000, by_ms },
});
const waiting: PipelineWaiting = {
  now,
  watermark: now - 30_000,
  sources: held(null, source),
  refused: [],
  steps: [{ step: "2 window", held: 14, due: now + 60_000 }],
};

test.each([
  [0, "0ms"],
  [999, "999ms"],
  [1_500, "1.5s"],
  [60_000, "1m"],
  [3_840_000, "1h 4m"],
  [90_061_000, "1d 1h"],
])("%d ms is %s", (ms, text) => expect(durationText(ms)).toBe(text));

describe("in words", () => {
  test("a source that is silent", () => {
    expect(waitingText(waiting)).toEqual([
      "event time is 11:59:30.000Z, 30s behind the clock",
      "its source has come to 11:59:34.000Z, less a lateness of 4s; its last record came 25.6s ago",
      "  it is never idle: with `idle` in its `time`, silence would not hold windows open",
      "2 window holds 14 records; its next rows are due at 12:01:00.000Z: event time has 1m 30s to go",
    ]);
  });

  test("more rows than go at once", () => {
    const [step] = waiting.steps;
    const steps = [{ ...step!, due: waiting.watermark! - 1 }];
    expect(waitingText({ ...waiting, steps }).at(-1)).toBe(
      "2 window holds 14 records; its rows from 11:59:29.999Z on are due, more than go at once: they are sent as there is room for them",
    );
  });

  test.each([
    [now / 1e3, "; times 1000 it would be of these years: is `unit` in its `time` right?"],
    [now / 1e6, "; times 1000000 it would be of these years: is `unit` in its `time` right?"],
    // A recording of some time ago.
    [Date.UTC(2010, 0, 1), " behind the clock"],
  ])("a time that is written in another unit: %d", (watermark, said) => {
    const [first] = waitingText({ ...waiting, watermark });
    expect(first!.endsWith(said)).toBe(true);
  });

  test("records that could not enter", () => {
    const none = { ...source, latest: null, arrived: null, watermark: null };
    const refused = [{ step: "source", reason: "type" as const, records: 3 }];
    expect(
      waitingText({ ...waiting, watermark: null, sources: held(null, none), refused, steps: [] }),
    ).toEqual([
      "event time has not begun",
      "its source has sent no record that could enter",
      "3 records could not enter: type; the log says more of the first, and dead_letter of each",
      "nothing waits: no step holds a record",
    ]);
  });

  test("one of two sources", () => {
    const door = { ...source, name: "door", latest: null, arrived: null, watermark: null, idle_ms: 10_000 };
    const temp = { ...source, name: "temp", state: "ahead" as const };
    const text = waitingText({ ...waiting, watermark: null, sources: held(null, temp, door), steps: [] });
    expect(text).toEqual([
      "event time has not begun",
      "source temp has come to 11:59:34.000Z, less a lateness of 4s; its last record came 25.6s ago",
      "source door has sent no record yet: it holds event time back, for 1m 30s now",
      "nothing waits: no step holds a record",
    ]);
    const slow = { ...source, name: "door", idle_ms: 10_000, lateness_ms: 0 };
    expect(waitingText({ ...waiting, sources: held(2_000, slow, temp) })[1]).toBe(
      "source door has come to 11:59:34.000Z; its last record came 25.6s ago: it holds event time back by 2s, for 1m 30s now",
    );
  });

  test("a step that counts, and another day", () => {
    const steps = [{ step: "1 window", held: 1, due: null }];
    const idle = { ...source, latest: 0, idle_ms: 1000, state: "idle" as const };
    expect(waitingText({ ...waiting, watermark: now + 1000, sources: held(null, idle), steps })).toEqual([
      "event time is 12:00:01.000Z, 1s ahead of the clock",
      "its source has come to 1970-01-01T00:00:00.000Z, less a lateness of 4s; its last record came 25.6s ago, so it is idle",
      "1 window holds 1 record and waits for more of them, or for the end of the stream",
    ]);
  });
});
