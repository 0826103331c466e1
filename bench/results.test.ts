import { expect, test } from "vitest";
import { barPlot } from "./bars.ts";
import type { Kept } from "./report.ts";
import { pageOf } from "./results.ts";

const result = { suite: "theodolite", workload: "uc2", threads: 1, records: 2_000_000 };
const kept: Kept = {
  results: [
    { ...result, engine: "weir", records_per_s: 20e6, cpu_s_per_m_records: 0.05, peak_rss_mb: 150 },
    { ...result, engine: "DuckDB", records_per_s: 8e6 },
    { ...result, suite: "micro", workload: "json decode", engine: "kernel", records_per_s: 3e7 },
  ],
  costs: [
    {
      suite: "state",
      workload: "ewma",
      records: 10,
      ns_per_record: 35.12,
      ns_per_record_min: 30,
      output_hash: "",
      want: 30,
      met: false,
    },
  ],
  verdicts: [
    {
      target: "uc2: weir against DuckDB",
      ratio: 2.5,
      ratio_min: 2.4,
      ratio_max: 2.6,
      pairs: 12,
      want: 2.5,
      bound: "least",
      met: true,
    },
  ],
};

test("the page has the targets, a plot and a table for each workload, and what is not known is left empty", () => {
  const { text, plots } = pageOf(kept, "a machine");
  expect(text).toContain("on a machine");
  expect(text).toContain("| uc2: weir against DuckDB | 2.50× | 2.40 to 2.60 | at least 2.5× | met |");
  expect(text).toContain("![theodolite uc2](plots/theodolite-uc2.svg)");
  expect(text).toContain("| weir | 1 | 2000000 | 20,000,000 | 0.050 | 150 |  |  |");
  expect(text).toContain("| DuckDB | 1 | 2000000 | 8,000,000 |  |  |  |  |");
  expect(text).toContain("| ewma | 35.1 | at most 30 | **not met** |");
  expect([...plots.keys()]).toEqual(["theodolite-uc2.svg"]);
});

test("a plot is longest for the largest value and holds any name", () => {
  const bar = { text: "1 M/s", ours: false };
  const plot = barPlot("<q5>", [
    { ...bar, name: "a & b", value: 10 },
    { ...bar, name: "c", value: 1000 },
  ]);
  const lengths = [...plot.matchAll(/x="170" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(lengths[1]!).toBeGreaterThan(lengths[0]!);
  expect(plot).toContain("&lt;q5&gt;");
  expect(plot).toContain("a &amp; b");
});
