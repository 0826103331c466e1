// What rows take on the wire, as messages tell it.

import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { Outbox } from "./outbox.ts";
import { WireAccount } from "./wire-account.ts";

test("rows are taken for what messages before took, and then for what their own did", () => {
  const account = new WireAccount();
  expect(account.estimate(1_000_000)).toBe(1_000_000);
  for (let number = 1; number <= 100; number++) expect(account.take(number, 10_000)).toBe(10_000);
  expect(account.wrote(100, 100_000)).toBe(-900_000);
  expect(account.estimate(1_000_000)).toBeLessThan(200_000);
  expect(account.wrote(100, 100_000)).toBe(0);
  account.take(101, 1_000_000);
  // Its message never was written, and it is taken again.
  expect(account.rewound()).toBe(account.estimate(1_000_000));
  expect(account.rewound()).toBe(0);
});

test("where nobody tells what messages take, rows stay what they were taken for", () => {
  const account = new WireAccount();
  account.take(1, 1_000);
  account.take(2, 1_000);
  account.confirmed(1);
  expect(account.rewound()).toBe(0);
  expect(account.estimate(1_000)).toBe(1_000);
});

describe("a budget", () => {
  const uplinks = new Map([["cloud", { bytes: 100_000, every: 3_600_000 }]]);
  const laneOf = () => ({ connection: "cloud", lane: "live" }) as const;
  const row = { subject: "to.all", payload: new Uint8Array(100), caused: 5, rows: 1, headers: null };

  test("is of what goes over the wire: rows that are packed to a fifth are five times as many", async () => {
    const clock = new VirtualClock(60_000);
    const outbox = await Outbox.open(new LossyDisk().process(), null, { clock, laneOf, uplinks });
    const alone = 100 + limits.uplink_row_bytes + "to.all".length;
    for (let count = 0; count < 5_000; count++) outbox.add("live", row);
    outbox.release(outbox.cut());
    let [written, taken, calls] = [0, 0, 0];
    outbox.waiting("live", () => calls++);
    for (;;) {
      const entries = await outbox.take("live", 100_000, 1e9);
      const last = entries.at(-1);
      if (last === undefined) break;
      taken += entries.length;
      const bytes = Math.round((entries.length * alone) / 5);
      written += bytes;
      outbox.turns.wrote("live", last.number, bytes);
    }
    const { used, left } = outbox.stats().uplinks[0]!;
    expect(used).toBe(written);
    expect(left).toBe(0);
    expect(written).toBeLessThan(100_000 + alone);
    expect(taken).toBeGreaterThan((4 * 100_000) / alone);
    expect(calls).toBe(0);
  });

  test("of which some is left again is told to whoever waits for it", async () => {
    const clock = new VirtualClock(60_000);
    const outbox = await Outbox.open(new LossyDisk().process(), null, { clock, laneOf, uplinks });
    for (const chain of ["one", "other"]) for (let count = 0; count < 1_000; count++) outbox.add(chain, row);
    outbox.release(outbox.cut());
    const entries = await outbox.take("one", 1_000, 1e9);
    let calls = 0;
    outbox.waiting("other", () => calls++);
    expect(await outbox.take("other", 1_000, 1e9)).toStrictEqual([]);
    outbox.turns.wrote("one", entries.at(-1)!.number, 10_000);
    expect(calls).toBe(1);
    expect((await outbox.take("other", 1_000, 1e9)).length).toBeGreaterThan(200);
  });
});
