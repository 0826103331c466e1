// Late branches: they get exactly the records that their step counts as late, as they came, however the
// records are cut into batches, and the law of the ledger holds for each.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineOperator, field, type OperatorDefinition, table, z } from "../../operators/sdk/index.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "../testing/harness.ts";
import { planOf, sink, source } from "./engine.fixture.ts";

interface Reading {
  readonly device: string;
  readonly ts: number;
  readonly temp: number;
  readonly seat?: number;
}

const window = { tumbling: "10ms", by: "device", select: { n: "count()" } };
const late = (...steps: readonly object[]): { late: object[] } => ({ late: [...steps, sink] });

const plan = planOf({ steps: [{ window, ...late({ filter: "temp > 0" }) }, sink] });
/** Each device has a clock of its own. */
const perDevice = planOf({
  source: { ...source, time: { field: "ts", per: "device" } },
  steps: [{ window, ...late({ filter: "temp > 0" }) }, sink],
});
const inBranches = planOf({
  steps: [
    { filter: "temp < 50" },
    {
      branch: {
        means: [{ window, ...late() }, sink],
        counts: [
          { filter: "temp > 10" },
          {
            window: { ...window, tumbling: "20ms" },
            ...late({ window: { count: { n: 2 }, by: "device", select: { n: "count()" } } }),
          },
          sink,
        ],
      },
    },
  ],
});

const plans = { plain: plan, branches: inBranches, clocks: perDevice };

function run(of: PipelinePlan, readings: readonly Reading[], batchRows: number): Harness {
  const harness = new Harness(of, { batchRows });
  for (const reading of readings) harness.record({ ...reading });
  harness.finish();
  return harness;
}

/** Where each device has its own clock, the order among devices is not told. */
function byDevice(rows: ReturnType<Harness["rows"]>): unknown {
  return rows.toSorted((a, b) => String(a["device"]).localeCompare(String(b["device"])));
}

/** The ledger counts reasons in the order in which they are first met. */
function sortedCounts(harness: Harness): unknown {
  return harness.counts().map(({ ledger, ...counts }) => ({
    ...counts,
    ledger: ledger.toSorted((a, b) => a.step.localeCompare(b.step)),
  }));
}

const reading = (ts: number, temp: number, device = "a"): Reading => ({ device, ts, temp });

describe("a late branch", () => {
  test("gets what its step counts as late, in its original bytes", () => {
    const harness = new Harness(plan);
    harness.raw('{"device":"a","ts":5,"temp":1}');
    harness.raw('{"device":"a","ts":25,"temp":1}');
    harness.raw('{ "device":"a", "ts":6, "temp":2, "seat":7 }');
    harness.raw('{"device":"a","ts":7,"temp":-1}');
    harness.finish();
    expect(harness.rows(1)).toEqual([{ device: "a", ts: 6, temp: 2, seat: 7 }]);
    expect(plan.branches[1]).toMatchObject({ name: "late", forwards: true });
    expect(harness.counts()).toMatchObject([
      { name: "main", in: 4, out: 2, ledger: [{ step: "1 window", reason: "late", records: 2 }] },
      { name: "late", in: 2, out: 1, ledger: [{ step: "late/1 filter", reason: "filtered", records: 1 }] },
    ]);
  });

  test("of each branch is its own", () => {
    const readings = [reading(5, 20), reading(45, 20), reading(6, 20), reading(7, 5), reading(8, 60)];
    const harness = run(inBranches, [...readings, reading(30, 30)], 1);
    const names = harness.counts().map(({ name }) => name);
    expect(names).toEqual(["means", "counts", "means-late", "counts-late"]);
    expect(harness.rows(2).map(({ ts }) => ts)).toEqual([6, 7, 30]);
    expect(harness.rows(3)).toMatchObject([{ device: "a", n: 2 }]);
    expect(lawFaults(harness.counts())).toEqual([]);
  });
});

const readings = fc.array(
  fc.record({
    device: fc.constantFrom("a", "b"),
    ts: fc.integer({ min: 0, max: 60 }),
    temp: fc.integer({ min: -1, max: 60 }),
  }),
  { minLength: 1, maxLength: 30 },
);

test("how records are cut into batches changes nothing, and every record is counted once", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("plain", "branches", "clocks"),
      readings,
      fc.integer({ min: 2, max: 9 }),
      (name, sent, rows) => {
        const of = plans[name];
        const [one, many] = [run(of, sent, 1), run(of, sent, rows)];
        of.branches.forEach((_branch, place) =>
          expect(byDevice(many.rows(place))).toEqual(byDevice(one.rows(place))),
        );
        expect(sortedCounts(many)).toEqual(sortedCounts(one));
        expect(lawFaults(one.counts())).toEqual([]);
        for (const { name, in: given } of one.counts()) {
          if (!name.endsWith("late")) continue;
          const owner = name === "late" ? "main" : name.slice(0, -"-late".length);
          const { ledger } = one.counts().find((each) => each.name === owner)!;
          const counted = ledger.filter(({ reason }) => reason === "late");
          expect(given).toBe(counted.reduce((sum, { records }) => sum + records, 0));
        }
      },
    ),
    { seed: 11, numRuns: 200 },
  );
});

/** Finds late, in each of the ways that an operator may, what is below 0. */
function lateBy(way: "drop" | "reject" | "select" | "discard"): OperatorDefinition {
  return defineOperator({
    name: "own",
    summary: "",
    rule: "",
    kind: "keyed",
    config: z.strictObject({ value: field.column(["float64"], "") }),
    examples: [],
    state: () => ({ kept: table.keyed([], []) }),
    create: ({ value }, { state: { kept } }) => ({
      onBatch(batch, out) {
        const values = batch.columns[value.index]!.values;
        const rows = batch.selection.slice(0, batch.count);
        const [below, others] = [
          rows.filter((row) => values[row]! < 0),
          rows.filter((row) => values[row]! >= 0),
        ];
        if (way === "select") return out.select(batch, others, others.length, "late");
        out.emit({ ...batch, selection: others, count: others.length });
        for (const row of below) {
          if (way === "drop") out.drop(batch, row, "late");
          else if (way === "reject") out.reject(batch, row, "late", "below 0");
          else out.discard(kept.records, Int32Array.of(kept.records.keep(batch, row)), 1, "late");
        }
      },
    }),
  });
}

test.each(["drop", "reject", "select", "discard"] as const)("late by %s", (way) => {
  const of = planOf({ steps: [{ own: { value: "temp" }, ...late() }, sink] }, [lateBy(way)]);
  const harness = run(of, [reading(1, 1), reading(2, -1), reading(3, 2), reading(4, -2)], 4);
  expect(harness.rows(0).map(({ ts }) => ts)).toEqual([1, 3]);
  expect(harness.rows(1).map(({ ts }) => ts)).toEqual([2, 4]);
  expect(lawFaults(harness.counts())).toEqual([]);
});
