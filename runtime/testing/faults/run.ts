// npm run faults: real processes under faults that a seed chooses. The composition root; what happens is elsewhere.
//
//     npm run faults -- [--seed S] [--short] [--json] [--only F1,F16] [--for 10m]
//
// `--only recovery` and `--only overload` measure instead: how long until rows come again, and whether memory stays. Each
// of them runs alone.

import { availableParallelism } from "node:os";
import { parseDuration } from "../../../operators/sdk/index.ts";
import { WeirError } from "../../errors.ts";
import { readOptions, runScript } from "../script.ts";
import { choose, runScenario, scenarios } from "./catalogue.ts";
import { measurements } from "./measurements.ts";
import type { Measurement } from "./measurement.ts";
import { isPassed, type Outcome, outcomeText, reportOf, reportText } from "./report.ts";
import { missingTools } from "./tools.ts";

/** Scenarios that run beside each other, each in a world of its own: they wait most of the time. */
const atOnce = 2;

interface Options {
  readonly seed: number;
  readonly short: boolean;
  readonly json: boolean;
  readonly only: readonly string[] | null;
  readonly for_ms: number | null;
}

const namesOf = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(", ");

const usage = `npm run faults -- [--seed S] [--short] [--json] [--only NAMES] [--for 10m]
names: ${namesOf(scenarios)}
alone: ${namesOf(measurements)}`;

function refused(message: string): WeirError {
  return new WeirError("WEIR_USAGE", message, { remedy: usage });
}

function optionsOf(list: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = {
    seed: { ...text, default: "1" },
    short: flag,
    json: flag,
    only: text,
    for: text,
  } as const;
  const values = readOptions(list, options, usage);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw refused(`--seed: expected a whole number, got ${values.seed}`);
  const for_ms = values.for === undefined ? null : parseDuration(values.for);
  if (for_ms === undefined) throw refused(`--for: expected a duration, got ${values.for}`);
  const only = values.only?.split(",").map((name) => name.trim()) ?? null;
  return { seed, short: values.short, json: values.json, only, for_ms };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measure(measurement: Measurement, { seed, short, json, for_ms }: Options): Promise<boolean> {
  say(`${measurement.name}  ${measurement.about}`);
  const measured = await measurement.run({ seed, isShort: short, for_ms, say });
  process.stdout.write(json ? `${JSON.stringify(measured)}\n` : `${measured.text}\n`);
  return measured.ok;
}

async function run(options: Options): Promise<boolean> {
  const measurement = measurements.find(({ name }) => options.only?.includes(name));
  // It is measured on a machine that does nothing else.
  if (measurement !== undefined && options.only?.length !== 1)
    throw refused(`--only: ${measurement.name} runs alone, without another name`);
  if (measurement !== undefined) return measure(measurement, options);
  const { chosen, skipped, unknown } = choose(scenarios, options.only, missingTools());
  if (unknown.length > 0) throw refused(`--only: there is no ${unknown.join(", ")}`);
  const outcomes: Outcome[] = [];
  const left = [...chosen];
  const runNext = async (): Promise<void> => {
    for (let scenario = left.shift(); scenario !== undefined; scenario = left.shift()) {
      const outcome = await runScenario(scenario, options.seed, options.short, say);
      say(`${scenario.name}  ${scenario.about}\n${outcomeText(outcome)}`);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, availableParallelism()) }, runNext));
  const report = reportOf(outcomes, skipped);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
  return isPassed(report);
}

runScript("faults", usage, async (args) => run(optionsOf(args)));
