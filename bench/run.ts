// `npm run bench`: which benchmark runs, on how much, and how its results are shown. Ends with 0 unless
// outputs differ (1) or the arguments make no sense (64); a target that is not met is reported, no more.

import { parseArgs } from "node:util";
import { messageOf, WeirError } from "../runtime/errors.ts";
import { jsonReport, type Report, tableReport } from "./report.ts";
import { benchWindowed } from "./windowed.ts";

const usage =
  "npm run bench -- [windowed | micro | state | keys | all] [--records n] [--pairs n] [--quick] [--json]";
/** All readings are in memory at once. */
const recordsMax = 10_000_000;
const pairsMax = 1_000;

interface Request {
  readonly suite: string;
  readonly records: number;
  readonly pairs: number;
  readonly quick: boolean;
  readonly json: boolean;
}

function wholeNumber(name: string, text: string | undefined, standard: number, max: number): number {
  const number = text === undefined ? standard : Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new WeirError("WEIR_USAGE", `--${name}: expected a whole number from 1 to ${max}, got ${text}`, {
    remedy: usage,
  });
}

function readArguments(args: readonly string[]): Request {
  const options = {
    records: { type: "string" },
    pairs: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { quick, json } = values;
    return {
      suite: positionals[0] ?? "windowed",
      records: wholeNumber("records", values.records, quick ? 200_000 : 1_000_000, recordsMax),
      pairs: wholeNumber("pairs", values.pairs, quick ? 3 : 12, pairsMax),
      quick,
      json,
    };
  } catch (error) {
    if (error instanceof WeirError) throw error;
    throw new WeirError("WEIR_USAGE", messageOf(error), { remedy: usage, cause: error });
  }
}

/** By name, the benchmarks; each answers false when an output is wrong. */
const suites: Readonly<Record<string, (request: Request, report: Report) => boolean | Promise<boolean>>> = {
  windowed: benchWindowed,
  micro: async ({ quick }, report) => (await import("./micro/micro.ts")).benchMicro(quick, report),
  state: async (request, report) => (await import("./state/state.ts")).benchState(request, report),
  keys: async (request, report) => (await import("./keys.ts")).benchKeys(request, report),
};

async function run(request: Request): Promise<boolean> {
  const report = request.json ? jsonReport : tableReport;
  const names = request.suite === "all" ? Object.keys(suites) : [request.suite];
  let right = true;
  for (const name of names) {
    if (!Object.hasOwn(suites, name))
      throw new WeirError("WEIR_USAGE", `no benchmark is called ${name}`, { remedy: usage });
    right = (await suites[name]!(request, report)) && right;
  }
  return right;
}

try {
  process.exitCode = (await run(readArguments(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof WeirError && error.remedy !== undefined) process.stderr.write(`${error.remedy}\n`);
  process.exitCode = error instanceof WeirError ? error.exitCode : 1;
}
