// Engines that are programs of their own, found on PATH or named by a variable: started once a pass on the
// workload's configuration, which reads `${RECORDS}` and writes `${ROWS}`, one row a line. Their start is in
// the time. Where there is none it is reported as missing; weir ships the configurations only.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programInPath } from "../../runtime/connect/nats-server-search.mjs";
import type { Assignment, Engine, Pass, Session } from "../side-by-side/engine.ts";
import type { Row } from "../side-by-side/workload.ts";
import { eachLine } from "./by-hand.ts";

/** How a program of somebody else's is found. */
export interface Sought {
  /** The variable that names the program. */
  readonly variable: string;
  /** What it is called on PATH, the likeliest first. */
  readonly programs: readonly string[];
}

interface External extends Sought {
  readonly name: string;
  readonly configuration: string;
  readonly parameters: (configuration: string) => readonly string[];
}

/** The path of the program; null where there is none. One that the variable names is looked for nowhere else. */
export function findProgram({ variable, programs }: Sought, environment: NodeJS.ProcessEnv): string | null {
  const named = environment[variable];
  if (named !== undefined) return programInPath(basename(named), { PATH: dirname(named) });
  return programs.map((program) => programInPath(program, environment)).find((path) => path !== null) ?? null;
}

/** Why an engine cannot run that needs it, or null. */
export function programMissing(sought: Sought): string | null {
  if (findProgram(sought, process.env) !== null) return null;
  return `no ${sought.programs.join(" or ")} on PATH, and none named by ${sought.variable}`;
}

function runToEnd(
  path: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, parameters, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (text: Buffer) => (errors = (errors + text.toString()).slice(-2048)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${path}: ${code}\n${errors}`))));
  });
}

/** The rows of NDJSON, in one file or several. */
export function passOf(files: readonly Buffer[], keep: boolean): Pass {
  const lines = files.flatMap((bytes) => [...eachLine(bytes)]);
  return { count: lines.length, rows: keep ? lines.map((line) => JSON.parse(line) as Row) : null };
}

async function open(external: External, { folder, file }: Assignment): Promise<Session> {
  const path = findProgram(external, process.env)!;
  const configuration = fileURLToPath(new URL(external.configuration, folder));
  const rowsFile = join(tmpdir(), `weir-bench-${process.pid}.ndjson`);
  const pass = async (keep: boolean): Promise<Pass> => {
    const environment = { ...process.env, RECORDS: file, ROWS: rowsFile };
    await runToEnd(path, external.parameters(configuration), environment);
    return passOf([readFileSync(rowsFile)], keep);
  };
  return { pass };
}

/** A pass over more takes minutes. */
const records_max = 100_000;

function engine(external: External): Engine {
  const { name, configuration } = external;
  return {
    name,
    threads: 1,
    program: configuration,
    records_max,
    missing: () => programMissing(external),
    open: (assignment) => open(external, assignment),
  };
}

export const externals: readonly Engine[] = [
  engine({
    name: "Redpanda Connect",
    variable: "REDPANDA_CONNECT",
    programs: ["redpanda-connect", "benthos"],
    configuration: "benthos.yaml",
    parameters: (configuration) => ["-c", configuration],
  }),
];
