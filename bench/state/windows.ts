// What overlapping windows cost: hopping against tumbling, and sliding windows that hold few and many rows.
// Before anything is timed, small streams are held to the definition of each window.

import { type Batch, valueAt } from "../../operators/sdk/index.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { spreadOf, type Task, timeRounds, type Timing } from "../pairs.ts";
import { noteBusy, type Report } from "../report.ts";
import { costOf } from "./cost.ts";
import { type Aggregated, differenceOf, hoppingOf, type Reading, slidingOf } from "./definition.ts";
import { batchesOf, hashOf, keepStanding, openStep, planOf, type StreamSettings } from "./stream.ts";

/** A hopping window with thirty overlaps costs at most this many times a tumbling one. */
const wantHopping = 2;
/** The dearest sliding window costs at most this many times the cheapest. */
const wantSliding = 1.5;

const select = { n: "count()", sum: "sum(temp)", min: "min(temp)", max: "max(temp)" };

function windowPlan(kind: Readonly<Record<string, unknown>>): PipelinePlan {
  return planOf("window", { ...kind, by: "device", select });
}

/** Two hundred devices, one reading a second of each: sixty for a key and minute. */
const hoppingStream = { keys: 200, step_ms: 5, late: false };
/** So many that the longest window is full for half of the stream. */
const slidingStream = { keys: 4, step_ms: 1, late: false };
const slidingRows = [10, 1_000, 100_000];

function slidingKind(rows: number): { readonly sliding: string } {
  return { sliding: `${rows * slidingStream.keys * slidingStream.step_ms}ms` };
}

function readingsOf(batches: readonly Batch[]): Reading[] {
  return batches.flatMap(({ schema, columns, rows }) => {
    const at = (name: string): number => schema.fields.findIndex((field) => field.name === name);
    const [device, ts, temp] = [columns[at("device")]!, columns[at("ts")]!, columns[at("temp")]!];
    return Array.from({ length: rows }, (_, row) => ({
      device: valueAt(device, row) as string,
      ts: valueAt(ts, row) as number,
      temp: valueAt(temp, row) as number,
    }));
  });
}

function sentBy(plan: PipelinePlan, batches: readonly Batch[]): Aggregated[] {
  const sent: Aggregated[] = [];
  openStep(plan, ({ columns }, row) => {
    const [, end, device, n, , min, max] = columns.map((column) => valueAt(column, row));
    sent.push({ device, end, n, min, max } as Aggregated);
  })(batches, true);
  return sent;
}

/** How the windows differ from their definition on small streams; null when they do not. */
export function windowFault(): string | null {
  const hopping = windowPlan({ hopping: { size: "30m", every: "1m" } });
  const minutes = batchesOf(hopping, { ...hoppingStream, keys: 7, records: 2_000, step_ms: 2_000 });
  const hoppingFault = differenceOf(
    sentBy(hopping, minutes),
    hoppingOf(readingsOf(minutes), 1_800_000, 60_000),
  );
  if (hoppingFault !== null) return `hopping: ${hoppingFault}`;
  for (const rows of slidingRows) {
    const sliding = windowPlan(slidingKind(rows));
    const batches = batchesOf(sliding, { ...slidingStream, records: 3_000 });
    const expected = slidingOf(readingsOf(batches), rows * slidingStream.keys * slidingStream.step_ms);
    const fault = differenceOf(sentBy(sliding, batches), expected);
    if (fault !== null) return `sliding, ${rows} rows: ${fault}`;
  }
  return null;
}

interface Measured {
  readonly name: string;
  readonly plan: PipelinePlan;
  readonly batches: readonly Batch[];
  /** Batches that are run before the clock is started. */
  readonly before: number;
}

function taskOf({ plan, batches, before }: Measured): Task {
  keepStanding(plan, batches);
  return () => {
    const run = openStep(plan);
    run(batches.slice(0, before));
    return () => void run(batches.slice(before));
  };
}

/** Times the windows in turns and reports each; the timings, by window. */
function measure(
  measured: readonly Measured[],
  rounds: number,
  report: Report,
): readonly (readonly Timing[])[] {
  const taken = timeRounds(measured.map(taskOf), rounds, 1);
  measured.forEach(({ name, plan, batches, before }, place) => {
    const records = batches.slice(before).reduce((total, batch) => total + batch.count, 0);
    const hash = hashOf(plan, batches.slice(0, 8));
    report.cost(costOf({ workload: name, records, hash, timings: taken[place]!, want: null }));
  });
  noteBusy(taken.flat(), report);
  return taken;
}

function reportRatio(
  target: string,
  want: number,
  a: readonly Timing[],
  b: readonly Timing[],
  report: Report,
): void {
  const { median, min, max } = spreadOf(a.map(({ wall_ms }, round) => wall_ms / b[round]!.wall_ms));
  const spread = { ratio: median, ratio_min: min, ratio_max: max, pairs: a.length };
  report.verdict({ target, ...spread, want, bound: "most", met: median <= want });
}

function streamed(name: string, kind: Readonly<Record<string, unknown>>, stream: StreamSettings): Measured {
  const plan = windowPlan(kind);
  return { name, plan, batches: batchesOf(plan, stream), before: 0 };
}

export function benchHopping(records: number, rounds: number, report: Report): void {
  report.note(
    `hopping and tumbling windows, ${records} readings of ${hoppingStream.keys} keys, columns in, rows out`,
  );
  const stream = { ...hoppingStream, records };
  const measured = [
    streamed("hopping 30m every 1m", { hopping: { size: "30m", every: "1m" } }, stream),
    streamed("tumbling 1m", { tumbling: "1m" }, stream),
    streamed("tumbling 30m", { tumbling: "30m" }, stream),
  ];
  const [hopping, short, long] = measure(measured, rounds, report) as [
    readonly Timing[],
    readonly Timing[],
    readonly Timing[],
  ];
  reportRatio("hopping against tumbling 1m, which sends as many rows", wantHopping, hopping, short, report);
  reportRatio("hopping against tumbling 30m", wantHopping, hopping, long, report);
}

export function benchSliding(records: number, rounds: number, report: Report): void {
  report.note(`sliding windows, ${records} readings of ${slidingStream.keys} keys, the last half timed`);
  const measured = slidingRows.map((rows) => {
    const each = streamed(`sliding, ${rows} rows inside`, slidingKind(rows), { ...slidingStream, records });
    return { ...each, before: each.batches.length >>> 1 };
  });
  const taken = measure(measured, rounds, report);
  const sums = taken.map((timings) => timings.reduce((total, { cpu_ms }) => total + cpu_ms, 0));
  const [dearest, cheapest] = [sums.indexOf(Math.max(...sums)), sums.indexOf(Math.min(...sums))];
  const target = `sliding: ${slidingRows[dearest]} rows inside against ${slidingRows[cheapest]}`;
  reportRatio(target, wantSliding, taken[dearest]!, taken[cheapest]!, report);
}
