// The smallest form of `npm run faults`: a stream through kills of the worker and of both servers, and the faults that only a
// real disk and a real network have. Everything else is for the script.

import { expect, it } from "vitest";
import { runScenario, scenarios } from "./catalogue.ts";
import { powerCuts } from "./disk-faults.ts";
import { reportOf } from "./report.ts";
import { stormOf } from "./storm.ts";
import { missingTools } from "./tools.ts";
import { isClean } from "./verdict.ts";

const seed = 1;
const missing = missingTools();
const size = { workerKills: 6, serverKills: 2, records: 40_000 };
const small = stormOf(size);
const cuts = powerCuts({ short: 2, long: 2 });
const chosen = [cuts, ...scenarios.filter(({ name }) => ["F28", "F37+F1"].includes(name)), small];

for (const scenario of chosen) {
  const lacks = (scenario.needs ?? []).filter((tool) => missing.has(tool));
  const about = `${scenario.name}: ${scenario.about}${lacks.length > 0 ? ` (skipped: no ${lacks.join(", ")})` : ""}`;
  it.skipIf(lacks.length > 0)(about, { timeout: 600_000 }, async () => {
    const said: string[] = [];
    const outcome = await runScenario(scenario, seed, true, (line) => said.push(line));
    expect(outcome.fault).toBeNull();
    expect(outcome.verdict.notes).toEqual([]);
    expect(isClean(reportOf([outcome], []))).toBe(true);
    expect(outcome.verdict.records).toBeGreaterThan(scenario === small ? size.records : 1_000);
    if (scenario === small) expect(outcome.crashes).toBe(size.workerKills + size.serverKills);
  });
}

it("all of those that are asked for are there", () => {
  expect(chosen.length).toBe(4);
});
