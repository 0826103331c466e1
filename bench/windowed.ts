// The benchmark: readings decoded, filtered and aggregated per device in one-minute windows, weir against
// the program by hand, one thread each. Nothing is timed before both have made the same rows.

import type { PayloadBatch } from "../runtime/batch/payloads.ts";
import { byHand } from "./by-hand.ts";
import { differenceOf, hashOf } from "./comparison.ts";
import type { Contender, Outcome } from "./contender.ts";
import { weir } from "./engine.ts";
import { type Pair, processorRatio, spreadOf, type Task, type Timing, timePairs } from "./pairs.ts";
import { bytesEach, makeReadings } from "./readings.ts";
import { machineText, noteBusy, type Report, type Result } from "./report.ts";

/** How many times faster weir is to be. */
const want = 6;
/** Records that both handle, at least, before any counts: the engine's optimising compilers are done by then. */
const warmupRecords = 2_000_000;

export interface WindowedOptions {
  readonly records: number;
  readonly pairs: number;
}

/** Returns false when the outputs differ; then nothing was timed. */
export function benchWindowed({ records, pairs }: WindowedOptions, report: Report): boolean {
  const batches = makeReadings(records);
  const bytes = bytesEach(batches).toFixed(1);
  report.note(machineText());
  report.note(`${records} readings of ${bytes} bytes, filtered, per device and minute; one thread`);
  const ours = weir();
  const outcome = ours.open()(batches);
  const expected = byHand.open()(batches);
  const difference = differenceOf(outcome, expected);
  if (difference !== null) {
    process.stderr.write(`the outputs of ${ours.engine} and ${byHand.engine} differ; ${difference}\n`);
    return false;
  }
  const { rows, filtered } = expected;
  report.note(`both sent the same ${rows.length} rows (sums to 1e-12) and left out ${filtered} readings`);
  const warmups = Math.ceil(warmupRecords / records);
  const taken = timePairs(taskOf(ours, batches), taskOf(byHand, batches), pairs, warmups);
  const timings = [taken.map(({ a }) => a), taken.map(({ b }) => b)] as const;
  report.result(resultOf(ours, records, timings[0], outcome));
  report.result(resultOf(byHand, records, timings[1], expected));
  reportRatio(taken, report);
  return true;
}

function taskOf(contender: Contender, batches: readonly PayloadBatch[]): Task {
  return () => {
    const run = contender.open();
    return () => run(batches);
  };
}

function resultOf(
  { engine }: Contender,
  records: number,
  timings: readonly Timing[],
  outcome: Outcome,
): Result {
  const median_ms = spreadOf(timings.map(({ wall_ms }) => wall_ms)).median;
  return {
    suite: "pipeline",
    workload: "windowed",
    engine,
    threads: 1,
    records,
    records_per_s: records / (median_ms / 1000),
    output_hash: hashOf(outcome),
  };
}

function reportRatio(taken: readonly Pair[], report: Report): void {
  const { median, min, max } = spreadOf(taken.map(({ a, b }) => b.wall_ms / a.wall_ms));
  report.verdict({
    target: `weir against ${byHand.engine}`,
    ratio: median,
    ratio_min: min,
    ratio_max: max,
    pairs: taken.length,
    want,
    bound: "least",
    met: median >= want,
  });
  report.note(`  by processor time of the thread, all pairs together: ${processorRatio(taken).toFixed(2)}×`);
  noteBusy(
    taken.flatMap(({ a, b }) => [a, b]),
    report,
  );
}
