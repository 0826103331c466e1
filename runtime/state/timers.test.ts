// Timers: what a map of keys and times says, in the order of time and key; and a heap that does not grow
// with how often a timer is set.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimerHeap } from "./timers.ts";

function due(timers: TimerHeap, until: number): [number, number][] {
  const visited: [number, number][] = [];
  timers.due(until, (key, time) => visited.push([time, key]));
  return visited;
}

describe("timers", () => {
  test("say what a map says", () => {
    const key = fc.oneof(fc.nat(5), fc.constantFrom(63, 64, 200));
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          key,
          time: fc.oneof(fc.integer({ min: -20, max: 60 }), fc.constant(Infinity)),
        }),
      },
      { weight: 1, arbitrary: fc.record({ clear: key }) },
      { weight: 1, arbitrary: fc.record({ until: fc.integer({ min: -30, max: 70 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const timers = new TimerHeap();
        const model = new Map<number, number>();
        for (const each of steps) {
          if ("clear" in each) {
            timers.clear(each.clear);
            model.delete(each.clear);
          } else if ("until" in each) {
            const expected = [...model]
              .filter(([, time]) => time <= each.until)
              .map(([k, time]) => [time, k] as const);
            expect(due(timers, each.until)).toEqual(expected.toSorted(([a, i], [b, j]) => a - b || i - j));
            for (const [, k] of expected) model.delete(k);
          } else {
            timers.set(each.key, each.time);
            if (each.time === Infinity) model.delete(each.key);
            else model.set(each.key, each.time);
          }
          for (const k of [0, 5, 63, 64, 200, 9999]) expect(timers.at(k)).toBe(model.get(k) ?? Infinity);
        }
        expect(due(timers, Number.MAX_VALUE)).toHaveLength(model.size);
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  test("a visit may set timers, and those that are due are visited as well", () => {
    const timers = new TimerHeap();
    timers.set(1, 10);
    const visited: [number, number][] = [];
    timers.due(25, (key, time) => {
      visited.push([time, key]);
      timers.set(key, time + 10);
      if (key === 1 && time === 10) timers.set(0, 10);
    });
    expect(visited).toEqual([
      [10, 1],
      [10, 0],
      [20, 0],
      [20, 1],
    ]);
    expect([timers.at(0), timers.at(1)]).toEqual([30, 30]);
  });

  test("setting one again and again takes no more room", () => {
    const timers = new TimerHeap();
    for (let time = 0; time < 100_000; time++) timers.set(time % 3, time);
    expect(timers.size).toBeLessThan(1_000);
    expect(due(timers, 1e9)).toEqual([
      [99_997, 1],
      [99_998, 2],
      [99_999, 0],
    ]);
  });
});
