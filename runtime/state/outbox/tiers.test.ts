// Which rows are condensed next, and which pieces go to the disk together: decisions without an outbox.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../limits.ts";
import { dropsFor } from "./keep-within.ts";
import { endOf, joined, type Piece } from "./piece.ts";
import { groupsToSpill } from "./spill.ts";
import { dueTier, isPastTiers, rangeOf } from "./tiers.ts";

function piece(first: number, values: Partial<Piece> = {}): Piece {
  const rest = { count: 10, rows: 10, bytes: 1_000, at: 0, until: 0, tier: 0, gap: 0, place: null };
  return { first, ...rest, block: new Uint8Array(0), ...values };
}

/** One behind the other, a second each. */
function line(count: number, values: Partial<Piece> = {}): readonly Piece[] {
  return Array.from({ length: count }, (_, place) =>
    piece(place * 10 + 1, { at: place * 1_000, until: place * 1_000 + 999, ...values }),
  );
}

const minute = 60_000;
const tiers = [
  { every: 0, keep: 10 * minute },
  { every: 10_000, keep: 60 * minute },
  { every: minute, keep: 600 * minute },
];

describe("what is condensed next", () => {
  const due = (pieces: readonly Piece[], now: number, isFull = false): string | null => {
    const found = dueTier(tiers, [{ chain: "a", pieces }], now, isFull);
    return found === null
      ? null
      : `${rangeOf(found.pieces).first}-${rangeOf(found.pieces).last} to ${found.every}`;
  };

  test("is what is older than its tier keeps, once it is of several times of the next", () => {
    expect(due(line(200), 10 * minute)).toBeNull();
    expect(due(line(200), 11 * minute)).toBeNull();
    expect(due(line(200), 10 * minute + 81_000)).toBe("1-810 to 10000");
    expect(due(line(200), 14 * minute)).toBe("1-2000 to 10000");
  });

  test("or once it waited for others in vain", () => {
    expect(due(line(2), 10 * minute + 5_000)).toBeNull();
    expect(due(line(2), 13 * minute)).toBe("1-20 to 10000");
  });

  test("or as much as is held in memory together", () => {
    const large = line(20, { bytes: limits.outbox_condense_bytes_max / 4 });
    expect(due(large, 10 * minute + 19_999)).toBe("1-40 to 10000");
  });

  test("goes tier by tier, and leaves the last one", () => {
    expect(due(line(200, { tier: 1 }), 20 * minute)).toBeNull();
    expect(due(line(600, { tier: 1 }), 70 * minute)).toBe("1-6000 to 60000");
    expect(due(line(600, { tier: 2 }), 700 * minute)).toBeNull();
  });

  test("stops where others lie between", () => {
    const pieces = line(300).map((each, place) => (place === 100 ? { ...each, tier: 1 } : each));
    expect(due(pieces, 20 * minute)).toBe("1-1000 to 10000");
  });

  test("comes before its time where there is no room, the finest first", () => {
    expect(due(line(200), 0, true)).toBe("1-2000 to 10000");
    expect(due(line(200, { tier: 1 }), 0, true)).toBe("1-2000 to 60000");
    expect(due(line(2), 0, true)).toBeNull();
    const both = [...line(100, { tier: 1 }), ...line(200).slice(100)];
    expect(due(both, 0, true)).toBe("1001-2000 to 10000");
  });

  test("is dropped at the end of the last tier", () => {
    const last = piece(1, { tier: 2, until: 0 });
    expect(isPastTiers(tiers, last, 600 * minute - 1)).toBe(false);
    expect(isPastTiers(tiers, last, 600 * minute)).toBe(true);
    expect(isPastTiers(tiers, { ...last, tier: 1 }, 600 * minute)).toBe(false);
    expect(isPastTiers([], last, 600 * minute)).toBe(false);
    // Of a time with more tiers.
    expect(isPastTiers(tiers.slice(0, 2), last, 600 * minute)).toBe(true);
  });
});

describe("what is dropped", () => {
  const chain = (
    name: string,
    rank: number,
    pieces: readonly Piece[],
  ): Parameters<typeof dropsFor>[1][number] => ({
    chain: name,
    rank,
    pieces,
  });
  const oldest = { bytes: 5_000, age: null, whenFull: "drop_oldest" } as const;

  test("is the oldest of those with the lowest rank, as much as is needed", () => {
    const drops = dropsFor(oldest, [chain("alarm", 0, line(5)), chain("live", -1, line(5))], 7_500, 0);
    expect(drops).toStrictEqual([{ kind: "drop", chain: "live", first: 1, last: 30, reason: "overflow" }]);
  });

  test("is nothing where others wait instead, or where there is room", () => {
    expect(dropsFor({ ...oldest, whenFull: "wait" }, [chain("live", 0, line(9))], 9_000, 0)).toStrictEqual(
      [],
    );
    expect(dropsFor(oldest, [chain("live", 0, line(5))], 5_000, 0)).toStrictEqual([]);
  });

  test("is what is too old in any case, and counts for the room", () => {
    const drops = dropsFor({ ...oldest, age: 10_000 }, [chain("live", 0, line(9))], 9_000, 12_999);
    expect(drops).toStrictEqual([
      { kind: "drop", chain: "live", first: 1, last: 30, reason: "expired" },
      { kind: "drop", chain: "live", first: 31, last: 70, reason: "overflow" },
    ]);
  });
});

describe("what goes to the disk together", () => {
  const stored = (first: number, bytes: number): Piece =>
    piece(first, { bytes, block: null, place: { file: 1, offset: first, length: bytes, rows: 10, skip: 0 } });

  test("is what follows each other, up to a frame", () => {
    const groups = groupsToSpill(line(5), 2_500);
    expect(groups.map((group) => group.map(({ first }) => first))).toStrictEqual([[1, 11], [21, 31], [41]]);
  });

  test("takes small frames along that lie right before", () => {
    const groups = groupsToSpill([stored(1, 4_000), stored(11, 800), stored(21, 900), piece(31)], 10_000);
    expect(groups.map((group) => group.map(({ first }) => first))).toStrictEqual([[11, 21, 31]]);
  });

  test("writes a row no more often than a binary counter turns over", () => {
    let pieces: Piece[] = [];
    let written = 0;
    for (let round = 0; round < 200; round++) {
      pieces.push(piece(round * 10 + 1));
      for (const group of groupsToSpill(pieces, limits.outbox_frame_bytes_max)) {
        const place = {
          file: 1,
          offset: round,
          length: 1,
          rows: group.reduce((sum, { count }) => sum + count, 0),
          skip: 0,
        };
        written += group.reduce((sum, { bytes }) => sum + bytes, 0);
        let skip = 0;
        for (const each of group) {
          each.place = { ...place, skip };
          each.block = null;
          skip += each.count;
        }
      }
      pieces = joined(pieces, []);
    }
    expect(pieces.length).toBeLessThan(9);
    expect(written).toBeLessThan(200 * 1_000 * 9);
  });

  test("is joined only within borders", () => {
    const frame = { file: 1, offset: 0, length: 100, rows: 30, skip: 0 };
    const parts = [0, 10, 20].map((skip) => piece(skip + 1, { block: null, place: { ...frame, skip } }));
    expect(joined(parts, []).map(({ count }) => count)).toStrictEqual([30]);
    expect(joined(parts, [10]).map(({ count }) => count)).toStrictEqual([10, 20]);
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (borders) => {
        const some = joined(parts, borders);
        expect(some.reduce((sum, { count }) => sum + count, 0)).toBe(30);
        for (const each of some.slice(0, -1)) expect(borders).toContain(endOf(each));
      }),
    );
  });
});
