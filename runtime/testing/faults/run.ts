// npm run faults: real processes under faults that a seed chooses. The composition root; what happens is elsewhere.
//
//     npm run faults -- [--seed S] [--short] [--json] [--only F1,F16] [--for 10m]
//
// `--only recovery` and `--only overload` measure instead: how long until rows come again, and whether memory stays.

import { parseArgs } from "node:util";
import { parseDuration } from "../../../operators/sdk/index.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { choose, runScenario, scenarios } from "./catalogue.ts";
import { type Measurement, measurements } from "./measurements.ts";
import { isPassed, type Outcome, outcomeText, reportOf, reportText } from "./report.ts";
import { missingTools } from "./tools.ts";

interface Options {
  readonly seed: number;
  readonly short: boolean;
  readonly json: boolean;
  readonly only: readonly string[] | null;
  readonly for_ms: number | null;
}

function usage(message: string): WeirError {
  const names = [...scenarios.map(({ name }) => name), ...measurements.map(({ name }) => name)];
  return new WeirError("WEIR_USAGE", message, {
    remedy: `npm run faults -- [--seed S] [--short] [--json] [--only NAMES] [--for 10m]; names: ${names.join(", ")}`,
  });
}

function optionsOf(list: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...list],
    options: {
      seed: { type: "string", default: "1" },
      short: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      only: { type: "string" },
      for: { type: "string" },
    },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw usage(`--seed: expected a whole number, got ${values.seed}`);
  const for_ms = values.for === undefined ? null : parseDuration(values.for);
  if (for_ms === undefined) throw usage(`--for: expected a duration, got ${values.for}`);
  const only = values.only?.split(",").map((name) => name.trim()) ?? null;
  return { seed, short: values.short, json: values.json, only, for_ms };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measure(measurement: Measurement, { seed, short, json, for_ms }: Options): Promise<number> {
  say(`${measurement.name}  ${measurement.about}`);
  const measured = await measurement.run({ seed, isShort: short, for_ms, say });
  process.stdout.write(json ? `${JSON.stringify(measured)}\n` : `${measured.text}\n`);
  return measured.ok ? 0 : 1;
}

async function run(options: Options): Promise<number> {
  const measurement = measurements.find(({ name }) => options.only?.length === 1 && options.only[0] === name);
  if (measurement !== undefined) return measure(measurement, options);
  const { chosen, skipped, unknown } = choose(scenarios, options.only, missingTools());
  if (unknown.length > 0) throw usage(`--only: there is no ${unknown.join(", ")}`);
  const outcomes: Outcome[] = [];
  for (const scenario of chosen) {
    say(`${scenario.name}  ${scenario.about}`);
    const outcome = await runScenario(scenario, options.seed, options.short, say);
    say(outcomeText(outcome));
    outcomes.push(outcome);
  }
  const report = reportOf(outcomes, skipped);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
  return isPassed(report) ? 0 : 1;
}

try {
  process.exitCode = await run(optionsOf(process.argv.slice(2)));
} catch (error) {
  say(`error: ${messageOf(error)}`);
  if (error instanceof WeirError && error.remedy !== undefined) say(`  ${error.remedy}`);
  process.exitCode = error instanceof WeirError ? error.exitCode : 70;
}
