// Apache Flink: its SQL gateway in the foreground, with a job's cluster in the same process, and the workload's
// statements sent to it. The last of them is the query, once a pass; those before it are done once. One process, so that its
// processor time is all of it, and it is warm, as the others are. Installs nothing.
//
// Written after Flink's documentation of the SQL gateway (REST endpoint), of `execution.target` and `table.dml-sync`, and of
// the filesystem connector, as of 2.3.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sleep, wallClock } from "../../runtime/clock.ts";
import { freePort } from "../../runtime/connect/nats-server.ts";
import { messageOf } from "../../runtime/errors.ts";
import { programInPath } from "../../runtime/connect/nats-server-search.mjs";
import type { Assignment, Engine, Pass, Session } from "../side-by-side/engine.ts";
import { passOf } from "./programs.ts";
import { Served } from "./served.ts";

const program = "flink.sql";
const gateway = "sql-gateway.sh";
const statusPoll_ms = 2;
const underWay: ReadonlySet<string> = new Set(["INITIALIZED", "PENDING", "RUNNING"]);

/** Of the session: a query is done when its job is. */
const settings = {
  "execution.target": "local",
  "parallelism.default": "1",
  "table.dml-sync": "true",
};

/** The gateway's script; null where there is none. */
export function findGateway(environment: NodeJS.ProcessEnv): string | null {
  const home = environment["FLINK_HOME"];
  if (home !== undefined) return programInPath(gateway, { PATH: join(home, "bin") });
  const flink = programInPath("flink", environment);
  return flink === null ? null : programInPath(gateway, { PATH: dirname(realpathSync(flink)) });
}

/** A program's statements, without their ends and the lines that are comments. */
export function statementsOf(text: string, records: string, rows: string): readonly string[] {
  const quoted = (path: string): string => path.replaceAll("'", "''");
  return text
    .replaceAll(/^--.*\n/gm, "")
    .replaceAll("$records", () => quoted(records))
    .replaceAll("$rows", () => quoted(rows))
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/** What lies deepest in the trace of an error; all of it where that cannot be told. */
export function causeOf(trace: string): string {
  return trace.match(/Caused by: [^\\\n]+/g)?.at(-1) ?? trace;
}

/** What it answers. */
interface Answer {
  readonly sessionHandle: string;
  readonly operationHandle: string;
  readonly status: string;
}

async function execute(served: Served, session: string, statement: string): Promise<void> {
  const ask = async (path: string): Promise<Answer> => (await served.ask({ method: "GET", path })) as Answer;
  const path = `${session}/statements`;
  const { operationHandle } = (await served.ask({ method: "POST", path, body: { statement } })) as Answer;
  const operation = `${session}/operations/${operationHandle}`;
  let { status } = await ask(`${operation}/status`);
  while (underWay.has(status)) {
    await sleep(wallClock, statusPoll_ms);
    ({ status } = await ask(`${operation}/status`));
  }
  if (status !== "FINISHED") {
    // Of one that failed, the result is why.
    const why = await ask(`${operation}/result/0`).then(() => status, messageOf);
    throw new Error(`${statement}: ${causeOf(why)}`);
  }
  await served.ask({ method: "DELETE", path: `${operation}/close` });
}

async function start(script: string, folder: string): Promise<Served> {
  const port = await freePort();
  const options = { ...settings, "sql-gateway.endpoint.rest.address": "127.0.0.1" };
  return Served.start({
    program: script,
    parameters: [
      "start-foreground",
      ...Object.entries(options).map(([name, value]) => `-D${name}=${value}`),
      `-Dsql-gateway.endpoint.rest.port=${port}`,
    ],
    environment: { FLINK_LOG_DIR: folder, FLINK_PID_DIR: folder },
    folder,
    port,
    ready: "/v1/info",
  });
}

async function open({ folder, file }: Assignment): Promise<Session> {
  const own = mkdtempSync(join(tmpdir(), "weir-flink-"));
  const rows = join(own, "rows");
  const statements = statementsOf(readFileSync(new URL(program, folder), "utf8"), file, rows);
  const served = await start(findGateway(process.env)!, own);
  const { sessionHandle } = (await served.ask({ method: "POST", path: "/v1/sessions", body: {} })) as Answer;
  const session = `/v1/sessions/${sessionHandle}`;
  for (const statement of statements.slice(0, -1)) await execute(served, session, statement);
  const pass = async (keep: boolean): Promise<Pass> => {
    rmSync(rows, { recursive: true, force: true });
    mkdirSync(rows);
    await execute(served, session, statements.at(-1)!);
    // One that begins with a dot is not done.
    const parts = readdirSync(rows).filter((name) => !name.startsWith("."));
    return passOf(
      parts.map((name) => readFileSync(join(rows, name))),
      keep,
    );
  };
  return {
    pass,
    async close() {
      served.end();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

export const flink: Engine = {
  name: "Flink",
  threads: 1,
  program,
  missing: () =>
    findGateway(process.env) === null
      ? `no flink with ${gateway} beside it on PATH, and none in the folder that FLINK_HOME names`
      : null,
  open,
};
