// Lanes and budgets as whoever sends sees them.

import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "./entry.ts";
import { type ChainLane, yields } from "./lanes.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";

const laneOf = (chain: string): ChainLane => ({
  connection: chain.split("/")[0]!,
  lane: chain.endsWith("alarm") ? "alarm" : "live",
});

function row(bytes = 10): Parameters<Outbox["add"]>[1] {
  return { subject: "to.all", payload: new Uint8Array(bytes), caused: 5, rows: 1, headers: null };
}

/** A minute after the epoch. */
const start = 60_000;

async function open(clock: VirtualClock, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  return Outbox.open(new LossyDisk().process(), null, { clock, laneOf, ...options });
}

function commit(outbox: Outbox): void {
  outbox.release(outbox.cut());
}

const numbersOf = (entries: readonly Entry[]): readonly number[] => entries.map(({ number }) => number);

describe("lanes", () => {
  test("alarms are taken before live rows of their connection, which are called then", async () => {
    const outbox = await open(new VirtualClock(start));
    let called = 0;
    outbox.waiting("cloud/live", () => called++);
    for (let count = 0; count < 3; count++) outbox.add("cloud/live", row());
    for (let count = 0; count < 3; count++) outbox.add("cloud/alarm", row());
    outbox.add("other/live", row());
    commit(outbox);
    called = 0;
    expect(await outbox.take("cloud/live", 10, 1_000)).toStrictEqual([]);
    expect(numbersOf(await outbox.take("other/live", 10, 1_000))).toStrictEqual([1]);
    expect(numbersOf(await outbox.take("cloud/alarm", 2, 1_000))).toStrictEqual([1, 2]);
    expect(await outbox.take("cloud/live", 10, 1_000)).toStrictEqual([]);
    expect(called).toBe(0);
    expect(numbersOf(await outbox.take("cloud/alarm", 2, 1_000))).toStrictEqual([3]);
    expect(called).toBe(1);
    expect(numbersOf(await outbox.take("cloud/live", 10, 1_000))).toStrictEqual([1, 2, 3]);
  });

  test("nobody waits for alarms that nobody takes", async () => {
    const clock = new VirtualClock(start);
    const outbox = await open(clock);
    let called = 0;
    outbox.waiting("cloud/live", () => called++);
    outbox.add("cloud/live", row());
    outbox.add("cloud/alarm", row());
    commit(outbox);
    called = 0;
    expect(await outbox.take("cloud/live", 10, 1_000)).toStrictEqual([]);
    clock.advanceTo(start + limits.outbox_turn_ms);
    expect(called).toBe(1);
    expect(numbersOf(await outbox.take("cloud/live", 10, 1_000))).toStrictEqual([1]);
  });

  test("what waits too long is backlog, marked, and new rows go before it", async () => {
    const clock = new VirtualClock(start);
    const outbox = await open(clock, { backlogAfter: 60_000 });
    for (let count = 0; count < 4; count++) {
      outbox.add("cloud/live", row());
      commit(outbox);
    }
    expect(numbersOf(await outbox.take("cloud/live", 1, 1_000))).toStrictEqual([1]);
    clock.advanceTo(start + 60_000);
    expect(outbox.uncutBytes).toBe(1);
    outbox.add("cloud/live", row());
    commit(outbox);
    commit(outbox);
    expect(outbox.chain("cloud/live.backlog")).toMatchObject({ last: 3, confirmed: 0, oldest: 1 });
    expect(await outbox.take("cloud/live.backlog", 10, 1_000)).toStrictEqual([]);
    const live = await outbox.take("cloud/live", 10, 1_000);
    expect(live).toMatchObject([{ number: 5, skipped: 3, row: { headers: { "Weir-Skipped": "3" } } }]);
    const backlog = await outbox.take("cloud/live.backlog", 10, 1_000);
    expect(numbersOf(backlog)).toStrictEqual([1, 2, 3]);
    expect(backlog[0]!.row.headers).toStrictEqual({ "Weir-Lane": "backlog" });
    expect(() => outbox.add("cloud/live.backlog", row())).toThrow("takes only what waited too long");
  });

  test("backlog on its way is little, and goes on as it arrives", async () => {
    const clock = new VirtualClock(start);
    const outbox = await open(clock, { backlogAfter: 1_000 });
    for (let count = 0; count < 10; count++) {
      outbox.add("cloud/live", row(50_000));
      commit(outbox);
    }
    clock.advanceTo(start + 60_000);
    commit(outbox);
    commit(outbox);
    let called = 0;
    outbox.waiting("cloud/live.backlog", () => called++);
    const first = await outbox.take("cloud/live.backlog", 100, 10_000_000);
    expect(first).toHaveLength(6);
    expect(await outbox.take("cloud/live.backlog", 100, 10_000_000)).toStrictEqual([]);
    outbox.confirm("cloud/live.backlog", 6);
    expect(called).toBe(1);
    expect(numbersOf(await outbox.take("cloud/live.backlog", 100, 10_000_000))).toStrictEqual([7, 8, 9, 10]);
  });

  test("a chain yields to the more urgent one that is taken from, for a while only", () => {
    const alarm = { lane: "alarm", waits: true, since: 100 } as const;
    expect(yields("live", [alarm], 100)).toBe(true);
    expect(yields("live", [{ ...alarm, waits: false }], 100)).toBe(false);
    expect(yields("alarm", [alarm, { ...alarm, lane: "live" }], 100)).toBe(false);
    expect(yields("backlog", [{ ...alarm, lane: "live" }], 100)).toBe(true);
    expect(yields("live", [alarm], 100 + limits.outbox_turn_ms)).toBe(false);
    // Nor for as long as a clock was set back.
    expect(yields("live", [alarm], -1)).toBe(false);
  });
});

test("chains that take at the same moment keep to their connection's budget together", async () => {
  const uplinks = new Map([["cloud", { bytes: 10_000, every: 3_600_000 }]]);
  const clock = new VirtualClock(start);
  const outbox = await open(clock, { uplinks });
  const chains = ["cloud/a", "cloud/b", "cloud/c"];
  for (const chain of chains) for (let count = 0; count < 100; count++) outbox.add(chain, row(100));
  commit(outbox);
  const taken = new Map(chains.map((chain) => [chain, 0]));
  const takeAll = async (): Promise<void> => {
    const found = await Promise.all(chains.map((chain) => outbox.take(chain, 100, 1_000_000)));
    for (const [place, entries] of found.entries()) {
      const chain = chains[place]!;
      taken.set(chain, taken.get(chain)! + entries.length);
    }
  };
  for (let count = 1; count <= 5; count++) {
    await takeAll();
    clock.advanceTo(start + count * limits.outbox_turn_ms);
  }
  const { used, bytes } = outbox.stats().uplinks[0]!;
  const oneRow = 100 + limits.uplink_row_bytes + "to.all".length;
  expect(used).toBeLessThan(bytes + oneRow);
  expect(used).toBeGreaterThan(bytes - oneRow);
});

describe("a budget", () => {
  const uplinks = new Map([["cloud", { bytes: 1_000, every: 3_600_000 }]]);

  test("holds live rows back until it is whole again, and never alarms", async () => {
    const clock = new VirtualClock(start);
    const outbox = await open(clock, { uplinks });
    for (let count = 0; count < 6; count++) outbox.add("cloud/live", row(50));
    commit(outbox);
    let called = 0;
    outbox.waiting("cloud/live", () => called++);
    expect(await outbox.take("cloud/live", 3, 10_000)).toHaveLength(3);
    expect(await outbox.take("cloud/live", 3, 10_000)).toHaveLength(1);
    outbox.add("cloud/live", row(50));
    outbox.add("cloud/alarm", row(50));
    commit(outbox);
    expect(await outbox.take("cloud/alarm", 9, 10_000)).toHaveLength(1);
    expect(await outbox.take("cloud/live", 9, 10_000)).toStrictEqual([]);
    const [figures] = outbox.stats().uplinks;
    expect(figures).toMatchObject({ connection: "cloud", bytes: 1_000, left: 0, until: 3_600_000 });
    expect(figures!.used).toBeGreaterThan(1_000);
    called = 0;
    clock.advanceTo(3_600_000);
    expect(called).toBe(1);
    expect(await outbox.take("cloud/live", 9, 10_000)).toHaveLength(3);
  });

  test("is for all that goes over the wire, so that small rows take no more than it", async () => {
    const rowBytes = 300;
    const some = new Map([["cloud", { bytes: 20_000, every: 3_600_000 }]]);
    const named = (chain: string): ChainLane => ({ ...laneOf(chain), rowBytes });
    const outbox = await open(new VirtualClock(start), { uplinks: some, laneOf: named });
    for (let count = 0; count < 1_000; count++) outbox.add("cloud/live", row(1));
    commit(outbox);
    const taken = await outbox.take("cloud/live", 1_000, 1_000_000);
    const { used, bytes } = outbox.stats().uplinks[0]!;
    expect(used).toBe(taken.length * (rowBytes + "to.all".length + 1));
    expect(used).toBeGreaterThanOrEqual(bytes);
    expect(used - bytes).toBeLessThan(rowBytes + 10);
  });

  test("is remembered by commits and snapshots", async () => {
    const clock = new VirtualClock(start);
    const disk = new LossyDisk();
    const large = new Map([["cloud", { bytes: 1_000_000, every: 3_600_000 }]]);
    const options = { clock, laneOf, uplinks: large };
    const outbox = await Outbox.open(disk.process(), null, options);
    outbox.add("cloud/live", row(100_000));
    const first = outbox.cut();
    outbox.release(first);
    await outbox.take("cloud/live", 1, 10_000_000);
    expect(outbox.uncutBytes).toBe(1);
    const second = outbox.cut();
    outbox.release(second);
    expect(outbox.uncutBytes).toBe(0);
    const { used } = outbox.stats().uplinks[0]!;
    const byFrames = await Outbox.open(disk.process(), null, options);
    for (const { frame } of [first, second]) byFrames.replay(frame);
    const bySnapshot = await Outbox.open(disk.process(), await outbox.manifest(), options);
    expect([byFrames, bySnapshot].map((each) => each.stats().uplinks[0]!.used)).toStrictEqual([used, used]);
  });
});
