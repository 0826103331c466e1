// `npm run bench -- micro`: one part of weir at a time, beside another way to do the same. Ways to do the
// same must give the same before any of them is timed.

import { createHash } from "node:crypto";
import { Bench } from "tinybench";
import { spreadOf, type Task, timePairs } from "../pairs.ts";
import type { Report } from "../report.ts";
import { expressionSelect } from "./expression-select.ts";
import { formatDecode } from "./format-decode.ts";
import { jsonDecode } from "./json-decode.ts";
import { windowAdd } from "./window-add.ts";
import type { Way, Workload } from "./workload.ts";

/** Returns false when answers differ; then nothing was timed. */
export function benchMicro(quick: boolean, report: Report): boolean {
  const workloads = [...jsonDecode(), ...formatDecode(), ...expressionSelect(), ...windowAdd()];
  const hashes = workloads.map(({ ways }) => ways.map((way) => hashOf(way.answer())));
  for (const [place, { name, ways }] of workloads.entries()) {
    const odd = hashes[place]!.findIndex((hash) => hash !== hashes[place]![0]);
    if (odd < 0) continue;
    process.stderr.write(`${name}: the answers of ${ways[0]!.engine} and ${ways[odd]!.engine} differ\n`);
    return false;
  }
  for (const [place, workload] of workloads.entries()) {
    timeWorkload(workload, hashes[place]!, quick, report);
    for (const { engine, times } of workload.wanted ?? [])
      compare(workload, engine, times, quick ? 10 : 40, report);
  }
  return true;
}

/** Runs of one timing: each takes less than a millisecond. */
const runsAtOnce = 10;

/** One way against the first, in turns. */
function compare(
  { name, ways }: Workload,
  engine: string,
  want: number,
  pairs: number,
  report: Report,
): void {
  const task = (way: Way): Task => {
    return () => () => {
      for (let run = 0; run < runsAtOnce; run++) way.run();
    };
  };
  const [first] = ways as readonly [Way];
  const other = ways.find((way) => way.engine === engine)!;
  const taken = timePairs(task(first), task(other), pairs, 4);
  const { median: ratio, min, max } = spreadOf(taken.map(({ a, b }) => a.wall_ms / b.wall_ms));
  const target = `${name}: ${engine} against ${first.engine}`;
  const spread = { ratio, ratio_min: min, ratio_max: max, pairs };
  report.verdict({ target, ...spread, want, bound: "least", met: ratio >= want });
}

function timeWorkload(
  { name, records, ways }: Workload,
  hashes: readonly string[],
  quick: boolean,
  report: Report,
): void {
  const bench = new Bench({ time: quick ? 100 : 500, throws: true });
  for (const { engine, run } of ways) bench.add(engine, run);
  report.note(`${name}, ${records} records a run`);
  for (const [place, { result }] of bench.runSync().entries()) {
    if (!("latency" in result)) continue;
    report.result({
      suite: "micro",
      workload: name,
      engine: ways[place]!.engine,
      threads: 1,
      records,
      records_per_s: records / (result.latency.p50 / 1000),
      output_hash: hashes[place]!,
    });
  }
}

function hashOf(answer: string): string {
  return createHash("sha256").update(answer).digest("hex").slice(0, 16);
}
