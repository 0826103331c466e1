// The suites that compare engines: every workload of a suite, then the targets on it. Nothing is timed where
// outputs differ.

import { messageOf } from "../../runtime/errors.ts";
import { engines } from "../engines/engines.ts";
import { installPeers } from "../engines/peers.ts";
import { atMost, type Report, type Result, type Verdict } from "../report.ts";
import { costTargets, type Target, targets } from "../targets.ts";
import { workloads } from "../workloads/workloads.ts";
import { type ContestOptions, contest, ratioOf, type Standing } from "./contest.ts";
import type { Workload } from "./workload.ts";

function resultOf({ suite, name }: Workload, standing: Standing): Result {
  const { engine, records, records_per_s, cpu_s_per_m_records, peak_rss_mb, hash } = standing;
  return {
    suite,
    workload: name,
    engine: engine.name,
    threads: engine.threads,
    records,
    records_per_s: records_per_s.toSorted((a, b) => a - b)[records_per_s.length >>> 1]!,
    ...(cpu_s_per_m_records === null ? {} : { cpu_s_per_m_records }),
    ...(peak_rss_mb === null ? {} : { peak_rss_mb }),
    output_hash: hash,
  };
}

/** Null where one of the two did not take part. */
function verdictOf({ workload, engine, than, want }: Target, standings: readonly Standing[]): Verdict | null {
  const [a, b] = [engine, than].map((name) => standings.find((each) => each.engine.name === name));
  if (a === undefined || b === undefined) return null;
  const { median, min, max } = ratioOf(a, b);
  return {
    target: `${workload}: ${engine} against ${than}`,
    ratio: median,
    ratio_min: min,
    ratio_max: max,
    pairs: a.records_per_s.length,
    want,
    bound: "least",
    met: median >= want,
  };
}

/** By workload, what a record costs weir. */
type Costs = Map<string, number>;

function reportCosts(costs: Costs, report: Report): void {
  for (const { workload, than, want } of costTargets) {
    const [cost, other] = [costs.get(workload), costs.get(than)];
    if (cost === undefined || other === undefined) continue;
    report.verdict(atMost(`cost of a record, ${workload} against ${than}`, cost / other, want));
  }
}

async function compare(
  workload: Workload,
  options: ContestOptions,
  costs: Costs,
  report: Report,
): Promise<void> {
  const standings = await contest(workload, engines, options, report);
  for (const standing of standings) report.result(resultOf(workload, standing));
  const cost = standings.find(({ engine }) => engine.name === "weir")?.cpu_s_per_m_records ?? null;
  if (cost !== null) costs.set(workload.name, cost);
  for (const target of targets) {
    const verdict = target.workload === workload.name ? verdictOf(target, standings) : null;
    if (verdict !== null) report.verdict(verdict);
  }
}

/** The workloads of the suite, or the one workload, that `name` names. */
export function workloadsOf(name: string): readonly Workload[] {
  return workloads.filter((each) => each.suite === name || each.name === name);
}

/** Returns false when an engine's output is wrong or an engine fails; the workloads behind it are done all the same. */
export async function benchSideBySide(
  chosen: readonly Workload[],
  options: ContestOptions,
  report: Report,
): Promise<boolean> {
  installPeers(report.note);
  let right = true;
  const costs: Costs = new Map();
  for (const workload of chosen) {
    try {
      await compare(workload, options, costs, report);
    } catch (error) {
      process.stderr.write(`${workload.suite} ${workload.name}: ${messageOf(error)}\n`);
      right = false;
    }
  }
  reportCosts(costs, report);
  return right;
}
