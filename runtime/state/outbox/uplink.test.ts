import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uplinkShares } from "./uplink-shares.ts";
import { type ToldUse, Uplinks, type UplinkShares } from "./uplinks.ts";
import { type UplinkBudget, uplinkRetry, uplinkRoom, useAt, wireBytes } from "./uplink.ts";

const day = 86_400_000;
const budget: UplinkBudget = { bytes: 24_000, every: day };

describe("a budget of 24,000 bytes a day", () => {
  test.each([
    // lane, hour of the day, bytes used, room
    ["alarm", 1, 30_000, Number.POSITIVE_INFINITY],
    ["live", 1, 0, 24_000],
    ["live", 1, 23_999, 1],
    ["live", 1, 24_000, 0],
    ["live", 23, 30_000, -6_000],
    ["backlog", 0, 0, 0],
    ["backlog", 6, 1_000, 5_000],
    ["backlog", 6, 8_000, -2_000],
    ["backlog", 23, 23_000, 0],
  ] as const)("%s at %i h with %i used: %d", (lane, hour, used, room) => {
    const use = { from: 10 * day, used };
    expect(uplinkRoom(lane, budget, use, 10 * day + hour * 3_600_000)).toBe(room);
  });

  test("is whole again when its day is over, and not because a clock went back", () => {
    const use = { from: 10 * day, used: 500 };
    expect(useAt(budget, use, 11 * day - 1)).toStrictEqual(use);
    expect(useAt(budget, use, 11 * day)).toStrictEqual({ from: 11 * day, used: 0 });
    expect(useAt(budget, use, 9 * day)).toStrictEqual(use);
    // Otherwise nothing would be sent until the wrong time comes.
    expect(useAt(budget, use, 8 * day + 5)).toStrictEqual({ from: 8 * day, used: 500 });
    expect(useAt(budget, null, 9 * day + 5)).toStrictEqual({ from: 9 * day, used: 0 });
  });

  test("leaves a live row's share to live rows, however much backlog is sent", () => {
    const use = fc.record({ from: fc.constant(0), used: fc.nat(30_000) });
    fc.assert(
      fc.property(use, fc.nat(day), (some, now) => {
        const backlog = uplinkRoom("backlog", budget, some, now);
        expect(backlog).toBeLessThanOrEqual(uplinkRoom("live", budget, some, now));
        if (backlog > 0) expect(some.used + backlog).toBeLessThanOrEqual(Math.ceil((24_000 * now) / day));
      }),
    );
  });

  test("has room when it said so, unless more was used meanwhile", () => {
    const use = fc.record({ from: fc.constant(0), used: fc.nat(23_000) });
    fc.assert(
      fc.property(use, fc.nat(day - 1), (some, now) => {
        if (uplinkRoom("backlog", budget, some, now) > 0) return;
        const retry = uplinkRetry("backlog", budget, some, now);
        expect(retry).toBeGreaterThan(now);
        expect(uplinkRoom("backlog", budget, useAt(budget, some, retry), retry + 4_000)).toBeGreaterThan(0);
      }),
    );
    expect(uplinkRetry("live", budget, { from: 0, used: 24_000 }, 5)).toBe(day);
  });
});

test("a clock that was far ahead and is set right makes nobody wait for more than a period", () => {
  const uplinks = new Uplinks(new Map([["cloud", budget]]));
  uplinks.spend("cloud", 24_000, 400 * day);
  expect(uplinks.room("cloud", "live", 10 * day).bytes).toBe(0);
  expect(uplinks.room("cloud", "live", 11 * day).bytes).toBe(24_000);
});

test("tells whether backlog waits for more of the period to pass", () => {
  const uplinks = new Uplinks(new Map([["cloud", budget]]));
  const holds = (now: number): boolean => uplinks.stats(now)[0]!.holdsBacklog;
  expect(holds(10 * day)).toBe(true);
  expect(holds(10 * day + 3_600_000)).toBe(false);
  uplinks.spend("cloud", 3_000, 10 * day + 3_600_000);
  expect([2, 3, 4].map((hours) => holds(10 * day + hours * 3_600_000))).toEqual([true, true, false]);
});

test("a row takes its bytes, its headers and what the protocol adds", () => {
  const row = { subject: "a.b", payload: new Uint8Array(10), caused: 1, rows: 1, headers: null };
  expect(wireBytes({ ...row, headers: { ab: "cde" } }) - wireBytes(row)).toBe(9);
  expect(wireBytes(row)).toBeGreaterThan(13);
});

describe("a budget of several folders", () => {
  /** What folders have told, and when. */
  class Board {
    readonly #told = new Map<number, { readonly at: number; readonly uses: ReadonlyMap<string, ToldUse> }>();

    of(folder: number): UplinkShares {
      return {
        tell: (uses, at) => void this.#told.set(folder, { at, uses }),
        look: (now) => {
          const others = [...this.#told].filter(([other]) => other !== folder);
          const use = others.flatMap(([, { at, uses }]) => {
            const told = uses.get("cloud");
            return told === undefined ? [] : [{ ...told, silent: now - at }];
          });
          return new Map([["cloud", use]]);
        },
      };
    }
  }

  const foldersOf = (count: number): readonly Uplinks[] => {
    const board = new Board();
    return Array.from(
      { length: count },
      (_, folder) => new Uplinks(new Map([["cloud", budget]]), board.of(folder)),
    );
  };

  test("is kept by all of them together, whoever sends when, and is used up", () => {
    const sends = fc.array(
      fc.record({ folder: fc.nat(4), part: fc.double({ min: 0, max: 1, noNaN: true }), wait: fc.nat(9_000) }),
      { minLength: 60, maxLength: 120 },
    );
    fc.assert(
      fc.property(sends, (all) => {
        const folders = foldersOf(5);
        let [now, used] = [10 * day, 0];
        for (const { folder, part, wait } of all) {
          now += wait;
          const { bytes, retry } = folders[folder]!.room("cloud", "live", now);
          if (bytes <= 0) expect(retry).toBeGreaterThan(now);
          const spent = Math.ceil(Math.max(0, bytes) * part);
          if (spent > 0) folders[folder]!.spend("cloud", spent, now);
          used += spent;
          folders[folder]!.written(now);
          expect(used).toBeLessThanOrEqual(budget.bytes);
        }
        // Whoever is left alone has all that is left.
        for (let look = 0; look < 60; look++) {
          now += 6_000;
          const { bytes } = folders[0]!.room("cloud", "live", now);
          folders[0]!.spend("cloud", Math.max(0, bytes), now);
          used += Math.max(0, bytes);
        }
        expect(used).toBeLessThanOrEqual(budget.bytes);
        expect(used).toBeGreaterThan(budget.bytes - folders.length);
      }),
      { numRuns: 200 },
    );
  });

  test("is told by files, and what is none of them is left out", () => {
    const state = mkdtempSync(join(tmpdir(), "weir-uplinks-"));
    for (const name of ["a", "b", "c"]) mkdirSync(join(state, name));
    writeFileSync(join(state, "c", "uplinks.json"), '{"at":1,"uses":{"cloud":["x"]}}');
    const [a, b] = ["a", "b"].map(
      (name) => new Uplinks(new Map([["cloud", budget]]), uplinkShares(join(state, name))),
    ) as [Uplinks, Uplinks];
    a.spend("cloud", 20_000, 10 * day);
    expect(a.room("cloud", "live", 10 * day).bytes).toBe(4_000);
    expect(b.room("cloud", "live", 10 * day + 6_000).bytes).toBe(2_000);
    expect(b.stats(10 * day + 6_000)).toMatchObject([{ used: 0, others: 20_000, left: 4_000 }]);
    // A new day for both, and nobody has more of it for being the first.
    expect(b.room("cloud", "live", 11 * day).bytes).toBe(12_000);
    expect(a.room("cloud", "live", 11 * day).bytes).toBe(6_000);
    expect(a.room("cloud", "live", 13 * day).bytes).toBe(24_000);
    rmSync(state, { recursive: true });
  });
});
