// `npm run oracle`: the engine against the oracle in many cases, on all processors. Ends with 0 only when something ran and
// all of it was the same.

import { availableParallelism } from "node:os";
import { stopwatch } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { oracleChecks, shapeCount } from "./oracle-shapes.fixture.ts";
import type { OracleOrder, OraclePart } from "./oracle-thread.ts";
import { readOptions, runScript, shareOut, threadsMax, wholeNumber } from "./script.ts";

const casesDefault = 20_000;
/** With fewer, some aggregate or some way to leave the stream is not among them. */
const casesLeast = 60 * shapeCount;
const casesMax = 100_000_000;
const seedDefault = 20_260_726;
const seedMax = 2_147_483_647;

const usage = `npm run oracle -- [--cases n] [--seed n] [--threads n] [--json]
npm run oracle -- --only NAME [--seed n] [--path p] [--cases n]   one check, or one case of it
names: ${Object.keys(oracleChecks).join("; ")}`;

interface Request {
  readonly cases: number;
  readonly seed: number;
  readonly threads: number;
  readonly only: string | null;
  readonly path: string | null;
  readonly json: boolean;
}

function readArguments(args: readonly string[]): Request {
  const text = { type: "string" } as const;
  const options = {
    cases: text,
    seed: text,
    threads: text,
    only: text,
    path: text,
    json: { type: "boolean", default: false } as const,
  };
  const values = readOptions(args, options, usage);
  const { only = null, path = null, json } = values;
  if (only !== null && oracleChecks[only] === undefined)
    throw new WeirError("WEIR_USAGE", `--only: there is no ${only}`, { remedy: usage });
  if (path !== null && only === null)
    throw new WeirError("WEIR_USAGE", "--path: it is of one check, so --only is needed", { remedy: usage });
  return {
    cases: wholeNumber("cases", values.cases, [casesDefault, casesLeast, casesMax], usage),
    seed: wholeNumber("seed", values.seed, [seedDefault, 1, seedMax], usage),
    threads: wholeNumber("threads", values.threads, [availableParallelism(), 1, threadsMax], usage),
    only,
    path,
    json,
  };
}

/** What failed, and how it is run again. */
function faultText({ name, fault }: OraclePart, { seed, cases }: Request): string {
  const path = /path: "([^"]+)"/.exec(fault ?? "")?.[1];
  const again = `npm run oracle -- --only '${name}' --seed ${seed}`;
  return `${name}  DIFFERS\n${fault}\n  again: ${again}${path === undefined ? ` --cases ${cases}` : ` --path ${path}`}`;
}

async function run(request: Request): Promise<boolean> {
  const { seed, threads, only, path, json } = request;
  const cases = Math.ceil(request.cases / shapeCount);
  const names = only === null ? Object.keys(oracleChecks) : [only];
  const orders = names.map(
    (name): OracleOrder => ({ name, cases, seed, ...(path === null ? {} : { path }) }),
  );
  const started = stopwatch();
  const sum = { cases: 0, rows: 0 };
  const differing: string[] = [];
  const told = (part: OraclePart): void => {
    sum.cases += part.cases;
    sum.rows += part.rows;
    if (part.fault !== null) differing.push(part.name);
    const seconds = ((stopwatch() - started) / 1_000).toFixed(0);
    const line =
      part.fault === null
        ? `${part.name}: ${part.cases} cases, ${part.rows} rows  (${seconds} s)`
        : faultText(part, request);
    process.stderr.write(`${line}\n`);
  };
  await shareOut({ url: new URL("oracle-thread.ts", import.meta.url), orders, threads, told });
  const report = { checks: names.length, ...sum, seed, differing };
  const text = `${names.length} checks, ${sum.cases} cases, ${sum.rows} rows, ${differing.length} differ`;
  process.stdout.write(`${json ? JSON.stringify(report) : text}\n`);
  return sum.cases > 0 && differing.length === 0;
}

runScript("oracle", usage, async (args) => run(readArguments(args)));
