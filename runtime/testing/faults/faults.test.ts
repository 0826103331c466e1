// The short form of npm run faults: one long stream through many kills of the worker and of both servers, and the faults that
// only a real disk and a real network have. Everything else is for the script.

import { expect, it } from "vitest";
import { runScenario, scenarios } from "./catalogue.ts";
import { reportOf } from "./report.ts";
import { missingTools } from "./tools.ts";
import { isClean } from "./verdict.ts";

const seed = 1;
const missing = missingTools();
const chosen = ["F22", "F28", "F37+F1", "F61"];

for (const name of chosen) {
  const scenario = scenarios.find((each) => each.name === name)!;
  const lacks = (scenario.needs ?? []).filter((tool) => missing.has(tool));
  const about = `${name}: ${scenario.about}${lacks.length > 0 ? ` (skipped: no ${lacks.join(", ")})` : ""}`;
  it.skipIf(lacks.length > 0)(about, { timeout: 600_000 }, async () => {
    const said: string[] = [];
    const outcome = await runScenario(scenario, seed, true, (line) => said.push(line));
    expect(outcome.fault).toBeNull();
    expect(outcome.verdict.notes).toEqual([]);
    expect(isClean(reportOf([outcome], []))).toBe(true);
    expect(outcome.verdict.records).toBeGreaterThan(name === "F61" ? 500_000 : 1_000);
    if (name === "F61") expect(outcome.crashes).toBe(40);
  });
}
