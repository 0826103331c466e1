// How far event time has come where there are several sources: as far as the one furthest behind, held to
// the definition over everything that happened; and which of them that is.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../batch/batch.ts";
import { heldBack } from "./held-back.ts";
import { WatermarkTracker } from "./watermark.ts";

const never = Number.NEGATIVE_INFINITY;

type Setting = readonly [name: string, lateness: number, idle: number | null];

function trackerOf(...settings: readonly Setting[]): WatermarkTracker {
  return new WatermarkTracker(
    settings.map(([name, lateness, idle]) => ({
      name,
      time: { field: "ts", unit: "ms", lateness, idle, ahead: 1000, per: null },
    })),
  );
}

interface Arrival {
  readonly time: number;
  readonly at: number;
}

/** Records of one source as one batch; answers with the watermark in force at each. */
function put(tracker: WatermarkTracker, input: number, rows: readonly Arrival[]): number[] {
  let latest = never;
  let moved = never;
  const before = rows.map(({ time, at }) => {
    const largest = latest;
    if (time > latest) {
      latest = time;
      moved = at;
    }
    return largest;
  });
  const batch = makeBatch({
    schema: { fields: [], rest: null },
    columns: [],
    rows: rows.length,
    time: Float64Array.from(rows, ({ time }) => time),
    watermark: Float64Array.from(before),
  });
  tracker.begin(rows[0]!.at);
  tracker.advance([batch], { latest, moved, arrived: rows.at(-1)!.at }, input);
  return [...batch.watermark];
}

describe("two sources", () => {
  test("time has come as far as the one behind, each less its own lateness", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 10, null]);
    expect(put(tracker, 0, [{ time: 100, at: 0 }])).toEqual([never]);
    expect(tracker.current).toBe(never);
    expect(
      put(tracker, 1, [
        { time: 60, at: 1 },
        { time: 70, at: 1 },
      ]),
    ).toEqual([never, 50]);
    expect(tracker.current).toBe(60);
    expect(
      put(tracker, 1, [
        { time: 200, at: 2 },
        { time: 201, at: 2 },
      ]),
    ).toEqual([60, 100]);
    expect(tracker.current).toBe(100);
  });

  test("one that is silent for its idle time holds back no more, and holds again from its next record on", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 0, 50]);
    put(tracker, 1, [{ time: 10, at: 0 }]);
    put(tracker, 0, [{ time: 100, at: 40 }]);
    tracker.tick(49, 1);
    expect(tracker.current).toBe(10);
    tracker.tick(50, 1);
    expect(tracker.current).toBe(100);
    expect(put(tracker, 1, [{ time: 20, at: 60 }])).toEqual([100]);
    put(tracker, 0, [{ time: 300, at: 61 }]);
    expect(tracker.current).toBe(100);
  });

  test("one that never sent a record is silent from the start", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 0, 50]);
    put(tracker, 0, [{ time: 100, at: 1_000 }]);
    tracker.tick(1_049, 1);
    expect(tracker.current).toBe(never);
    tracker.tick(1_050, 1);
    expect(tracker.current).toBe(100);
  });

  test("what waits to be read is no silence: only the source itself can be found silent", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 0, 50]);
    put(tracker, 1, [{ time: 10, at: 0 }]);
    put(tracker, 0, [{ time: 100, at: 1_000 }]);
    tracker.tick(2_000, 0);
    expect(tracker.current).toBe(10);
  });

  test("while all are silent the clock carries time on from the furthest, whichever fell silent first", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const tracker = trackerOf(["a", 0, 50], ["b", 0, 50]);
      put(tracker, 0, [{ time: 100, at: 0 }]);
      put(tracker, 1, [{ time: 500, at: 0 }]);
      for (const input of order) tracker.tick(60, input);
      expect(tracker.current).toBe(560);
    }
  });

  test("one that has ended holds back no more", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 0, null]);
    put(tracker, 0, [{ time: 100, at: 0 }]);
    tracker.end(1, 1);
    expect(tracker.current).toBe(100);
    put(tracker, 0, [{ time: 200, at: 2 }]);
    expect(tracker.current).toBe(200);
  });

  test("once one has ended and the other is silent, the clock carries time on", () => {
    const tracker = trackerOf(["a", 0, null], ["b", 0, 50]);
    put(tracker, 0, [{ time: 100, at: 0 }]);
    tracker.end(10, 0);
    tracker.tick(49, 1);
    expect(tracker.current).toBe(never);
    tracker.tick(70, 1);
    expect(tracker.current).toBe(170);
  });

  test("time of the clock is held back by none", () => {
    const tracker = new WatermarkTracker([
      { name: "a", time: null },
      { name: "b", time: null },
    ]);
    expect(put(tracker, 0, [{ time: 5, at: 5 }])).toEqual([never]);
    expect(put(tracker, 1, [{ time: 7, at: 7 }])).toEqual([5]);
    tracker.tick(9, 0);
    expect(tracker.current).toBe(9);
    expect(heldBack(tracker.inputs, 9).holder).toBeNull();
  });
});

describe("a clock that is set", () => {
  const hour = 3_600_000;

  test.each([-hour, hour])("by %i ms ends no silence and begins none", (set) => {
    const tracker = trackerOf(["a", 0, 50], ["b", 0, 50]);
    put(tracker, 0, [{ time: 100, at: 10_000 }]);
    put(tracker, 1, [{ time: 900, at: 10_020 }]);
    tracker.tick(10_040 + set, null, 10_040);
    expect(tracker.current).toBe(100);
    tracker.tick(10_049 + set, 0, 10_049);
    expect(tracker.current).toBe(100);
    tracker.tick(10_050 + set, 0, 10_050);
    expect(tracker.current).toBe(900);
    tracker.tick(10_075 + set, 1, 10_075);
    expect(tracker.current).toBe(955);
  });

  test("is what time is for a source that has none of its own", () => {
    const tracker = new WatermarkTracker([{ name: "a", time: null }]);
    tracker.tick(5_010 + hour, null, 5_010);
    expect(tracker.current).toBe(5_010 + hour);
  });
});

describe("which source holds time back", () => {
  const tracker = trackerOf(["a", 5, null], ["b", 0, 50], ["c", 0, null], ["d", 0, 50]);
  put(tracker, 0, [{ time: 1_000, at: 0 }]);
  put(tracker, 1, [
    { time: 100, at: 10 },
    { time: 90, at: 20 },
  ]);
  put(tracker, 2, [{ time: 9, at: 20 }]);
  tracker.end(25, 2);
  tracker.tick(30, 1);
  tracker.tick(55, 3);

  test("is told with since when and by how much", () => {
    expect(heldBack(tracker.inputs, 60)).toMatchObject({
      inputs: [
        { name: "a", state: "ahead", watermark: 995, latest: 1_000, arrived: 0 },
        { name: "b", state: "holding", watermark: 100, latest: 100, arrived: 20 },
        { name: "c", state: "ended", watermark: 9, latest: 9, arrived: 20 },
        { name: "d", state: "idle", watermark: null, latest: null, arrived: null },
      ],
      holder: { name: "b", since: 10, for_ms: 50, by_ms: 895 },
    });
  });

  test("is none when it alone goes on, and unknown by how much", () => {
    tracker.tick(80, 1);
    expect(heldBack(tracker.inputs, 80).holder).toEqual({ name: "a", since: 0, for_ms: 80, by_ms: null });
    tracker.end(81, 0);
    expect(heldBack(tracker.inputs, 90).holder).toBeNull();
  });

  test("is one that never sent anything, since the start", () => {
    const fresh = trackerOf(["a", 0, null], ["b", 0, null]);
    put(fresh, 0, [{ time: 1, at: 7 }]);
    expect(heldBack(fresh.inputs, 10).holder).toEqual({ name: "b", since: 7, for_ms: 3, by_ms: null });
  });
});

type Happening =
  | { readonly kind: "row"; readonly input: number; readonly time: number; readonly at: number }
  | { readonly kind: "tick"; readonly input: number; readonly at: number }
  | { readonly kind: "end"; readonly input: number; readonly at: number };

/** The watermark after each happening, each time from all that happened so far. */
function defined(settings: readonly Setting[], happened: readonly Happening[]): number[] {
  const after: number[] = [];
  const reached = settings.map(() => never);
  happened.forEach(({ kind, input, at: now }, place) => {
    const states = settings.map(([, lateness, idle], which) => {
      const past = happened.slice(0, place + 1);
      const own = past.filter((each) => each.input === which);
      const rows = own.flatMap((each) => (each.kind === "row" ? [each] : []));
      const ended = own.some((each) => each.kind === "end");
      const arrived = rows.at(-1)?.at ?? past[0]!.at;
      const asked = own.findLast((each) => each.kind !== "end")?.at ?? past[0]!.at;
      const silence = asked - arrived;
      return {
        watermark: Math.max(never, ...rows.map(({ time }) => time)) - lateness,
        holds: !ended && (idle === null || silence < idle),
        carried: reached[which]! + (ended ? now - arrived : silence),
      };
    });
    const holding = states.filter(({ holds }) => holds);
    const least =
      holding.length > 0
        ? Math.min(...holding.map(({ watermark }) => watermark))
        : Math.max(...states.map(({ carried }) => carried));
    after.push(Math.max(after.at(-1) ?? never, least));
    if (kind === "row") reached[input] = Math.max(states[input]!.watermark, after.at(-1)!);
  });
  return after;
}

test("each row's watermark is the defined one, however the records are cut into batches", () => {
  const settings: readonly Setting[] = [
    ["a", 0, null],
    ["b", 3, 8],
    ["c", 1, 5],
  ];
  const step = fc.record({
    kind: fc.constantFrom("row", "row", "row", "row", "tick", "tick", "end" as const),
    input: fc.nat(2),
    time: fc.integer({ min: -30, max: 60 }),
    after: fc.nat(6),
    cut: fc.boolean(),
  });
  const run = fc.property(
    fc.array(step, { maxLength: 40 }),
    fc.subarray([0, 1, 2], { minLength: 1 }),
    (steps, used) => {
      const taken = used.map((place) => settings[place]!);
      let at = 0;
      const ended = new Set<number>();
      const happened = steps.flatMap(({ kind, input: any, time, after }): Happening[] => {
        const input = any % taken.length;
        at += after;
        if (ended.has(input)) return [];
        if (kind === "end") ended.add(input);
        return kind === "row" ? [{ kind, input, time, at }] : [{ kind: kind as "tick", input, at }];
      });
      const expected = defined(taken, happened);
      const tracker = trackerOf(...taken);
      let open: Happening[] = [];
      const got: number[] = [];
      happened.forEach((each, place) => {
        if (each.kind === "row") open.push(each);
        else if (each.kind === "tick") tracker.tick(each.at, each.input);
        else {
          tracker.begin(each.at);
          tracker.end(each.at, each.input);
        }
        const next = happened[place + 1];
        if (open.length === 0 || (next?.kind === "row" && next.input === each.input && !steps[place]!.cut))
          return;
        got.push(...put(tracker, each.input, open as { time: number; at: number }[]));
        open = [];
        expect(tracker.current).toBe(expected[place]);
      });
      const rows = happened.flatMap(({ kind }, place) =>
        kind === "row" ? [expected[place - 1] ?? never] : [],
      );
      expect(got).toEqual(rows);
    },
  );
  fc.assert(run, { seed: 11, numRuns: 2_000 });
});
