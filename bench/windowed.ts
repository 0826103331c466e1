// The benchmark: readings decoded, filtered and aggregated per device in one-minute windows, weir against
// the program by hand, one thread each. Nothing is timed before both have made the same rows.

import { byHand } from "./by-hand.ts";
import { differenceOf, hashOf } from "./comparison.ts";
import type { Contender } from "./contender.ts";
import { weir } from "./engine.ts";
import { type Pair, processorShare, spreadOf, type Task, timePairs } from "./pairs.ts";
import { bytesEach, makeReadings } from "./readings.ts";
import { machineText, type Report } from "./report.ts";

/** How many times faster weir is to be. */
const want = 6;
/** Below this share of a processor the timings say more about the machine's other work than about weir. */
const quietShare = 0.95;
/** Records that both handle, at least, before any counts: the engine's optimising compilers are done by then. */
const warmupRecords = 2_000_000;

export interface WindowedOptions {
  readonly records: number;
  readonly pairs: number;
}

/** Returns false when the outputs differ; then nothing was timed. */
export function benchWindowed({ records, pairs }: WindowedOptions, report: Report): boolean {
  const batches = makeReadings(records);
  const ours = weir();
  report.note(machineText());
  report.note(
    `${records} readings of ${bytesEach(batches).toFixed(1)} bytes, filtered, per device and minute; one thread`,
  );
  const outcome = ours.open()(batches);
  const expected = byHand.open()(batches);
  const difference = differenceOf(outcome, expected);
  if (difference !== null) {
    process.stderr.write(`the outputs of ${ours.engine} and ${byHand.engine} differ; ${difference}\n`);
    return false;
  }
  report.note(
    `both sent the same ${expected.rows.length} rows (sums to 1e-12) and left out ${expected.filtered} readings`,
  );
  const task = (contender: Contender): Task => {
    return () => {
      const run = contender.open();
      return () => run(batches);
    };
  };
  const taken = timePairs(task(ours), task(byHand), pairs, Math.ceil(warmupRecords / records));
  const line = { suite: "pipeline", workload: "windowed", threads: 1, records };
  const rate = (milliseconds: readonly number[]): number => records / (spreadOf(milliseconds).median / 1000);
  report.result({
    ...line,
    engine: ours.engine,
    records_per_s: rate(taken.map(({ a }) => a.wall_ms)),
    output_hash: hashOf(outcome),
  });
  report.result({
    ...line,
    engine: byHand.engine,
    records_per_s: rate(taken.map(({ b }) => b.wall_ms)),
    output_hash: hashOf(expected),
  });
  reportRatio(taken, report);
  return true;
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
    met: median >= want,
  });
  const share = processorShare(taken);
  const cpu = spreadOf(taken.map(({ a, b }) => b.cpu_ms / a.cpu_ms));
  report.note(`  by processor time of the thread: ${cpu.median.toFixed(2)}×`);
  if (share < quietShare) {
    const percent = Math.round(share * 100);
    report.note(
      `  the machine was busy: ${percent} % of a processor for this thread. Take these for no measurement.`,
    );
  }
}
