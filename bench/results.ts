// The page of results, `bench/RESULTS.md`, and its plots: made from what a run reported. What stands behind
// the mark is written by people, about targets that are not met, and is left as it is.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Bar, barPlot } from "./bars.ts";
import { type Cost, type Kept, machineText, type Result, type Verdict } from "./report.ts";

const page: URL = new URL("./RESULTS.md", import.meta.url);
const plots: URL = new URL("./plots/", import.meta.url);
const mark = "<!-- What follows is written by hand. -->";

function figure(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    ["target", "ratio", "spread", "wanted", ""],
    verdicts.map(({ target, ratio, ratio_min, ratio_max, want, bound, met }) => [
      target,
      `${ratio.toFixed(2)}×`,
      `${ratio_min.toFixed(2)} to ${ratio_max.toFixed(2)}`,
      `at ${bound} ${want}×`,
      met ? "met" : "**not met**",
    ]),
  );
}

function resultTable(results: readonly Result[]): string {
  return table(
    ["engine", "threads", "records", "records/s", "processor s / M", "peak MB", "p50 ms", "p99 ms"],
    results.map((each) => [
      each.engine,
      String(each.threads),
      String(each.records),
      Math.round(each.records_per_s).toLocaleString("en"),
      figure(each.cpu_s_per_m_records, 3),
      figure(each.peak_rss_mb, 0),
      figure(each.p50_ms, 1),
      figure(each.p99_ms, 1),
    ]),
  );
}

function costTable(costs: readonly Cost[]): string {
  return table(
    ["", "ns a record", "wanted", ""],
    costs.map(({ workload, ns_per_record, want, met }) => [
      workload,
      ns_per_record.toFixed(1),
      want === null ? "" : `at most ${want}`,
      want === null ? "" : met ? "met" : "**not met**",
    ]),
  );
}

/** Groups by suite and workload, in the order in which they came. */
function grouped(results: readonly Result[]): ReadonlyMap<string, readonly Result[]> {
  return Map.groupBy(results, ({ suite, workload }) => `${suite} ${workload}`);
}

function barOf({ engine, records_per_s }: Result): Bar {
  const text = `${(records_per_s / 1e6).toFixed(2)} M/s`;
  return { name: engine, value: records_per_s, text, ours: engine.startsWith("weir") };
}

/** The page up to the mark, and its plots by file name. */
export function pageOf(
  { results, costs, verdicts }: Kept,
  machine: string,
): { readonly text: string; readonly plots: ReadonlyMap<string, string> } {
  const drawn = new Map<string, string>();
  const sections = [...grouped(results)].map(([name, group]) => {
    // A bar alone shows nothing, and micro-benchmarks are many.
    if (group.length < 2 || group[0]!.suite === "micro") return `### ${name}\n\n${resultTable(group)}`;
    const file = `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.svg`;
    drawn.set(file, barPlot(name, group.map(barOf)));
    return `### ${name}\n\n![${name}](plots/${file})\n\n${resultTable(group)}`;
  });
  const costed = costs.length === 0 ? [] : [`### What a record costs in a step\n\n${costTable(costs)}`];
  const head = `# Results

Made by \`npm run bench\` on ${machine}. Ratios are of one run; between machines, compare those. How it is measured:
[README.md](README.md).

## Targets

${verdictTable(verdicts)}

## Workloads
`;
  return { text: [head, ...sections, ...costed].join("\n\n"), plots: drawn };
}

export function writeResults(kept: Kept): void {
  const { text, plots: drawn } = pageOf(kept, machineText());
  let byHand = "";
  try {
    byHand = readFileSync(page, "utf8").split(mark)[1] ?? "";
  } catch {
    // The first page has nothing behind it yet.
  }
  mkdirSync(plots, { recursive: true });
  for (const [file, plot] of drawn) writeFileSync(new URL(file, plots), plot);
  writeFileSync(page, `${text}\n\n${mark}${byHand}`);
}
