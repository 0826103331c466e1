// `npm run bench -- state`: what steps with state cost on columns, without anything before or after them.
// Nothing is timed before outputs are what they have to be.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { type Task, timeRounds } from "../pairs.ts";
import { noteBusy, type Report } from "../report.ts";
import { aggregateCases, type Case, keyedCases, unmeasured } from "./cases.ts";
import { costOf } from "./cost.ts";
import { batchesOf, hashOf, keepStanding, openStep, planOf, type StreamSettings } from "./stream.ts";
import { benchHopping, benchSliding, windowFault } from "./windows.ts";

const stream = { keys: 1_000, step_ms: 1 };
/** Readings that make the same rows in batches as they come and in others: over some minutes, so that all steps send some. */
const compared: StreamSettings = { keys: 100, step_ms: 20, records: 20_000 };
const otherBatchRows = 997;

interface Step {
  readonly case: Case;
  readonly plan: PipelinePlan;
  /** Of the rows that the compared readings make. */
  readonly hash: string;
}

export interface StateOptions {
  readonly records: number;
  readonly pairs: number;
}

/** Returns false when an output is wrong; then nothing was timed. */
export function benchState({ records, pairs }: StateOptions, report: Report): boolean {
  const [keyed, aggregates] = [keyedCases.map(stepOf), aggregateCases.map(stepOf)];
  const faults = [windowFault(), ...[...keyed, ...aggregates].map(cutFault)];
  const fault = faults.find((each) => each !== null);
  if (fault !== undefined) {
    process.stderr.write(`${fault}\n`);
    return false;
  }
  report.note(`keyed operators, ${records} readings of ${stream.keys} keys, columns in, rows out`);
  benchSteps(keyed, records, pairs, report);
  for (const name of unmeasured()) report.note(`  ${name} has no case here`);
  report.note(`aggregates, each in a window of its own that stays open`);
  benchSteps(aggregates, records, pairs, report);
  benchHopping(records, pairs, report);
  benchSliding(records, pairs, report);
  return true;
}

function stepOf(each: Case): Step {
  const plan = planOf(each.operator, each.settings);
  return { case: each, plan, hash: hashOf(plan, batchesOf(plan, compared)) };
}

/** What is wrong when the stream is cut into other batches; null for nothing. */
function cutFault({ case: { name }, plan, hash }: Step): string | null {
  const batches = batchesOf(plan, { ...compared, batchRows: otherBatchRows });
  return hashOf(plan, batches) === hash
    ? null
    : `${name}: the rows depend on how records are cut into batches`;
}

function benchSteps(steps: readonly Step[], records: number, rounds: number, report: Report): void {
  const taken = timeRounds(
    steps.map(({ plan }) => taskOf(plan, batchesOf(plan, { ...stream, records }))),
    rounds,
    1,
  );
  steps.forEach(({ case: { name, want }, hash }, place) => {
    report.cost(costOf({ workload: name, records, hash, timings: taken[place]!, want }));
  });
  noteBusy(taken.flat(), report);
}

function taskOf(plan: PipelinePlan, batches: readonly Batch[]): Task {
  keepStanding(plan, batches);
  return () => {
    const run = openStep(plan);
    return () => void run(batches);
  };
}
