// Parts: slots that start anew, held records that add up whatever is merged, released and freed, lists by
// key, and slots that wait in the order of their times.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aggregate, PartTable } from "../../operators/sdk/index.ts";
import { makePartTable } from "./parts.ts";
import { SlotQueue } from "./timed-slots.ts";

const marked: Aggregate = {
  initial: [7, Number.NEGATIVE_INFINITY],
  add: () => undefined,
  merge: () => undefined,
  finish: () => undefined,
};

const tableOf = (slotsMax?: number): PartTable =>
  makePartTable(
    { kind: "parts", by: [], aggregates: [marked, marked], initial: [3], lists: 2 },
    undefined,
    slotsMax,
  );

/** All that a slot holds: its aggregates and its own number. */
function contents({ states, cells }: PartTable, slot: number): unknown[] {
  return [
    cells[0]![slot],
    ...states.flatMap((state) => [...state.cells.map((cell) => cell[slot]), state.buffers[slot]]),
  ];
}

const fresh = [3, 7, Number.NEGATIVE_INFINITY, undefined, 7, Number.NEGATIVE_INFINITY, undefined];

describe("parts", () => {
  test("say what a map of slots says", () => {
    const step = fc.record({
      what: fc.constantFrom("open", "open", "hold", "release", "free"),
      which: fc.nat(40),
      weight: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
        const table = tableOf();
        const model = new Map<number, number>();
        for (const { what, which, weight } of steps) {
          const slot = [...model.keys()][which % Math.max(1, model.size)];
          if (what === "open" || slot === undefined) {
            const opened = table.open();
            expect(model.has(opened)).toBe(false);
            expect(contents(table, opened)).toEqual(fresh);
            table.cells[0]![opened] = 100 + opened;
            table.states[0]!.cells[0]![opened] = opened;
            table.states[1]!.buffers[opened] = new Float64Array(1);
            model.set(opened, 0);
          } else if (what === "hold") {
            table.hold(slot, weight);
            model.set(slot, model.get(slot)! + weight);
          } else if (what === "release") {
            expect(table.release(slot)).toBe(model.get(slot));
            model.set(slot, 0);
          } else {
            table.free(slot);
            model.delete(slot);
          }
          for (const [open, held] of model) {
            expect(table.weight(open)).toBe(held);
            expect([table.cells[0]![open], table.states[0]!.cells[0]![open]]).toEqual([100 + open, open]);
          }
          expect(table.held).toBe([...model.values()].reduce((sum, held) => sum + held, 0));
        }
      }),
      { seed: 21, numRuns: 80 },
    );
  });

  test("are full at their bound, until one is freed", () => {
    const table = tableOf(2);
    const first = table.open();
    expect(table.room).toBe(1);
    table.open();
    expect(table.room).toBe(0);
    table.free(first);
    expect(table.room).toBe(1);
  });

  test("are in the lists of their keys", () => {
    const table = tableOf();
    table.list(3, 0).push(8);
    table.list(3, 1).push(9);
    expect([table.list(3, 0), table.list(3, 1), table.list(2, 0), table.list(1000, 1)]).toEqual([
      [8],
      [9],
      [],
      [],
    ]);
  });
});

test("slots wait in the order of their times, and of equal ones in that in which they came", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ time: fc.integer({ min: -5, max: 5 }) }) },
    // More in order than one that comes may overtake.
    { weight: 4, arbitrary: fc.record({ run: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ until: fc.constantFrom(-Infinity, -3, 0, 2.5, 5, 20, Infinity) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const queue = new SlotQueue();
      let waiting: { slot: number; time: number }[] = [];
      let slots = 0;
      const add = (time: number): void => {
        queue.add(slots, time);
        waiting.push({ slot: slots++, time });
      };
      steps.forEach((each) => {
        if ("time" in each) add(each.time);
        else if ("run" in each) for (let place = 0; place < each.run; place++) add(place);
        else {
          const due: number[] = [];
          const some = new Uint32Array(3);
          for (let count = 3; count === 3; due.push(...some.subarray(0, count)))
            count = queue.due(each.until, some);
          const expected = waiting.filter(({ time }) => time <= each.until);
          expect(due).toEqual(expected.toSorted((a, b) => a.time - b.time).map((entry) => entry.slot));
          waiting = waiting.filter(({ time }) => time > each.until);
        }
        expect(queue.size).toBe(waiting.length);
      });
    }),
    { seed: 22, numRuns: 150 },
  );
});
