// DuckDB, from npm: the file read by `read_json` with its columns given, and the workload's query over it.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Assignment, Engine, Pass, Session } from "../side-by-side/engine.ts";
import type { Row } from "../side-by-side/workload.ts";
import { importPeer, peerMissing } from "./peers.ts";

const packageName = "@duckdb/node-api";

/** What of the package is used. */
interface DuckDb {
  readonly DuckDBInstance: {
    create(
      path: string,
      options: Readonly<Record<string, string>>,
    ): Promise<{ connect(): Promise<Connection> }>;
  };
}
interface Connection {
  stream(sql: string): Promise<Result>;
}
interface Result {
  fetchChunk(): Promise<{ readonly rowCount: number } | null>;
  getRowObjectsJS(): Promise<readonly Row[]>;
}

/** The rows stay in its own vectors, where a program would read them. */
async function countOf(result: Result): Promise<number> {
  let count = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return count;
    count += chunk.rowCount;
  }
}

async function open({ folder, file }: Assignment, program: string, threads: number): Promise<Session> {
  const { DuckDBInstance } = await importPeer<DuckDb>(packageName);
  const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
  const connection = await instance.connect();
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const query = readFileSync(new URL(program, folder), "utf8")
    .replaceAll("$records", quoted(file))
    .replaceAll("$folder", quoted(fileURLToPath(folder)));
  const pass = async (keep: boolean): Promise<Pass> => {
    const result = await connection.stream(query);
    if (!keep) return { count: await countOf(result), rows: null };
    const rows = await result.getRowObjectsJS();
    return { count: rows.length, rows };
  };
  return { pass };
}

function duckdb(threads: number): Engine {
  const program = "duckdb.sql";
  return {
    name: threads === 1 ? "DuckDB" : `DuckDB, ${threads} threads`,
    threads,
    program,
    missing: () => peerMissing(packageName),
    open: (assignment) => open(assignment, program, threads),
  };
}

export const duckdbEngines: readonly Engine[] = [duckdb(1), duckdb(2)];
