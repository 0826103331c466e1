// eKuiper: its server `kuiperd` with folders and a port of its own, and for each pass the workload's rule made, run to
// the end of its file and taken away. Installs nothing.
//
// Written after eKuiper's documentation of the REST API (streams, rules), of the file source (`lines`; read once
// with the interval 0) and its configuration file, of the file sink, and of the rules' options. In event time it closes no
// window at the end of a file and holds back what is younger than its watermark: where there are windows, the last record stands there once
// more, later. Not much later: it makes an empty window for each size until then.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { sleep, wallClock } from "../../runtime/clock.ts";
import { freePort } from "../../runtime/connect/nats-server.ts";
import type { Assignment, Engine, Pass, Session } from "../side-by-side/engine.ts";
import { findProgram, passOf, programMissing, type Sought } from "./programs.ts";
import { type Request, Served } from "./served.ts";

const program = "ekuiper.yaml";
export const kuiper: Sought = { variable: "KUIPERD", programs: ["kuiperd"] };
/** A window keeps its records, so that many would take minutes. */
const records_max = 100_000;
const statusPoll_ms = 2;
const rule = "bench";
const sourceKey = "bench";
export const recordsName = "records.ndjson";

/** A workload's program. */
export interface KuiperProgram {
  /** Names `records` and its columns. */
  readonly stream: string;
  readonly query: string;
  /** Absent where nothing depends on it. */
  readonly time?: {
    readonly field: string;
    readonly lateness_ms: number;
    /** How far behind the stream's end a record stands that closes its windows; itself it is in no row. */
    readonly closing_ms?: number;
  };
}

/** The file that it reads. */
export function recordsFor({ time }: KuiperProgram, records: Buffer): Buffer {
  if (time?.closing_ms === undefined) return records;
  const line = records.subarray(records.lastIndexOf(10, -2) + 1).toString();
  const last = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const closing = { ...last, [time.field]: Number(last[time.field]) + time.closing_ms };
  return Buffer.concat([records, Buffer.from(`${JSON.stringify(closing)}\n`)]);
}

/** What is asked once. */
export function streamRequest({ stream, time }: KuiperProgram, shared = false): Request {
  const options = [`TYPE="file"`, `FORMAT="json"`, `DATASOURCE="${recordsName}"`, `CONF_KEY="${sourceKey}"`];
  if (shared) options.push(`SHARED="true"`);
  if (time !== undefined) options.push(`TIMESTAMP="${time.field}"`);
  return { method: "POST", path: "/streams", body: { sql: `${stream} WITH (${options.join(", ")})` } };
}

/** The configuration file of its file sources. */
export function sourceText(folder: string, sendInterval: number): string {
  const once = { fileType: "lines", path: folder, interval: 0, sendInterval };
  return JSON.stringify({ default: once, [sourceKey]: once });
}

/** Rows to a file, one a line. */
export function fileAction(path: string): Readonly<Record<string, unknown>> {
  return { file: { path, fileType: "lines", format: "json", sendSingle: true } };
}

/** What is asked for a pass: by default a full buffer loses records instead of holding its source back. */
export function ruleRequest({ query, time }: KuiperProgram, rows: string): Request {
  const timing = time === undefined ? {} : { isEventTime: true, lateTolerance: time.lateness_ms };
  return {
    method: "POST",
    path: "/rules",
    body: {
      id: rule,
      sql: query,
      actions: [fileAction(rows)],
      options: { disableBufferFullDiscard: true, ...timing },
    },
  };
}

/** Its settings: on loopback alone, in UTC, and silent. */
export function settingsText(port: number, others: readonly [number, number]): string {
  return JSON.stringify({
    basic: {
      logLevel: "error",
      consoleLog: true,
      fileLog: false,
      ip: "127.0.0.1",
      port: others[0],
      restIp: "127.0.0.1",
      restPort: port,
      timezone: "UTC",
      prometheus: false,
      allowExternalFileAccess: true,
    },
    rule: { qos: 0, sendError: true },
    sink: {},
    source: { httpServerIp: "127.0.0.1", httpServerPort: others[1] },
    store: { type: "sqlite", extStateType: "sqlite", sqlite: { name: "sqliteKV.db" } },
    portable: {},
  });
}

/** `own`: a folder that is its own, with the records; `sendInterval`: of ms between two of them, where they are paced. */
export async function startKuiper(path: string, own: string, sendInterval = 0): Promise<Served> {
  const folders = ["etc", "data", "log", "plugins"] as const;
  for (const each of [...folders, "etc/sources", "data/uploads"])
    mkdirSync(join(own, each), { recursive: true });
  const port = await freePort();
  writeFileSync(join(own, "etc/kuiper.yaml"), settingsText(port, [await freePort(), await freePort()]));
  writeFileSync(join(own, "etc/sources/file.yaml"), sourceText(own, sendInterval));
  const parameters = folders.flatMap((each) => [`-${each}`, join(own, each)]);
  return Served.start({
    program: path,
    parameters: ["-loadFileType", "absolute", ...parameters],
    environment: {},
    folder: own,
    port,
    ready: "/ping",
  });
}

interface RuleStatus {
  readonly status: string;
  readonly message?: string;
}

/** Waits until the rule has ended by itself; throws where that was no end of the file. */
async function ended(served: Served): Promise<void> {
  for (;;) {
    const path = `/rules/${rule}/status`;
    const { status, message = "" } = (await served.ask({ method: "GET", path })) as RuleStatus;
    if (status.startsWith("stopped") && message.startsWith("done")) return;
    if (status.startsWith("stopped")) throw new Error(`the rule has stopped: ${message}`);
    await sleep(wallClock, statusPoll_ms);
  }
}

async function open({ folder, file }: Assignment): Promise<Session> {
  const own = mkdtempSync(join(tmpdir(), "weir-ekuiper-"));
  const asked = parse(readFileSync(new URL(program, folder), "utf8")) as KuiperProgram;
  writeFileSync(join(own, recordsName), recordsFor(asked, readFileSync(file)));
  const served = await startKuiper(findProgram(kuiper, process.env)!, own);
  await served.ask(streamRequest(asked));
  const rows = join(own, "rows.ndjson");
  const pass = async (keep: boolean): Promise<Pass> => {
    rmSync(rows, { force: true });
    await served.ask(ruleRequest(asked, rows));
    await ended(served);
    await served.ask({ method: "DELETE", path: `/rules/${rule}` });
    return passOf([readFileSync(rows)], keep);
  };
  return {
    pass,
    async close() {
      served.end();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

export const ekuiper: Engine = {
  name: "eKuiper",
  threads: 1,
  program,
  records_max,
  missing: () => programMissing(kuiper),
  open,
};
