// A stream of sensor readings as batches of columns, and one operator that it runs through: with its stage
// and tables as in a pipeline, and nothing before or after it. Times nothing.

import { createHash } from "node:crypto";
import { catalog } from "../../operators/catalog.ts";
import { type Batch, type Column, type Origin, valueAt } from "../../operators/sdk/index.ts";
import { makeBatch } from "../../runtime/batch/batch.ts";
import { TextDictionary } from "../../runtime/batch/columns.ts";
import { PayloadBuilder, PayloadOrigin } from "../../runtime/batch/payloads.ts";
import { linkChain } from "../../runtime/engine/chain.ts";
import { trunkOf } from "../../runtime/pipeline/trunk.ts";
import { Ledger } from "../../runtime/engine/ledger.ts";
import { References } from "../../runtime/engine/references.ts";
import type { Receiver } from "../../runtime/engine/receiver.ts";
import { limits } from "../../runtime/limits.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { seeded } from "../seeded.ts";

export interface StreamSettings {
  readonly records: number;
  readonly keys: number;
  /** Event time between two readings. */
  readonly step_ms: number;
  /** Whether one reading in a hundred comes late, some of them too late; by default they do. */
  readonly late?: boolean;
  readonly batchRows?: number;
}

/** Event time of the first reading: the beginning of a day. */
const start_ms = 1_699_920_000_000;
/** How late a reading may come, and one in so many that does. */
const lateness_ms = 1_000;
const lateEvery = 100;
/** How long a sensor's value takes to swing once. */
const swing_ms = 600_000;

const types = {
  device: "string",
  ts: "time",
  temp: "float64",
  n: "float64",
  seq: "int64",
  ok: "bool",
  unit: "string",
} as const;

/** The table that a look-up reads, and how many devices are in it: the others have no row. */
export const deviceTable = "devices.json";
const devicesKnown = 900;

const deviceRows = new TextEncoder().encode(
  JSON.stringify(
    Object.fromEntries(
      Array.from({ length: devicesKnown }, (_, key) => [
        deviceName(key),
        { site: `site-${key % 20}`, limit: key },
      ]),
    ),
  ),
);

function deviceName(key: number): string {
  return `device-${String(key).padStart(6, "0")}`;
}

/** The plan of a pipeline that is one step. */
export function planOf(operator: string, settings: unknown): PipelinePlan {
  const pipeline = {
    name: "one-step",
    source: {
      nats: { subject: "sensors" },
      format: "json",
      schema: types,
      time: { field: "ts", lateness: `${lateness_ms}ms` },
    },
    limits: { keys: { max: 1_000_000 }, rate: "1000000/s", memory: "100000GiB" },
    steps: [{ [operator]: settings }, { sink: { stdout: {}, format: "json" } }],
  };
  const { plan, diagnostics } = loadPipeline({
    file: operator,
    content: JSON.stringify(pipeline),
    catalogue: catalog,
  });
  if (plan === null) throw new TypeError(`${operator}: ${diagnostics[0]?.message ?? "no plan"}`);
  return plan;
}

/** All readings of a stream, each column in one array. */
interface Columns {
  readonly values: Readonly<Record<keyof typeof types, Column["values"]>>;
  readonly watermark: Float64Array;
  readonly dictionaries: Readonly<Record<string, TextDictionary>>;
}

const made = new Map<string, Columns>();

/** The readings of a stream, made once: every plan takes the columns that it reads. */
function columnsOf({ records, keys, step_ms, late = true }: StreamSettings): Columns {
  const name = [records, keys, step_ms, late].join();
  const columns = made.get(name) ?? makeColumns(records, keys, step_ms, late);
  made.set(name, columns);
  return columns;
}

function makeColumns(records: number, keys: number, step_ms: number, late: boolean): Columns {
  const random = seeded(7);
  const [device, ts, temp] = [new Int32Array(records), new Float64Array(records), new Float64Array(records)];
  const [n, seq, ok] = [new Float64Array(records), new BigInt64Array(records), new Uint8Array(records)];
  const [unit, watermark] = [new Int32Array(records), new Float64Array(records)];
  const dictionaries = { device: new TextDictionary(), unit: new TextDictionary() };
  for (let key = 0; key < keys; key++) dictionaries.device.code(deviceName(key));
  for (let key = 0; key < 5; key++) dictionaries.unit.code(`unit-${key}`);
  const counters = new Float64Array(keys);
  let newest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < records; row++) {
    const key = Math.floor(random() * keys);
    const behind = Math.floor(random() * lateEvery) === 0 ? Math.floor(random() * lateness_ms * 2) : 0;
    const at = start_ms + row * step_ms - (late ? behind : 0);
    watermark[row] = newest - lateness_ms;
    newest = Math.max(newest, at);
    device[row] = key;
    ts[row] = at;
    const swing = Math.sin((2 * Math.PI * at) / swing_ms + key);
    temp[row] = Math.round((20 + 5 * swing + (random() - 0.5) * 0.2) * 100) / 100;
    counters[key]! += Math.floor(random() * 100);
    n[row] = counters[key]!;
    seq[row] = BigInt(row);
    ok[row] = random() < 0.98 ? 1 : 0;
    unit[row] = Math.floor(random() * 5);
  }
  return { values: { device, ts, temp, n, seq, ok, unit }, watermark, dictionaries };
}

/** What the readings of a batch were in JSON: kept records take a copy along. A source uses its buffer again as well. */
function originOf(rows: number): Origin {
  const reading = { device: "device-000423", ts: start_ms, temp: 23.9, n: 4711, ok: true, unit: "unit-0" };
  const payload = new TextEncoder().encode(JSON.stringify(reading));
  const builder = new PayloadBuilder(rows);
  for (let row = 0; row < rows; row++) builder.add(payload, "sensors", start_ms);
  return new PayloadOrigin(builder.take());
}

const fullOrigin = originOf(limits.batch_rows_max);

/** The stream as the operator of `plan` gets it, with the columns that the plan decodes. */
export function batchesOf(plan: PipelinePlan, settings: StreamSettings): readonly Batch[] {
  const { values, watermark, dictionaries } = columnsOf(settings);
  const { batchRows = limits.batch_rows_max, records } = settings;
  const batches: Batch[] = [];
  for (let from = 0; from < records; from += batchRows) {
    const to = Math.min(from + batchRows, records);
    const columns = plan.schema.fields.map(({ name, type }) => {
      const column = values[name as keyof typeof types].subarray(from, to);
      return { type, values: column, valid: null, dictionary: dictionaries[name] ?? null } as Column;
    });
    batches.push(
      makeBatch({
        schema: plan.schema,
        columns,
        rows: to - from,
        time: values.ts.subarray(from, to) as Float64Array,
        watermark: watermark.subarray(from, to),
        origin: fullOrigin,
      }),
    );
  }
  return batches;
}

/** The watermark after a batch: that of a record which came next. */
function watermarkAfter(batches: readonly Batch[], place: number): number {
  const { time, watermark, rows } = batches[place]!;
  return batches[place + 1]?.watermark[0] ?? Math.max(watermark[rows - 1]!, time[rows - 1]! - lateness_ms);
}

/** A new operator; what it returns takes the stream, calling `row` for each row that goes out. Returns how many did. */
export function openStep(
  plan: PipelinePlan,
  row?: (batch: Batch, row: number) => void,
): (batches: readonly Batch[], ends?: boolean) => number {
  let rows = 0;
  const references = new References(plan);
  references.replace(deviceTable, { kind: "file", name: deviceTable, format: "json", bytes: deviceRows });
  const sink: Receiver = {
    onBatch(batch) {
      rows += batch.count;
      if (row !== undefined) for (let i = 0; i < batch.count; i++) row(batch, batch.selection[i]!);
    },
    onWatermark: () => undefined,
  };
  const { first } = linkChain(trunkOf(plan).trunk, new Ledger(), () => undefined, sink, references);
  return (batches, ends = false) => {
    for (const [place, batch] of batches.entries()) {
      first.onBatch(batch);
      first.onWatermark(watermarkAfter(batches, place));
    }
    if (ends) first.onWatermark(Number.POSITIVE_INFINITY);
    return rows;
  };
}

const standing: unknown[] = [];
/** Batches that an operator which stays has taken. */
const standingBatches = 8;

/**
 * Opens an operator that stays for as long as the process, as all do in a worker: when the last object of a kind is gone, garbage
 * collection takes along the code that was made for it, and the next run would be timed while it is made anew.
 */
export function keepStanding(plan: PipelinePlan, batches: readonly Batch[]): void {
  const run = openStep(plan);
  run(batches.slice(0, standingBatches));
  standing.push(run);
}

/** Names the rows that go out of a step, in order: equal for streams that are cut into other batches. */
export function hashOf(plan: PipelinePlan, batches: readonly Batch[]): string {
  const hash = createHash("sha256");
  openStep(plan, ({ columns }, row) => {
    hash.update(`${columns.map((column) => String(valueAt(column, row))).join(" ")}\n`);
  })(batches, true);
  return hash.digest("hex").slice(0, 16);
}
