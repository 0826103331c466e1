// The window against a model of a link: bytes pass one behind the other at its rate, and are answered for a delay later.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../limits.ts";
import { SendWindow } from "./send-window.ts";

interface Link {
  /** Bytes a ms. */
  readonly rate: number;
  /** From the last byte of an entry to its answer, ms. */
  readonly delay: number;
  readonly entryBytes: number;
}

interface Passed {
  /** Bytes that were answered for. */
  readonly bytes: number;
  /** The longest time from sending to answer, ms. */
  readonly longest: number;
}

/** What passes in a time, but for its beginning, which is not looked at; entries are there as many as the window lets go. */
function pass(
  window: SendWindow,
  { rate, delay, entryBytes }: Link,
  length_ms: number,
  beginning_ms = 0,
): Passed {
  const flying: { readonly number: number; readonly sent: number; readonly answered: number }[] = [];
  window.begin();
  let [now, free, number, longest, bytes] = [0, 0, 0, 0, 0];
  while (now < length_ms) {
    while (!window.isFull && flying.length < limits.sink_in_flight_max) {
      free = Math.max(free, now) + entryBytes / rate;
      flying.push({ number: ++number, sent: now, answered: free + delay });
      window.sent([{ number, bytes: entryBytes }], now);
    }
    const next = flying.shift()!;
    now = next.answered;
    window.answered(next.number, now);
    if (now < beginning_ms) continue;
    bytes += entryBytes;
    longest = Math.max(longest, now - next.sent);
  }
  return { bytes, longest };
}

const second = 1_000;

/** A minute and a half, or on a fast link until some hundreds of round trips have passed: most cases would be of those else. */
function lengthOf({ rate, delay, entryBytes }: Link): number {
  const entriesEach_ms = Math.min(rate / entryBytes, limits.sink_in_flight_max / delay);
  return Math.min(90 * second, 100_000 / entriesEach_ms);
}

describe("a chain with more to send than passes", () => {
  // From a modem's link to that of a data centre; a single entry passes within two seconds.
  const link = fc
    .record({
      rate: fc.double({ min: Math.log(2), max: Math.log(100_000), noNaN: true }).map(Math.exp),
      delay: fc.integer({ min: 1, max: 1_000 }),
      share: fc.double({ min: 0.001, max: 1, noNaN: true }),
    })
    .map(({ rate, delay, share }) => {
      const entryBytes = Math.ceil(Math.min(65_536, rate * 2 * second) * share);
      return { rate, delay, entryBytes };
    });

  it("waits for no answer as long as one is waited for, and leaves little of the link idle that entries may fill", () => {
    fc.assert(
      fc.property(link, (link) => {
        const window = new SendWindow();
        // The first window may be too much for a link as this, and is halved then.
        while (window.bytes > link.rate * 3 * second && window.bytes > limits.sink_window_bytes_min)
          window.silent();
        const length = lengthOf(link);
        const { bytes, longest } = pass(window, link, length, length / 3);
        expect(longest).toBeLessThan(limits.nats_request_ms_max);
        const flying = limits.sink_in_flight_max * link.entryBytes;
        const most = Math.min(link.rate, flying / (link.delay + flying / link.rate), flying / link.delay);
        const bounded = Math.min(most, limits.sink_in_flight_bytes_max / 2 / (link.delay + 1));
        expect(bytes / (length * (2 / 3))).toBeGreaterThan(bounded * 0.2);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

it("is as large as may be at once on a link that is fast", () => {
  const window = new SendWindow();
  pass(window, { rate: 100_000, delay: 1, entryBytes: 65_536 }, 200);
  expect(window.bytes).toBe(limits.sink_in_flight_bytes_max);
});

it("does not grow for a trickle, which tells nothing of a link", () => {
  const window = new SendWindow();
  for (let number = 1; number <= 1_000; number++) {
    window.sent([{ number, bytes: 50 }], number * 100);
    window.answered(number, number * 100 + 2);
  }
  expect(window.bytes).toBe(limits.sink_window_bytes_first);
});

it("begins anew where answers fail to come, with less each time, but one entry goes in any case", () => {
  const window = new SendWindow();
  pass(window, { rate: 100_000, delay: 1, entryBytes: 65_536 }, 200);
  window.silent();
  expect(window.bytes).toBe(limits.sink_window_bytes_first);
  window.silent();
  expect(window.bytes).toBe(limits.sink_window_bytes_first / 2);
  for (let times = 0; times < 20; times++) window.silent();
  expect(window.bytes).toBe(limits.sink_window_bytes_min);
  window.begin();
  expect(window.isFull).toBe(false);
});

it("lets one entry go where all was refused, until one is confirmed", () => {
  const window = new SendWindow();
  window.sent([{ number: 1, bytes: 50 }], 0);
  window.refused();
  for (let times = 0; times < 3; times++) {
    window.begin();
    expect([window.room, window.isFull]).toEqual([1, false]);
    window.sent([{ number: 1, bytes: 50 }], 0);
    expect([window.room, window.isFull]).toEqual([0, true]);
  }
  window.answered(1, 1);
  expect([window.room, window.isFull]).toEqual([limits.sink_window_bytes_first, false]);
});
