// The suite finds what it is there to find: operators with planted faults, one for each law.

import { describe, expect, test } from "vitest";
import {
  type Batch,
  type Collector,
  type Column,
  defineFilter,
  defineOperator,
  field,
  type KeyTable,
  noKey,
  type Operator,
  type OperatorDefinition,
  type OperatorSpec,
  type Schema,
  table,
  z,
} from "weir/sdk";
import { conformanceCases, conformanceFaults } from "./conformance.ts";

const examples: OperatorDefinition["examples"] = [
  {
    title: "As they come",
    config: { by: "device" },
    schema: { device: "string", ts: "time", temp: "float64" },
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 1 },
      { device: "b", ts: 1_000, temp: 2 },
      { device: "a", ts: 2_000, temp: 3 },
    ],
    output: [
      { device: "a", ts: 0, temp: 1 },
      { device: "b", ts: 1_000, temp: 2 },
      { device: "a", ts: 2_000, temp: 3 },
    ],
  },
];

const config = z.strictObject({ by: field.keys("The key.") });
const keyed = ({ by }: z.output<typeof config>) => ({ keys: table.keyed(by, [0]) });
type Planted = OperatorSpec<typeof config, ReturnType<typeof keyed>, Readonly<Record<string, never>>>;

function planted(create: Planted["create"]): OperatorDefinition {
  return defineOperator({
    name: "planted",
    summary: "For tests.",
    rule: "For tests.",
    kind: "keyed",
    config,
    examples,
    state: keyed,
    create,
  });
}

/** The laws that the operator breaks, and the messages that say so. */
function faultsOf(definition: OperatorDefinition): string[] {
  return conformanceFaults(definition, { runs: 30 }).map((fault) => fault.replace(/^planted: /, ""));
}

/** The stream at the end of a message. */
function streamIn(fault: string): readonly unknown[] {
  return JSON.parse(/stream[^:]*: (\[.*\])$/.exec(fault)![1]!) as readonly unknown[];
}

describe("a planted fault is found", () => {
  test("none where there is none", () => {
    expect(faultsOf(planted(() => ({ onBatch: (batch, out) => out.emit(batch) })))).toEqual([]);
  });

  test("a row that is passed once a batch", () => {
    const once = planted(() => ({
      onBatch: (batch, out) => out.select(batch, batch.selection, Math.min(2, batch.count)),
    }));
    expect(faultsOf(once).join()).toMatch(/batches may be cut anywhere.*something else.*stream: /s);
  });

  test("a number in a closure, which a restart forgets", () => {
    const closure = planted(() => {
      let seen = 0;
      return {
        onBatch(batch, out) {
          const rows = out.scratch(batch);
          let count = 0;
          for (let i = 0; i < batch.count; i++) if (++seen % 7 > 0) rows[count++] = batch.selection[i]!;
          out.select(batch, rows, count);
        },
      };
    });
    const faults = faultsOf(closure);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(
      /a restart anywhere does not show.*a restart shows.*stream, with restarts before/s,
    );
    // A shorter one would hardly show it.
    expect(streamIn(faults[0]!).length).toBeLessThanOrEqual(9);
  });

  test("a first row that is expected", () => {
    const first = planted(() => ({
      onBatch(batch, out) {
        if (batch.count === 0) throw new TypeError("no row");
        out.emit(batch);
      },
    }));
    expect(faultsOf(first)).toEqual([expect.stringMatching(/empty batches are harmless.*no row/s)]);
  });

  test("records that are kept for ever", () => {
    const keeping = planted((_config, { state: { keys } }) => ({
      onBatch(batch, out) {
        const ids = new Uint32Array(batch.count);
        keys.keys.identify(batch, ids);
        keys.reserve();
        for (let i = 0; i < batch.count; i++) keys.records.keep(batch, batch.selection[i]!);
        void out;
      },
    }));
    expect(faultsOf(reading(keeping)).join()).toMatch(/are still held.*state grows with the stream/s);
  });

  test("records that are left out in silence", () => {
    const silent = planted(() => ({ onBatch: () => undefined }));
    expect(faultsOf(silent).join()).toMatch(/the ledger's law is broken/);
  });

  const wider = (input: Schema): Schema => ({
    ...input,
    fields: [...input.fields, { name: "more", type: "float64" }],
  });
  const temp = (batch: Batch): Column =>
    batch.columns[batch.schema.fields.findIndex(({ name }) => name === "temp")]!;
  /** What is read is what a setting names. */
  const reading = (definition: OperatorDefinition): OperatorDefinition => ({
    ...definition,
    examples: examples.map((each) => ({ ...each, config: { by: ["device", "temp"] } })),
  });

  test.each<[name: string, fault: string, onBatch: Operator["onBatch"], schema?: typeof wider]>([
    [
      "a column that is changed in place",
      "it changes column temp of the batch that it is given",
      (batch, out) => {
        for (let i = 0; i < batch.count; i++) temp(batch).values[batch.selection[i]!] = 5;
        out.emit(batch);
      },
    ],
    [
      "a time that is changed in place",
      "it changes time of the batch that it is given",
      (batch, out) => {
        batch.time.fill(5);
        out.emit(batch);
      },
    ],
    [
      "a column that is left out",
      "it sends 2 columns, and its schema has 3",
      (batch, out) => out.project(batch, batch.columns.slice(0, 2)),
    ],
    [
      "a column of another type",
      "column more: it sends one of type string, and its schema says float64",
      (batch, out) => out.project(batch, [...batch.columns, batch.columns[0]!]),
      wider,
    ],
    [
      "a number that is none",
      "column more: a row that is not null has NaN; for null, put 0 into valid",
      (batch, out) => {
        const draft = out.draft(batch.rows);
        draft.columns[3]!.values.fill(Number.NaN as never);
        out.project(batch, [...batch.columns, draft.columns[3]!]);
      },
      wider,
    ],
    [
      "other values in a field that is passed on",
      "column temp: it sends other values than came, and its schema passes the field on: a column that is replaced has a new field",
      (batch, out) => {
        const draft = out.draft(batch.rows);
        draft.columns[2]!.values.fill(17 as never);
        out.project(batch, [batch.columns[0]!, batch.columns[1]!, draft.columns[2]!]);
      },
    ],
    [
      "a value under null that decides",
      "it reads what it may not: rows that are not selected, values under null, or a batch behind its call",
      (batch, out) => {
        const rows = out.scratch(batch);
        let count = 0;
        for (let i = 0; i < batch.count; i++) {
          const row = batch.selection[i]!;
          if (Number(temp(batch).values[row]) < 1e10) rows[count++] = row;
        }
        out.select(batch, rows, count);
      },
    ],
    [
      "rows that are not selected",
      "which is not selected: loop over batch.selection[0 … batch.count)",
      (batch, out) =>
        out.select(
          batch,
          Uint32Array.from(batch.time, (_time, row) => row),
          batch.rows,
        ),
    ],
  ])("%s", (_name, fault, onBatch, schema) => {
    const definition = reading(planted(() => ({ onBatch })));
    const faults = faultsOf(schema === undefined ? definition : { ...definition, schema });
    const found = faults.find((each) => each.startsWith("it reads and sends what it may: "));
    expect(found).toContain(fault);
    expect(streamIn(found!).length).toBeLessThanOrEqual(2);
  });

  test("a batch that is read behind its call", () => {
    const keeping = planted(() => {
      let last: Batch | null = null;
      return {
        onBatch(batch, out) {
          const isHigh = last !== null && Number(temp(last).values[0]) > 1e10;
          last = batch;
          out.select(batch, batch.selection, isHigh ? 0 : batch.count);
        },
      };
    });
    expect(faultsOf(reading(keeping)).join()).toMatch(
      /it reads and sends what it may: .*a batch behind its call/,
    );
  });

  const keptBy = (forgets: boolean): OperatorDefinition =>
    planted((_config, { state: { keys } }) => {
      const letGo = (key: number, out: Collector): void => {
        const slot = keys.cells[0]![key]! - 1;
        if (slot >= 0) out.release(keys.records, Int32Array.of(slot));
        keys.cells[0]![key] = 0;
      };
      return {
        onBatch(batch, out) {
          const ids = new Uint32Array(batch.count);
          keys.keys.identify(batch, ids);
          keys.reserve();
          for (let i = 0; i < batch.count; i++) {
            const row = batch.selection[i]!;
            if (ids[i] === noKey) out.drop(batch, row, "overflow");
            else {
              letGo(ids[i]!, out);
              keys.cells[0]![ids[i]!] = 1 + keys.records.keep(batch, row);
            }
          }
        },
        onWatermark(watermark, out) {
          if (watermark === Infinity) for (let key = 0; key < keys.keys.size; key++) letGo(key, out);
        },
        ...(forgets ? { onForget: (_keys: KeyTable, key: number, out: Collector) => letGo(key, out) } : {}),
      };
    });

  test("a record that is kept of a key which is forgotten", () => {
    const law = /^keys may lack room, or be forgotten: /;
    expect(faultsOf(keptBy(true)).filter((fault) => law.test(fault))).toEqual([]);
    const fault = faultsOf(keptBy(false)).find((each) => law.test(each));
    expect(fault).toContain("after the end of the stream 1 records are still held");
  });

  test("a key that has no room, and is counted with as if it had", () => {
    const counting = planted((_config, { state: { keys } }) => ({
      onBatch(batch, out) {
        const ids = new Uint32Array(batch.count);
        keys.keys.identify(batch, ids);
        keys.reserve();
        const draft = out.draft(batch.rows);
        const column = draft.columns.at(-1)!;
        for (let i = 0; i < batch.count; i++) {
          column.values[batch.selection[i]!] = 1 + keys.cells[0]![ids[i]!]!++;
        }
        out.project(batch, [...batch.columns, column]);
      },
    }));
    expect(faultsOf({ ...counting, schema: wider }).join()).toContain(
      "column more: a row that is not null has NaN",
    );
  });

  test("an error that a record ends in", () => {
    const throwing = defineFilter({
      name: "planted",
      summary: "For tests.",
      config,
      examples,
      keep:
        ({ by }) =>
        (record) => {
          if (record.get(by[1]!) === null) throw new Error("null");
          return true;
        },
    });
    expect(faultsOf(reading(throwing))[0]).toContain(
      "it throws at a record, which is left out for it: null; null says that there is no value, and reject()",
    );
  });
});

test("an operator that nothing is known to try on passes no case", () => {
  const [only, ...others] = conformanceCases({
    ...planted(() => ({ onBatch: () => undefined })),
    examples: [],
  });
  expect(others).toEqual([]);
  expect(() => only!.run()).toThrow("planted has no example to try it on");
});
