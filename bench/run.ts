// `npm run bench`: which benchmarks run, on how much, and how their results are shown. Ends with 0 unless
// outputs differ (1) or the arguments make no sense (64); a target that is not met is reported, no more.

import { parseArgs } from "node:util";
import { messageOf, WeirError } from "../runtime/errors.ts";
import { type Kept, jsonReport, keeping, machineText, type Report, tableReport } from "./report.ts";
import { writeResults } from "./results.ts";
import { benchSideBySide, workloadsOf } from "./side-by-side/side-by-side.ts";
import { workloads } from "./workloads/workloads.ts";

/** All readings are in memory at once. */
const recordsMax = 10_000_000;
const pairsMax = 1_000;

interface Request {
  readonly suites: readonly string[];
  readonly records: number;
  readonly pairs: number;
  readonly quick: boolean;
  readonly json: boolean;
}

type Suite = (request: Request, report: Report) => boolean | Promise<boolean>;

/** By name, the benchmarks that compare weir with itself; each answers false when an output is wrong. */
const parts: Readonly<Record<string, Suite>> = {
  rules: async (request, report) => (await import("./rules.ts")).benchRules(request, report),
  nats: async (request, report) => (await import("./wire/wire.ts")).benchWire(request, report),
  commits: async (request, report) => (await import("./wire/commits.ts")).benchCommits(request, report),
  latency: async (request, report) => (await import("./wire/latency.ts")).benchLatency(request, report),
  micro: async ({ quick }, report) => (await import("./micro/micro.ts")).benchMicro(quick, report),
  state: async (request, report) => (await import("./state/state.ts")).benchState(request, report),
  keys: async (request, report) => (await import("./keys.ts")).benchKeys(request, report),
  checkpoints: async (request, report) =>
    (await import("./checkpoints.ts")).benchCheckpoints(request, report),
  recovery: async (request, report) =>
    (await import("./recovery/recovery.ts")).benchRecovery(request, report),
  startup: async (request, report) => (await import("./startup.ts")).benchStartup(request, report),
  supervisor: async (request, report) => (await import("./supervisor.ts")).benchSupervisor(request, report),
};

/** Those of other people's making first. */
const compared: readonly string[] = [...new Set(workloads.map(({ suite }) => suite))];

const usage = `npm run bench -- [SUITE…] [--quick] [--json] [--records n] [--pairs n]
suites: ${[...compared, ...Object.keys(parts)].join(", ")}
or a workload: ${workloads.map(({ name }) => name).join(", ")}
without one: all, and bench/RESULTS.md is written anew (not with --quick)`;

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
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { quick, json } = values;
    return {
      suites: values.help ? ["help"] : positionals,
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

function suiteOf(name: string): Suite {
  if (Object.hasOwn(parts, name)) return parts[name]!;
  const chosen = workloadsOf(name);
  if (chosen.length === 0)
    throw new WeirError("WEIR_USAGE", `no benchmark is called ${name}`, { remedy: usage });
  return ({ quick, pairs }, report) => benchSideBySide(chosen, { quick, rounds: pairs }, report);
}

async function run(request: Request): Promise<boolean> {
  const { suites, quick, json } = request;
  const all = suites.length === 0;
  const chosen = (all ? [...compared, ...Object.keys(parts)] : suites).map(suiteOf);
  const kept: Kept = { results: [], costs: [], verdicts: [] };
  const report = keeping(json ? jsonReport : tableReport, kept);
  report.note(machineText());
  let right = true;
  for (const suite of chosen) {
    try {
      right = (await suite(request, report)) && right;
    } catch (error) {
      // What others measured is worth no less.
      process.stderr.write(`${messageOf(error)}\n`);
      right = false;
    }
  }
  if (all && !quick) writeResults(kept);
  return right;
}

try {
  const request = readArguments(process.argv.slice(2));
  if (request.suites[0] === "help") process.stdout.write(`${usage}\n`);
  else process.exitCode = (await run(request)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof WeirError && error.remedy !== undefined) process.stderr.write(`${error.remedy}\n`);
  process.exitCode = error instanceof WeirError ? error.exitCode : 1;
}
