// `npm run sim`: many schedules on all processors, or one with its trace. Ends with 0 only when nothing was lost, duplicated, out of
// order or wrong, and something ran.

import { availableParallelism } from "node:os";
import { stopwatch } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { readOptions, runScript, shareOut, threadsMax, wholeNumber } from "../script.ts";
import { addSum, emptySum, failureText, loadWorkloads, smallSchedule, type Sum } from "./batch.ts";
import { faultKinds } from "./nemesis.ts";
import { runSchedule } from "./schedule.ts";
import type { Order } from "./schedule-thread.ts";
import { shapeNames } from "./shape.ts";
import { workloadNames } from "./workload.ts";

const seedsDefault = 2_000;
const seedsMax = 100_000_000;
const seedsAtOnce = 25;
/** By the number of seeds, one of how many crashes of the small schedules is tried as well. */
const crashesTried: readonly (readonly [seeds: number, every: number])[] = [
  [10_000, 1],
  [1_000, 6],
  [0, 100],
];

/** Of how many shapes each workload is crashed at every call. */
const shapesCrashed = 4;

const usage = `npm run sim -- [--seeds n] [--first n] [--threads n] [--json]
npm run sim -- --seed n [--workload name [--small | --crash-at n]] [--trace] [--json]   one schedule`;

interface Request {
  readonly seeds: number;
  readonly first: number;
  readonly threads: number;
  readonly seed: number | null;
  /** The schedule without faults in which a crash is tried at every call. */
  readonly small: boolean;
  /** The call at which that one crashes. */
  readonly crashAt: number | null;
  readonly workload: string | null;
  readonly trace: boolean;
  readonly json: boolean;
}

function readArguments(args: readonly string[]): Request {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = {
    seeds: text,
    first: text,
    threads: text,
    seed: text,
    workload: text,
    "crash-at": text,
    small: flag,
    trace: flag,
    json: flag,
  };
  const values = readOptions(args, options, usage);
  const number = (name: string, given: string | undefined, standard: number): number =>
    wholeNumber(name, given, [standard, name === "seeds" ? 0 : 1, seedsMax], usage);
  return {
    seeds: number("seeds", values.seeds, seedsDefault),
    first: number("first", values.first, 1),
    threads: wholeNumber("threads", values.threads, [availableParallelism(), 1, threadsMax], usage),
    seed: values.seed === undefined ? null : number("seed", values.seed, 1),
    crashAt: values["crash-at"] === undefined ? null : number("crash-at", values["crash-at"], 1),
    small: values.small || values["crash-at"] !== undefined,
    workload: values.workload ?? null,
    trace: values.trace,
    json: values.json,
  };
}

function ordersOf({ seeds, first }: Request): Order[] {
  const orders: Order[] = [];
  const every = crashesTried.find(([least]) => seeds >= least)?.[1] ?? 1;
  // The seed decides the shape as well, so each workload gets some.
  const shapes = every === 1 ? shapesCrashed : 1;
  for (const workload of workloadNames.keys())
    for (let shape = 0; shape < shapes; shape++)
      orders.push({ kind: "every crash", workload, seed: first + workload + shape * 7, every });
  for (let from = first; from < first + seeds; from += seedsAtOnce)
    orders.push({ kind: "seeds", from, count: Math.min(seedsAtOnce, first + seeds - from) });
  return orders;
}

/** What the run says when it is asked by a program. */
function reportOf(sum: Sum): Record<string, unknown> {
  const { runs, crashes, records, lost, duplicated, out_of_order, wrong } = sum;
  const skipped = [...faultKinds, ...shapeNames].filter((kind) => !sum.kinds.has(kind));
  return { runs, crashes, records, lost, duplicated, out_of_order, wrong, skipped };
}

function isGood({ runs, lost, duplicated, out_of_order, wrong }: Sum): boolean {
  return runs > 0 && lost + duplicated + out_of_order + wrong === 0;
}

async function runMany(request: Request): Promise<boolean> {
  const live = process.stderr.isTTY && !request.json;
  const started = stopwatch();
  const perSecond = ({ runs }: Sum): string => (runs / ((stopwatch() - started) / 1_000)).toFixed(1);
  const sum = emptySum();
  const url = new URL("schedule-thread.ts", import.meta.url);
  const told = (part: Sum): void => {
    addSum(sum, part);
    const { runs, crashes, failures } = sum;
    const text = `${runs} schedules, ${crashes} crashes, ${failures.length} failed, ${perSecond(sum)}/s`;
    if (live) process.stderr.write(`\r\u001b[K${text}`);
  };
  await shareOut({ url, orders: ordersOf(request), threads: request.threads, told });
  if (live) process.stderr.write("\r\u001b[K");
  for (const failure of sum.failures) process.stderr.write(`${failureText(failure)}\n`);
  if (request.json) process.stdout.write(`${JSON.stringify(reportOf(sum))}\n`);
  else process.stdout.write(`${summaryText(sum, perSecond(sum))}\n`);
  return isGood(sum);
}

function summaryText(sum: Sum, perSecond: string): string {
  const kinds = [...sum.kinds].sort(([, one], [, other]) => other - one);
  const hours = (sum.virtual_ms / 3_600_000).toFixed(1);
  return [
    `${sum.runs} schedules with ${sum.crashes} crashes over ${hours} hours of virtual time, ${perSecond}/s`,
    `${sum.records} records: ${sum.lost} lost, ${sum.duplicated} duplicated, ${sum.out_of_order} out of order, ${sum.wrong} wrong`,
    `schedules by fault and shape: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
  ].join("\n");
}

async function runOne(seed: number, request: Request): Promise<boolean> {
  const { trace, json, workload: name } = request;
  const all = await loadWorkloads();
  const workloads = all.filter((each) => name === null || each.name === name);
  if (workloads.length === 0) {
    const remedy = `there are ${workloadNames.join(", ")}`;
    throw new WeirError("WEIR_USAGE", `--workload: there is no ${name}`, { remedy });
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const small = request.small ? smallSchedule : {};
  const crash = request.crashAt === null ? {} : { crashAt: request.crashAt };
  const outcome = await runSchedule({
    seed,
    workloads,
    ...small,
    ...crash,
    ...(trace ? { trace: say } : {}),
  });
  const { verdict, workload, hash, steps, crashes, records } = outcome;
  for (const line of verdict.said) process.stderr.write(`${line}\n`);
  const counts = { runs: 1, crashes, records, ...verdict.counts, skipped: [] };
  if (json) say(JSON.stringify(counts));
  else
    say(
      `seed ${seed}: ${workload}, ${records} records, ${crashes} crashes, ${steps} events, trace ${hash}: ${verdict.isGood ? "good" : "failed"}`,
    );
  return verdict.isGood;
}

runScript("sim", usage, async (args) => {
  const request = readArguments(args);
  return request.seed === null ? runMany(request) : runOne(request.seed, request);
});
