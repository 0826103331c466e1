// A table that was restored from a snapshot goes on as the one that it was taken of: the same ids, the same
// order, the same numbers. Held to the table itself, which is used on in the same way.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Aggregate,
  type Batch,
  type Column,
  type KeyedTable,
  type PaneTable,
  type PartTable,
  type TableDeclaration,
  type ValueTable,
  valueAt,
} from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { TextDictionary } from "../batch/columns.ts";
import { applyChange, StateShadow } from "./change.ts";
import { makeKeyTable } from "./keys.ts";
import type { Plain } from "./plain.ts";
import { Records } from "./records.ts";
import { SlotQueue } from "./timed-slots.ts";
import { makeTables, restoreTables, snapshotTables, type StepTables } from "./tables.ts";

const bytesOf = (data: Plain): Uint8Array => new StateShadow().change(data)!;

/** As it comes back from where it was written down. */
const written = (data: Plain): Plain => applyChange(null, bytesOf(data));

const texts = ["a", "b", "", "ü\u{1f9ca}", "\ud800", null];
const numbers = [0, -0, 1.5, 1e300, null];
const wholes = [0n, -1n, 2n ** 63n - 1n, null];
const by = [
  { name: "text", type: "string", index: 0 },
  { name: "number", type: "float64", index: 1 },
  { name: "whole", type: "int64", index: 2 },
] as const;

/** One row for each place among the values. */
function batchOf(rows: readonly number[]): Batch {
  const dictionary = new TextDictionary();
  const at = <T>(values: readonly (T | null)[], row: number): T | null => values[rows[row]! % values.length]!;
  const validity = (values: readonly unknown[]): Uint8Array =>
    Uint8Array.from(rows, (row) => (values[row % values.length] === null ? 0 : 1));
  const columns: Column[] = [
    {
      type: "string",
      values: Int32Array.from(rows, (_, row) => dictionary.code(at(texts, row) ?? "")),
      valid: validity(texts),
      dictionary,
    },
    {
      type: "float64",
      values: Float64Array.from(rows, (_, row) => at(numbers, row) ?? 0),
      valid: validity(numbers),
      dictionary: null,
    },
    {
      type: "int64",
      values: BigInt64Array.from(rows, (_, row) => at(wholes, row) ?? 0n),
      valid: validity(wholes),
      dictionary: null,
    },
  ];
  return makeBatch({
    schema: { fields: by.map(({ name, type }) => ({ name, type })), rest: null },
    columns,
    rows: rows.length,
    time: Float64Array.from(rows),
    watermark: Float64Array.from(rows, (row) => row - 1),
    weight: Float64Array.from(rows, (row) => 1 + (row % 3)),
    origin: { payload: (row) => Uint8Array.of(rows[row]!), subject: () => `s${rows.length}` },
  });
}

const kept: Aggregate = {
  initial: [0, Number.POSITIVE_INFINITY],
  add: () => undefined,
  merge: () => undefined,
  finish: () => undefined,
};

test.each([0, 1, 2, 3])("keys of %i columns have the ids that they had", (parts) => {
  fc.assert(
    fc.property(fc.array(fc.nat(120)), fc.array(fc.nat(120)), (before, after) => {
      const table = makeKeyTable(by.slice(0, parts));
      const idsOf = (keys: typeof table, rows: readonly number[]): number[] => {
        const ids = new Uint32Array(rows.length);
        keys.identify(batchOf(rows), ids);
        return [...ids];
      };
      idsOf(table, before);
      const restored = makeKeyTable(by.slice(0, parts));
      restored.restore(written(table.snapshot()));
      expect(restored.size).toBe(table.size);
      const all = [...before, ...after];
      expect(idsOf(restored, all)).toEqual(idsOf(table, all));
    }),
    { seed: 5, numRuns: 50 },
  );
});

type Change<T> = (table: T, number: number) => unknown;

/** So that the ids 0 … 40 are those of keys. */
function meetKeys(table: StepTables["byName"][string]): void {
  if (!("keys" in table)) return;
  const rows = Array.from({ length: 41 }, (_, row) => row);
  table.keys.identify(batchOf(rows), new Uint32Array(rows.length));
}

/** Changes both tables in the same way after the second was restored from the first; both have to give the same. */
function goesOn<T>(declaration: TableDeclaration, changes: readonly Change<T>[]): void {
  const steps = fc.array(fc.tuple(fc.nat(changes.length - 1), fc.nat(40)), { maxLength: 60, size: "max" });
  const make = (): StepTables => makeTables({ one: declaration }, 1000);
  const apply = ({ byName }: StepTables, all: readonly (readonly [number, number])[]): unknown[] =>
    all.map(([which, number]) => changes[which]!(byName["one"] as T, number));
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const tables = make();
      meetKeys(tables.byName["one"]!);
      const shadow = new StateShadow();
      let kept: Plain = null;
      const keep = (): void => {
        const change = shadow.change(snapshotTables(tables));
        if (change !== null) kept = applyChange(kept, change);
      };
      for (const step of before) {
        apply(tables, [step]);
        if (step[1] % 3 === 0) keep();
      }
      keep();
      expect(kept).toEqual(written(snapshotTables(tables)));
      const restored = make();
      restoreTables(restored, kept);
      expect(restored.byName["one"]!.held).toBe(tables.byName["one"]!.held);
      expect(written(snapshotTables(restored))).toEqual(written(snapshotTables(tables)));
      expect(apply(restored, after)).toEqual(apply(tables, after));
    }),
    { seed: 6, numRuns: 70 },
  );
}

describe("goes on as it was", () => {
  test("a table for each key", () => {
    const meet = (table: KeyedTable, row: number): number => {
      const ids = new Uint32Array(1);
      table.keys.identify(batchOf([row]), ids);
      table.reserve();
      return ids[0]!;
    };
    goesOn<KeyedTable>({ kind: "keyed", by, initial: [0, Number.NaN], lasting: false }, [
      (table, row) => meet(table, row),
      (table, row) => {
        const key = meet(table, row);
        table.cells[0]![key]! += row;
        table.cells[1]![key] = table.records.keep(batchOf([row]), 0);
        return table.cells[0]![key];
      },
      (table, row) => {
        const slot = table.cells[1]![meet(table, row)]!;
        return Number.isNaN(slot) ? null : [table.records.time(slot), table.records.number(slot, by[1])];
      },
      (table, row) => {
        const [cell, key] = [table.cells[1]!, meet(table, row)];
        const slot = cell[key]!;
        if (Number.isNaN(slot)) return null;
        cell[key] = Number.NaN;
        const records = table.records as Records;
        const { origin } = records.batch(Int32Array.of(slot), { fields: [], rest: null });
        return [origin!.payload(0)[0], origin!.subject(0), records.free(slot)];
      },
      (table, row) => table.timers.set(meet(table, row), row % 7),
      (table, row) => table.timers.clear(meet(table, row)),
      (table, until) => {
        const due: number[] = [];
        table.timers.due(until % 7, (key, time) => void due.push(key, time));
        return due;
      },
    ]);
  });

  test("panes", () => {
    const add: Change<PaneTable> = (table, number) => {
      const slot = table.pane(number % 5)!.slot(number % 11);
      table.carry(slot, number);
      table.states[0]!.cells[1]![slot] = number;
      table.cells[0]![slot]! += number;
      table.states[1]!.buffers[slot] = number % 2 === 0 ? Float64Array.of(number) : Uint8Array.of(number);
      return table.weight(slot);
    };
    goesOn<PaneTable>({ kind: "panes", by, aggregates: [kept, kept], initial: [4] }, [
      add,
      add,
      (table, until) => {
        const closed: unknown[] = [];
        table.close(until % 5, ({ start, keys, slots }) => {
          for (const [place, slot] of slots.entries()) {
            const buffer = table.states[1]!.buffers[slot];
            closed.push([
              table.cells[0]![slot],
              start,
              keys[place],
              table.weight(slot),
              table.states[0]!.cells[1]![slot],
              buffer,
            ]);
          }
        });
        return [closed, table.oldest, table.held];
      },
    ]);
  });

  test("parts", () => {
    const open: Change<PartTable> = (table, number) => {
      const slot = table.open();
      table.hold(slot, number);
      table.cells[0]![slot] = number;
      table.states[0]!.buffers[slot] = Float64Array.of(number);
      if (number % 2 === 0) table.list(number % 4, number % 3 === 0 ? 0 : 1).push(slot);
      else table.waiting.add(slot, number % 6);
      return table.held;
    };
    goesOn<PartTable>({ kind: "parts", by, aggregates: [kept], initial: [9], lists: 2 }, [
      open,
      open,
      (table, until) => {
        const slots = new Uint32Array(100);
        const due = [...slots.subarray(0, table.waiting.due(until % 6, slots))].map((slot) => [
          table.cells[0]![slot],
          table.weight(slot),
          table.states[0]!.buffers[slot],
          table.free(slot),
        ]);
        return due;
      },
      (table, number) => {
        const slot = table.list(number % 4, 1).shift();
        if (slot === undefined) return null;
        const found = [table.cells[0]![slot], table.release(slot)];
        table.free(slot);
        return found;
      },
      (table, key) => table.timers.set(key % 9, key),
    ]);
  });

  test("numbers of the step", () => {
    goesOn<ValueTable>({ kind: "values", initial: [1, Number.NEGATIVE_INFINITY] }, [
      ({ values }, number) => (values[number % 2] = number),
      ({ values }) => [...values],
    ]);
  });
});

test("a queue goes on wherever its ring begins, and with those that stand beside it", () => {
  let queue = new SlotQueue();
  const expected = new SlotQueue();
  const shadow = new StateShadow();
  let kept: Plain = null;
  let waited = 0;
  const dueOf = (of: SlotQueue, until: number): number[] => {
    const slots = new Uint32Array(of.size);
    return [...slots.subarray(0, of.due(until, slots))];
  };
  for (let n = 0; n < 3_000; n++) {
    const time = n + (n % 11 === 0 ? ((n * 7_919) % 97) - 140 : 0);
    for (const each of [queue, expected]) each.add(n, time);
    if (n % 3 === 0) expect(dueOf(queue, n - 150)).toEqual(dueOf(expected, n - 150));
    if (n % 41 !== 0) continue;
    const change = shadow.change(queue.snapshot());
    if (change !== null) kept = applyChange(kept, change);
    waited += queue.size;
    queue = new SlotQueue();
    queue.restore(kept);
  }
  expect(waited).toBeGreaterThan(3_000);
  expect(dueOf(queue, 1e9)).toEqual(dueOf(expected, 1e9));
});

describe("few that are left of many come back in their places", () => {
  test("parts", () => {
    const make = (): StepTables =>
      makeTables({ one: { kind: "parts", by: [], aggregates: [kept], initial: [9], lists: 1 } }, 1);
    const [tables, restored] = [make(), make()];
    const parts = tables.byName["one"] as PartTable;
    const slots = Array.from({ length: 5_000 }, () => parts.open());
    for (const [place, slot] of slots.entries()) {
      parts.hold(slot, place);
      parts.cells[0]![slot] = place;
      parts.states[0]!.buffers[slot] = Uint8Array.of(place % 256);
    }
    const left = slots.filter((_, place) => place % 1_000 === 999);
    for (const slot of slots) if (!left.includes(slot)) parts.free(slot);
    for (const slot of left) parts.list(0, 0).push(slot);
    const bytes = bytesOf(snapshotTables(tables));
    expect(bytes.length).toBeLessThan(700);
    restoreTables(restored, applyChange(null, bytes));
    const other = restored.byName["one"] as PartTable;
    const seen = (of: PartTable): unknown =>
      of.list(0, 0).map((slot) => [slot, of.weight(slot), of.cells[0]![slot], of.states[0]!.buffers[slot]]);
    expect(seen(other)).toEqual(seen(parts));
    expect(other.held).toBe(parts.held);
    const opened = Array.from({ length: 6_000 }, () => other.open());
    expect(new Set([...opened, ...left]).size).toBe(6_005);
  });

  test("records", () => {
    const [records, restored] = [new Records(), new Records()];
    const slots = Array.from({ length: 3_000 }, (_, row) => records.keep(batchOf([row % 256]), 0));
    const left = slots.filter((slot) => slot % 700 === 699);
    for (const slot of slots) if (!left.includes(slot)) records.free(slot);
    const bytes = bytesOf(records.snapshot());
    expect(bytes.length).toBeLessThan(20_000);
    restored.restore(applyChange(null, bytes));
    const seen = (of: Records): unknown =>
      left.map((slot) => {
        const { columns, origin, time } = of.batch(Int32Array.of(slot), { fields: [], rest: null });
        const values = columns.map((column) => valueAt(column, 0));
        return [slot, time, values, origin!.payload(0), origin!.subject(0), of.weight(slot)];
      });
    expect(seen(restored)).toEqual(seen(records));
    expect(restored.held).toBe(records.held);
    const kept = Array.from({ length: 4_000 }, () => restored.keep(batchOf([1]), 0));
    expect(new Set([...kept, ...left]).size).toBe(4_004);
  });
});

test("only what is in use is written: a million slots that were freed cost nothing", () => {
  const tables = makeTables({ one: { kind: "parts", by: [], aggregates: [kept], initial: [], lists: 1 } }, 1);
  const parts = tables.byName["one"] as PartTable;
  const slots = Array.from({ length: 1_000_000 }, () => parts.open());
  for (const slot of slots.slice(1)) parts.free(slot);
  expect(bytesOf(snapshotTables(tables)).length).toBeLessThan(400);
});
