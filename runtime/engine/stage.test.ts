// A stage at work: faults of one record stay that record's, keyed operators end their pipeline, and every
// record is counted exactly once whatever the operator does with it.

import { describe, expect, test } from "vitest";
import {
  type Batch,
  type Column,
  defineFilter,
  defineMap,
  defineOperator,
  field,
  type Operator,
  type OperatorDefinition,
  z,
} from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { TextDictionary } from "../batch/columns.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { StepPlan } from "../pipeline/pipeline.ts";
import { Harness, lawFaults } from "../testing/harness.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { planOf, sink } from "./engine.fixture.ts";
import { Ledger } from "./ledger.ts";
import { Stage } from "./stage.ts";
import { addStranger } from "./strangers.ts";

const empty = { summary: "", rule: "", config: z.any(), examples: [] } as const;

/** Adds a column, and cannot take records whose device is `bad`. */
const brittle: OperatorDefinition = defineMap({
  ...empty,
  name: "brittle",
  config: z.strictObject({ device: field.column(["string"], "") }),
  columns: () => ({ seen: "float64" }),
  map:
    ({ device }) =>
    (record) => {
      if (record.text(device) === "bad") throw new RangeError("cannot take it");
      return { seen: 1 };
    },
});

function operatorOf(kind: "stateless" | "keyed", create: () => Operator): OperatorDefinition {
  return defineOperator({ ...empty, name: "own", kind, create });
}

/** A batch of `texts`, of which `count` rows from the second on are selected, with weights 1, 2, 3, … */
function batchOf(rows: number, selection?: readonly number[]): Batch {
  const dictionary = new TextDictionary();
  const text: Column = {
    type: "string",
    values: Int32Array.from({ length: rows }, (_, row) => dictionary.code(`t${row}`)),
    valid: null,
    dictionary,
  };
  return makeBatch({
    schema: { fields: [{ name: "x", type: "string" }], rest: null },
    columns: [text],
    rows,
    time: new Float64Array(rows),
    watermark: new Float64Array(rows),
    weight: Float64Array.from({ length: rows }, (_, row) => row + 1),
    ...(selection === undefined ? {} : { selection: Uint32Array.from(selection), count: selection.length }),
  });
}

interface Bench {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly letters: DeadLetter[];
  readonly sent: Batch[];
  readonly watermarks: number[];
}

function benchOf(definition: OperatorDefinition): Bench {
  const schema = { fields: [{ name: "x", type: "string" }], rest: null } as const;
  const keys = { max: 100, ttl: null, when_full: "refuse" } as const;
  const spec = { operator: definition.name, keys: {}, config: {}, path: [] };
  const plan: StepPlan = {
    label: "1 own",
    definition,
    config: {},
    keys,
    input: schema,
    output: schema,
    spec,
  };
  const ledger = new Ledger();
  const letters: DeadLetter[] = [];
  const sent: Batch[] = [];
  const watermarks: number[] = [];
  const next = {
    onBatch: (batch: Batch) => sent.push({ ...batch, selection: batch.selection.slice(0, batch.count) }),
    onWatermark: (watermark: number) => watermarks.push(watermark),
  };
  const stage = new Stage(plan, ledger, (letter) => letters.push(letter), next);
  return { stage, ledger, letters, sent, watermarks };
}

function sentRows(bench: Bench): number[] {
  return bench.sent.flatMap(({ selection }) => [...selection]);
}

describe("an operator that throws on one record", () => {
  const plan = planOf(
    {
      steps: [
        { brittle: { device: "device" } },
        { set: { double: "temp * 2.0" } },
        { filter: "temp != 3.0" },
        {
          window: {
            tumbling: "1s",
            by: "device",
            select: { n: "count()", sum: "sum(temp)", twice: "sum(double)", seen: "sum(seen)" },
          },
        },
        sink,
      ],
    },
    [brittle],
  );

  test.each([1, 2, 7, 1000])("loses that record alone, %i records a batch", (batchRows) => {
    const harness = new Harness(plan, { batchRows });
    const devices = ["a", "b", "bad", "a", "b", "a", "bad", "b", "a", "a"];
    devices.forEach((device, temp) => harness.record({ device, ts: 10, temp }));
    harness.finish();
    expect(harness.rows(0)).toEqual([
      { window_start: 0, window_end: 1000, device: "a", n: 4, sum: 22, twice: 44, seen: 4 },
      { window_start: 0, window_end: 1000, device: "b", n: 3, sum: 12, twice: 24, seen: 3 },
    ]);
    expect(harness.letters.map(({ reason, step, detail }) => ({ reason, step, detail }))).toEqual([
      { reason: "fault", step: "1 brittle", detail: "cannot take it" },
      { reason: "fault", step: "1 brittle", detail: "cannot take it" },
    ]);
    const first = JSON.parse(new TextDecoder().decode(harness.letters[0]!.payload!)) as unknown;
    expect(first).toEqual({ device: "bad", ts: 10, temp: 2 });
    expect(lawFaults(harness.counts())).toEqual([]);
    expect(harness.counts()[0]!.ledger).toContainEqual({ step: "1 brittle", reason: "fault", records: 2 });
  });

  test.each([
    [
      "rows that are none of the batch",
      [0, 4_000_000_000],
      2,
      "select: expected rows below 1, got 4000000000",
    ],
    ["more rows than it names", [0], 1_000_000_000, "select: expected at most 1 rows, got 1000000000"],
  ])("a user's own that chooses %s", (_what, rows, count, detail) => {
    const careless = operatorOf("stateless", () => ({
      onBatch: (batch, out) => out.select(batch, Uint32Array.from(rows), count),
    }));
    addStranger(careless);
    const harness = new Harness(planOf({ steps: [{ own: {} }, sink] }, [careless]));
    harness.record({ device: "a", ts: 10, temp: 1 });
    harness.finish();
    expect(harness.rows(0)).toEqual([]);
    expect(harness.letters).toMatchObject([{ reason: "fault", detail }]);
    expect(lawFaults(harness.counts())).toEqual([]);
  });

  test("a map that gives values of other types or names, but for none at all", () => {
    const values = [{}, { seen: undefined }, { seem: 1 }, { seen: 1, more: 2 }, { seen: "1" }];
    const careless = defineMap({
      ...empty,
      name: "careless",
      config: z.strictObject({ temp: field.column(["float64"], "") }),
      columns: () => ({ seen: "float64" }),
      map:
        ({ temp }) =>
        (record) =>
          values[record.number(temp)] as Readonly<Record<string, number>>,
    });
    const steps = [{ careless: { temp: "temp" } }, { select: { temp: "temp", seen: "seen" } }, sink];
    const harness = new Harness(planOf({ steps }, [careless]));
    for (const temp of values.keys()) harness.record({ device: "a", ts: 10, temp });
    harness.finish();
    expect(harness.rows(0)).toEqual([
      { temp: 0, seen: null },
      { temp: 1, seen: null },
    ]);
    expect(harness.letters.map(({ detail }) => detail)).toEqual([
      "a value for seem, which is none of its columns: seen",
      "a value for more, which is none of its columns: seen",
      "expected a finite number for seen (float64), got string 1; null stands for no value",
    ]);
  });

  test("a filter that returns neither true nor false, as one that is async", () => {
    const returned: readonly unknown[] = [true, Promise.resolve(false), undefined, 1, () => true, false];
    const careless = defineFilter({
      ...empty,
      name: "careless",
      config: z.strictObject({ temp: field.column(["float64"], "") }),
      keep:
        ({ temp }) =>
        (record) =>
          returned[record.number(temp)] as boolean,
    });
    const steps = [{ careless: { temp: "temp" } }, { select: { temp: "temp" } }, sink];
    const harness = new Harness(planOf({ steps }, [careless]));
    for (const temp of returned.keys()) harness.record({ device: "a", ts: 10, temp });
    harness.finish();
    expect(harness.rows(0)).toEqual([{ temp: 0 }]);
    expect(harness.letters.map(({ detail }) => detail)).toEqual([
      "expected true or false of keep, got a promise: an operator waits for nothing, so it is not async",
      "expected true or false of keep, got nothing: is there a return?",
      "expected true or false of keep, got number 1",
      "expected true or false of keep, got a function: the settings come first, as in (settings) => (record) => …",
    ]);
  });

  test("a map that returns a promise, or nothing", () => {
    const careless = defineMap({
      ...empty,
      name: "careless",
      config: z.strictObject({ temp: field.column(["float64"], "") }),
      columns: () => ({ seen: "float64" }),
      map:
        ({ temp }) =>
        (record) =>
          (record.number(temp) === 0 ? Promise.resolve({ seen: 1 }) : undefined) as unknown as {
            seen: number;
          },
    });
    const harness = new Harness(planOf({ steps: [{ careless: { temp: "temp" } }, sink] }, [careless]));
    for (const temp of [0, 1]) harness.record({ device: "a", ts: 10, temp });
    harness.finish();
    expect(harness.letters.map(({ detail }) => detail)).toEqual([
      "expected values by column of map, got a promise: an operator waits for nothing, so it is not async",
      "expected values by column of map, got nothing: is there a return?",
    ]);
  });

  test("may throw on all of them", () => {
    const harness = new Harness(plan, { batchRows: 50 });
    for (let i = 0; i < 50; i++) harness.record({ device: "bad", ts: i, temp: i });
    harness.finish();
    expect(harness.rows(0)).toEqual([]);
    expect(harness.letters).toHaveLength(50);
    expect(lawFaults(harness.counts())).toEqual([]);
  });
});

describe("a stateless operator", () => {
  test("is run again on what it can take, and what it left out then is counted once", () => {
    const bench = benchOf(
      operatorOf("stateless", () => ({
        onBatch(batch, out) {
          const rows = out.scratch(batch);
          let count = 0;
          for (let i = 0; i < batch.count; i++) {
            const row = batch.selection[i]!;
            if (row === 1) out.drop(batch, row, "duplicate");
            else if (row === 4) throw new Error("four");
            else if (row === 2) out.reject(batch, row, "rejected", "two");
            else if (row !== 3) rows[count++] = row;
          }
          out.select(batch, rows, count);
        },
      })),
    );
    bench.stage.onBatch(batchOf(7));
    expect(sentRows(bench)).toEqual([0, 5, 6]);
    const entries = bench.ledger.entries().map(({ reason, records }) => [reason, records]);
    expect(Object.fromEntries(entries)).toEqual({ duplicate: 2, fault: 5, rejected: 3, filtered: 4 });
    expect(bench.letters.map(({ reason, detail }) => `${reason} ${detail}`).sort()).toEqual([
      "fault four",
      "rejected two",
    ]);
  });

  test("that throws after it sent something ends the pipeline: the rest would go out twice", () => {
    const bench = benchOf(
      operatorOf("stateless", () => ({
        onBatch(batch, out) {
          out.emit(batch);
          throw new Error("too late");
        },
      })),
    );
    expect(() => bench.stage.onBatch(batchOf(4))).toThrow(WeirError);
    expect(sentRows(bench)).toEqual([0, 1, 2, 3]);
  });

  test("sees no batch without records", () => {
    const bench = benchOf(
      operatorOf("stateless", () => ({
        onBatch() {
          throw new Error("called");
        },
      })),
    );
    bench.stage.onBatch(batchOf(3, []));
    expect(bench.ledger.total).toBe(0);
  });
});

describe("a keyed operator that throws ends its pipeline", () => {
  const failing = (where: "onBatch" | "onWatermark"): OperatorDefinition =>
    operatorOf("keyed", () => ({
      onBatch() {
        if (where === "onBatch") throw new Error("no more");
      },
      onWatermark() {
        if (where === "onWatermark") throw new Error("no more");
      },
    }));

  test.each(["onBatch", "onWatermark"] as const)("in %s", (where) => {
    const { stage, ledger } = benchOf(failing(where));
    const run = (): void => (where === "onBatch" ? stage.onBatch(batchOf(3)) : stage.onWatermark(5));
    expect(run).toThrow(
      expect.objectContaining({
        code: "WEIR_OPERATOR",
        message: "step 1 own: operator own failed: no more",
      }),
    );
    expect(ledger.total).toBe(0);
  });

  test("and is not blamed on the steps before it", () => {
    const own = failing("onBatch");
    const harness = new Harness(planOf({ steps: [{ filter: "temp > 0.0" }, { own: {} }, sink] }, [own]));
    expect(() => harness.record({ device: "a", ts: 0, temp: 1 })).toThrow("step 2 own: operator own failed");
  });
});

describe("counting", () => {
  test("a selection counts the others by weight, without those that were dropped or rejected", () => {
    const bench = benchOf(
      operatorOf("stateless", () => ({
        onBatch(batch, out) {
          out.drop(batch, 1, "late");
          out.reject(batch, 3, "rejected", "no");
          out.select(batch, Uint32Array.of(5), 1, "duplicate");
        },
      })),
    );
    bench.stage.onBatch(batchOf(6, [1, 3, 4, 5]));
    expect(bench.ledger.entries()).toEqual([
      { step: "1 own", reason: "duplicate", records: 5 },
      { step: "1 own", reason: "late", records: 2 },
      { step: "1 own", reason: "rejected", records: 4 },
    ]);
    expect(bench.letters).toHaveLength(1);
    expect(sentRows(bench)).toEqual([5]);
  });

  test("a selection of all counts nothing, and one of none sends nothing", () => {
    const all = benchOf(
      operatorOf("stateless", () => ({
        onBatch: (batch, out) => out.select(batch, batch.selection, batch.count),
      })),
    );
    all.stage.onBatch(batchOf(3));
    expect(all.ledger.entries()).toEqual([]);
    const none = benchOf(
      operatorOf("stateless", () => ({ onBatch: (batch, out) => out.select(batch, batch.selection, 0) })),
    );
    none.stage.onBatch(batchOf(3));
    expect(none.sent).toEqual([]);
    expect(none.ledger.total).toBe(6);
  });

  test("a row that an operator made has no original bytes", () => {
    const bench = benchOf(
      operatorOf("stateless", () => ({ onBatch: (batch, out) => out.reject(batch, 0, "rejected", "made") })),
    );
    bench.stage.onBatch(batchOf(1));
    expect(bench.letters).toEqual([
      { step: "1 own", reason: "rejected", detail: "made", payload: null, subject: "" },
    ]);
  });
});

describe("drafts", () => {
  const writer = (texts: readonly string[]): OperatorDefinition =>
    operatorOf("keyed", () => ({
      onBatch(_batch, out) {
        const draft = out.draft(texts.length);
        texts.forEach((text, row) => {
          draft.columns[0]!.values[row] = draft.text(0, text);
        });
        out.append(draft);
      },
    }));

  function textsOf(batch: Batch): string[] {
    const column = batch.columns[0] as Extract<Column, { type: "string" }>;
    return [...batch.selection].map((row) => column.dictionary.text(column.values[row]!));
  }

  test("carry the watermark that was in force, one record a row unless told", () => {
    const bench = benchOf(writer(["a", "b"]));
    bench.stage.onWatermark(7);
    bench.stage.onBatch(batchOf(1));
    expect([...bench.sent[0]!.watermark]).toEqual([7, 7]);
    expect([...bench.sent[0]!.weight!]).toEqual([1, 1]);
    expect(bench.watermarks).toEqual([7]);
  });

  test("of a stateless operator carry that of the batch's first record: no watermark comes by there", () => {
    const { create } = writer(["a"]);
    const bench = benchOf(operatorOf("stateless", () => create({}, null as never)));
    const watermark = Float64Array.of(1, 2, 3);
    bench.stage.onBatch({ ...batchOf(3, [1, 2]), watermark });
    expect([...bench.sent[0]!.watermark]).toEqual([2]);
  });

  test("a dictionary that has outgrown its bound is replaced, and what was sent keeps the old one", () => {
    const many = Array.from({ length: limits.dictionary_entries_max }, (_, i) => `text ${i}`);
    const bench = benchOf(writer(many));
    bench.stage.onBatch(batchOf(1));
    bench.stage.onBatch(batchOf(1));
    const [before, after] = bench.sent as [Batch, Batch];
    expect(after.columns[0]!.dictionary).not.toBe(before.columns[0]!.dictionary);
    expect(after.columns[0]!.dictionary!.size).toBe(many.length);
    expect(textsOf(before)).toEqual(many);
    expect(textsOf(after)).toEqual(many);
  });

  test("two drafts at once keep their own texts, also when a dictionary is replaced between them", () => {
    const many = Array.from({ length: limits.dictionary_entries_max }, (_, i) => `text ${i}`);
    const bench = benchOf(
      operatorOf("keyed", () => ({
        onBatch(_batch, out) {
          const first = out.draft(many.length);
          many.forEach((text, row) => {
            if (row > 0) first.columns[0]!.values[row] = first.text(0, text);
          });
          // One text is missing from the bound: it comes with the second draft open.
          const filler = out.draft(1);
          filler.columns[0]!.values[0] = filler.text(0, "the last that fits");
          const second = out.draft(1);
          first.columns[0]!.values[0] = first.text(0, many[0]!);
          second.columns[0]!.values[0] = second.text(0, "second");
          for (const draft of [first, filler, second]) out.append(draft);
        },
      })),
    );
    bench.stage.onBatch(batchOf(1));
    expect(bench.sent.map((batch) => textsOf(batch)[0])).toEqual([many[0], "the last that fits", "second"]);
  });
});

test.each([
  ["onBatch", (waiting: () => Promise<void>) => ({ onBatch: waiting })],
  ["onWatermark", (waiting: () => Promise<void>) => ({ onBatch: () => undefined, onWatermark: waiting })],
])("an operator whose %s is async ends its pipeline", (call, create) => {
  for (const kind of ["stateless", "keyed"] as const) {
    const waiting = create(() => Promise.resolve()) as unknown as Operator;
    const { stage, letters } = benchOf(operatorOf(kind, () => waiting));
    expect(() => {
      stage.onBatch(batchOf(3));
      stage.onWatermark(5);
    }).toThrow(
      `step 1 own: operator own failed: ${call} returned a promise: an operator waits for nothing, so it is not async`,
    );
    expect(letters).toEqual([]);
  }
});
