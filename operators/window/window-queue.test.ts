// The queue of parts under sliding and overlapping counted windows: its whole is what its parts say, in their
// order; it costs a few merges a part however long it is; and what has expired is given back.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Aggregate, AggregateState, PartTable } from "weir/sdk";
import { makePartTable } from "../../runtime/state/parts.ts";
import { Parts, partsOf } from "./parts.ts";
import { PartQueue, queueLists } from "./two-stacks.ts";

let merges = 0;

const textOf = ({ buffers }: AggregateState, slot: number): string =>
  Buffer.from(buffers[slot] ?? new Uint8Array(0)).toString("latin1");

/** Texts put behind each other: it shows in which order parts were merged, and that none was twice. */
const joined: Aggregate = {
  initial: [],
  add: () => undefined,
  merge(target, into, source, from) {
    merges++;
    target.buffers[into] = Buffer.from(textOf(target, into) + textOf(source, from), "latin1");
  },
  finish: () => undefined,
};

const shared = { kept: [joined], places: [0], inputs: [] };
const numberCell = 2;

function open(slotsMax?: number): { table: PartTable; queue: PartQueue } {
  const grouping = { by: [], calls: [], shared };
  const table = makePartTable(partsOf(grouping, [0], queueLists, {}), undefined, slotsMax);
  return { table, queue: new PartQueue(new Parts(table, grouping), numberCell) };
}

function push({ table, queue }: ReturnType<typeof open>, key: number, number: number): void {
  const slot = table.open();
  table.cells[numberCell]![slot] = number;
  table.states[0]!.buffers[slot] = Buffer.from(String.fromCharCode(number), "latin1");
  table.hold(slot, number);
  queue.push(key, slot);
}

test("its whole is what its parts say", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ key: fc.nat(1), by: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ key: fc.nat(1), keep: fc.nat(12) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const opened = open(1);
      const { table, queue } = opened;
      const model: number[][] = [[], []];
      let number = 1;
      for (const each of steps) {
        const own = model[each.key]!;
        if ("by" in each) {
          number += each.by;
          push(opened, each.key, number);
          own.push(number);
          expect(queue.newest(each.key)).toBe(number);
        } else {
          const gone = own.filter((one) => one <= number - each.keep);
          expect(queue.expire(each.key, number - each.keep)).toBe(gone.reduce((sum, one) => sum + one, 0));
          own.splice(0, gone.length);
        }
        const whole = queue.whole(each.key);
        expect(textOf(table.states[0]!, whole)).toBe(String.fromCharCode(...own));
        table.free(whole);
        expect(queue.isEmpty(each.key)).toBe(own.length === 0);
        expect(table.held).toBe(model.flat().reduce((sum, one) => sum + one, 0));
      }
      for (const key of [0, 1]) queue.expire(key, Number.POSITIVE_INFINITY);
      // Every slot was given back, that of the running total too.
      expect([table.room > 0, table.held]).toEqual([true, 0]);
    }),
    { seed: 31, numRuns: 200 },
  );
});

test.each([2, 20, 200])("a part costs a few merges where %i are in the queue", (length) => {
  const opened = open();
  merges = 0;
  const parts = 1_000;
  for (let number = 1; number <= parts; number++) {
    push(opened, 0, number % 256);
    opened.table.cells[numberCell]![opened.table.list(0, 1).at(-1)!] = number;
    opened.queue.expire(0, number - length);
    opened.table.free(opened.queue.whole(0));
  }
  expect(merges / parts).toBeLessThanOrEqual(4);
});
