// Panes: slots per window and key, held records that add up, closing oldest first, and slots that start
// anew when they are used again.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Aggregate, type Batch, type PaneTable, table as declare } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { seeded } from "./log/log-lives.fixture.ts";
import { makePaneTable } from "./panes.ts";

/** Two cells that are not zero when new, and a buffer. */
const marked: Aggregate = {
  initial: [7, Number.NEGATIVE_INFINITY],
  add: () => undefined,
  merge: () => undefined,
  finish: () => undefined,
};

const tableOf = (aggregates = 2): PaneTable =>
  makePaneTable(
    declare.panes(
      [],
      Array.from({ length: aggregates }, (): Aggregate => marked),
    ),
  );

/** Holds `weight` input records in one slot. */
function hold(table: PaneTable, slot: number, weight: number): void {
  table.hold(Uint32Array.of(slot), Uint32Array.of(0), 1, { weight: Float64Array.of(weight) } as Batch);
}

function close(table: PaneTable, start: number): unknown[] {
  const closed: unknown[] = [];
  table.close(start, (pane) =>
    closed.push({
      start: pane.start,
      keys: [...pane.keys],
      weights: [...pane.slots].map((slot) => table.weight(slot)),
    }),
  );
  return closed;
}

describe("panes", () => {
  test("say what a map of windows and keys says", () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          start: fc.integer({ min: -4, max: 6 }).map((n) => n * 10),
          key: fc.oneof(fc.nat(6), fc.constantFrom(63, 64, 1000, 70_000, 900_000)),
          weight: fc.integer({ min: 1, max: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ until: fc.integer({ min: -50, max: 70 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = tableOf();
        const model = new Map<number, Map<number, number>>();
        let marks = 0;
        for (const each of steps) {
          if ("until" in each) {
            const due = [...model.keys()].filter((start) => start <= each.until).sort((a, b) => a - b);
            expect(close(table, each.until)).toEqual(
              due.map((start) => {
                const keys = model.get(start)!;
                return { start, keys: [...keys.keys()], weights: [...keys.values()] };
              }),
            );
            for (const start of due) model.delete(start);
          } else {
            const keys = model.get(each.start) ?? new Map<number, number>();
            model.set(each.start, keys);
            const isNew = !keys.has(each.key);
            const slot = table.pane(each.start)!.slot(each.key);
            for (const { cells, buffers } of table.states) {
              // New slots are as declared, also where they were used before; old ones are as they were left.
              if (isNew)
                expect([cells[0]![slot], cells[1]![slot], buffers[slot]]).toEqual([
                  7,
                  Number.NEGATIVE_INFINITY,
                  undefined,
                ]);
              else expect(buffers[slot]).toBeDefined();
              cells[0]![slot] = ++marks;
              buffers[slot] = new Float64Array(1);
            }
            keys.set(each.key, (keys.get(each.key) ?? 0) + each.weight);
            hold(table, slot, each.weight);
            expect(table.weight(slot)).toBe(keys.get(each.key));
          }
          const held = [...model.values()].flatMap((keys) => [...keys.values()]).reduce((a, b) => a + b, 0);
          expect(table.held).toBe(held);
        }
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  test.each([1, 2, 3, 4])(
    "cells of %i aggregates grow with the slots, and keep what is in them",
    (aggregates) => {
      const table = tableOf(aggregates);
      const pane = table.pane(0)!;
      const slots = Array.from({ length: 1000 }, (_, key) => {
        const slot = pane.slot(key);
        table.states.at(-1)!.cells[0]![slot] = key;
        hold(table, slot, key);
        return slot;
      });
      expect(new Set(slots).size).toBe(1000);
      expect(slots.map((slot) => table.states.at(-1)!.cells[0]![slot])).toEqual(slots.map((_, key) => key));
      expect(slots.map((slot) => table.weight(slot))).toEqual(slots.map((_, key) => key));
      expect(slots.every((slot) => table.states.at(-1)!.cells[1]![slot] === Number.NEGATIVE_INFINITY)).toBe(
        true,
      );
    },
  );

  test("slots of a run are those of its keys, one by one", () => {
    const keys = fc.array(fc.oneof(fc.nat(20), fc.constantFrom(63, 64, 5_000, 80_000, 500_000)), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 5 }), (runs) => {
        const [ours, theirs] = [tableOf().pane(0)!, tableOf().pane(0)!];
        for (const run of runs) {
          const slots = new Uint32Array(run.length + 2);
          ours.slots(Uint32Array.from([0, ...run]), 1, run.length + 1, slots, 2);
          expect([...slots.subarray(2)]).toEqual(run.map((key) => theirs.slot(key)));
        }
      }),
      { seed: 21, numRuns: 200 },
    );
  });

  test("a pane that has few keys of very many finds them, and goes on finding them when it has many", () => {
    const table = tableOf();
    const pane = table.pane(0)!;
    const model = new Map<number, number>();
    const random = seeded(7);
    for (let run = 0; run < 60; run++) {
      const keys = Uint32Array.from({ length: 500 }, () => Math.floor(random() * 200_000));
      const slots = new Uint32Array(keys.length);
      pane.slots(keys, 0, keys.length, slots, 0);
      for (const [place, key] of keys.entries()) {
        expect(slots[place]).toBe(model.get(key) ?? slots[place]);
        model.set(key, slots[place]!);
      }
      expect(new Set(model.values()).size).toBe(model.size);
      // A pane that takes up its snapshot says the same.
      const again = makePaneTable(declare.panes([], [marked, marked]));
      again.restore((table as ReturnType<typeof makePaneTable>).snapshot(), 200_000);
      const one = keys[0]!;
      expect([table.find(0, one), again.find(0, one)]).toEqual([model.get(one), model.get(one)]);
      expect([table.find(0, 200_000), again.find(0, 200_000)]).toEqual([-1, -1]);
    }
    expect(table.at(0)!.keys).toEqual(Uint32Array.from(model.keys()));
    expect(table.at(0)!.slots).toEqual(Uint32Array.from(model.values()));
  });

  test("panes with one key of a million each take little", () => {
    const table = tableOf();
    const before = process.memoryUsage().arrayBuffers;
    for (let start = 0; start < 1_000; start++) table.pane(start)!.slot(1_000_000 - start);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
    for (let start = 0; start < 1_000; start++) expect(table.find(start, 1_000_000 - start)).not.toBe(-1);
  });

  test("no more are open than allowed, and all of those close", () => {
    const table = tableOf();
    for (let start = 0; start < limits.panes_open_max; start++) {
      const slot = table.pane(start)!.slot(0);
      hold(table, slot, 1);
    }
    expect(table.pane(limits.panes_open_max)).toBeNull();
    expect(table.pane(5)).not.toBeNull();
    // One of them: the others have to be gone through, many as they are.
    expect(close(table, 0)).toHaveLength(1);
    expect(table.pane(limits.panes_open_max)).not.toBeNull();
    expect(close(table, Number.POSITIVE_INFINITY)).toHaveLength(limits.panes_open_max);
    expect(table.held).toBe(0);
  });
});

test("panes that yield keep no key: what they hold of one goes with it, and a snapshot has what is left", () => {
  const make = (): ReturnType<typeof makePaneTable> =>
    makePaneTable(declare.panes([], [marked], [0], { yields: true }));
  const step = fc.record({
    start: fc.nat(2),
    key: fc.nat(12),
    does: fc.constantFrom("add", "add", "add", "forget", "look", "keep"),
  });
  // Near each other, and so far apart that a pane has few of very many.
  const apart = fc.constantFrom(1, 9_000);
  const both = fc.property(fc.array(step, { maxLength: 80 }), apart, (steps, far) => {
    let table = make();
    let added = 0;
    const model = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
    for (const { start, key: near, does } of steps) {
      const key = near * far;
      if (does === "add" && !model[start]!.has(key)) {
        table.cells[0]![table.pane(start)!.slot(key)] = ++added;
        model[start]!.set(key, added);
      } else if (does === "forget") {
        table.forget(key);
        for (const pane of model) pane.delete(key);
      } else if (does === "keep") {
        const kept = table.snapshot();
        table = make();
        table.restore(kept, 12 * far + 1);
      } else if (does === "look") {
        const { keys = [], slots = [] } = table.at(start) ?? {};
        const cells = [...slots].map((slot) => table.cells[0]![slot]!);
        expect([...keys].map((each, place) => [each, cells[place]])).toEqual([...model[start]!]);
      }
      expect(table.isOpen(key)).toBe(false);
    }
  });
  fc.assert(both, { seed: 12, numRuns: 300 });
});
