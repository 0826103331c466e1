// An operator with tables for few keys, and a collector that only counts: what happens when a table is
// full can then be tested without a million keys.

import { exampleLimits } from "weir/testing";
import type { Batch, Collector, Operator, OperatorDefinition, Reason, RecordStore } from "weir/sdk";
import { makeBatch } from "../../runtime/batch/batch.ts";
import { TextDictionary } from "../../runtime/batch/columns.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import type { Records } from "../../runtime/state/records.ts";
import { makeTables } from "../../runtime/state/tables.ts";
import type { Reading } from "./stream.fixture.ts";

export class Counting implements Collector {
  out = 0;
  readonly ledger: Partial<Record<Reason, number>> = {};
  /** Rows of the present batch that were dropped one by one; as the engine has it, others are filtered. */
  #dropped = 0;

  /** Begins a call of the operator. */
  begin(): this {
    this.#dropped = 0;
    return this;
  }

  emit(batch: Batch): void {
    for (let i = 1; i < batch.count; i++) {
      if (batch.selection[i]! <= batch.selection[i - 1]!) throw new Error("expected rows in ascending order");
    }
    for (let i = 0; i < batch.count; i++) this.out += batch.weight?.[batch.selection[i]!] ?? 1;
  }
  select(batch: Batch, _rows: Uint32Array, count: number, reason: Reason = "filtered"): void {
    this.out += count;
    this.#count(reason, batch.count - count - this.#dropped);
  }
  project(batch: Batch): void {
    this.out += batch.count;
  }
  scratch(batch: Batch): Uint32Array {
    return new Uint32Array(batch.count);
  }
  drop(_batch: Batch, _row: number, reason: Reason): void {
    this.#count(reason, 1);
    this.#dropped++;
  }
  release(store: RecordStore, slots: Int32Array, _watermarks?: Float64Array, batch?: Batch | null): void {
    for (const slot of slots)
      this.out += slot < 0 ? (batch!.weight?.[-2 - slot] ?? 1) : (store as Records).free(slot);
  }
  copy(store: RecordStore, slots: Int32Array): void {
    for (const slot of slots) {
      this.out += store.weight(slot);
      (store as Records).weigh(slot, 0);
    }
  }
  discard(store: RecordStore, slots: Int32Array, count: number, reason: Reason): void {
    for (const slot of slots.subarray(0, count)) this.#count(reason, (store as Records).free(slot));
  }
  reject(): never {
    throw new Error("none of these operators rejects");
  }
  draft(): never {
    throw new Error("none of these operators makes rows");
  }
  append(): never {
    throw new Error("none of these operators makes rows");
  }
  more(): never {
    throw new Error("none of these operators makes rows");
  }
  #count(reason: Reason, records: number): void {
    if (records > 0) this.ledger[reason] = (this.ledger[reason] ?? 0) + records;
  }
}

export interface Small {
  readonly operator: Operator;
  batch(readings: readonly Reading[], watermark: (reading: Reading) => number): Batch;
  held(): number;
}

/** The operator over `n`, `key`, `ts` and `x`, with room for `keysMax` keys in each of its tables. */
export function withSmallTables(definition: OperatorDefinition, setting: unknown, keysMax: number): Small {
  const source = {
    file: { path: "in.ndjson" },
    format: "json",
    schema: { n: "float64", key: "string", ts: "time", x: "float64" },
    time: { field: "ts" },
  };
  const steps = [{ [definition.name]: setting }, { sink: { stdout: {}, format: "json" } }];
  const { plan } = loadPipeline({
    file: "small",
    content: JSON.stringify({ name: "small", source, limits: exampleLimits, steps }),
    catalogue: [definition],
  });
  const { config, input, output } = [...plan!.steps, ...plan!.branches[0]!.steps][0]!;
  const { byName } = makeTables(definition.state(config), keysMax);
  const texts = new TextDictionary();
  const metrics = { max: () => undefined, add: () => undefined };
  return {
    operator: definition.create(config, { input, output, state: byName, references: {}, metrics }),
    held: () => Object.values(byName).reduce((total, table) => total + table.held, 0),
    batch: (readings, watermark) => {
      const numbers = (name: string): Float64Array =>
        Float64Array.from(readings, (each) => each[name as "n"] ?? 0);
      return makeBatch({
        schema: input,
        columns: input.fields.map(({ name, type }) =>
          type === "string"
            ? {
                type,
                values: Int32Array.from(readings, ({ key }) => texts.code(key!)),
                valid: null,
                dictionary: texts,
              }
            : { type: type as "float64", values: numbers(name), valid: null, dictionary: null },
        ),
        rows: readings.length,
        time: numbers("ts"),
        watermark: Float64Array.from(readings, watermark),
      });
    },
  };
}
