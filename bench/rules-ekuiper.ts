// eKuiper's fan-out on eKuiper: as many rules on one shared stream, at the rate of its own measurement, and what a record
// takes of the processor meanwhile. Paced, because a shared stream cannot be held back: what a rule's full buffer
// does not take is dropped, and then nothing is reported.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, stopwatch, wallClock } from "../runtime/clock.ts";
import { fileAction, kuiper, recordsName, startKuiper, streamRequest } from "./engines/ekuiper.ts";
import { findProgram } from "./engines/programs.ts";
import type { Request, Served } from "./engines/served.ts";

/** 500 records a second. */
const sendInterval_ms = 2;
/** More than are sent while rules are made and measured. */
const records = 200_000;
const measured_ms = 6_000;
/** One rule in so many writes its rows; the others count theirs. */
const wantedEvery = 10;
/** Of ten values of temperature only 21 passes. */
const passing = 10;
/** What a rule may be behind by at either end, of the records that were counted. */
const behindMax = 0.05;
const start_ms_max = 60_000;

export interface KuiperFigures {
  readonly records: number;
  readonly cpu_s_per_m_records: number;
}

export function ruleRequests(rules: number, folder: string): readonly Request[] {
  return Array.from({ length: rules }, (_, rule) => ({
    method: "POST",
    path: "/rules",
    body: {
      id: `rule${rule}`,
      sql: "SELECT temperature FROM records WHERE temperature > 20",
      actions: [rule % wantedEvery === 0 ? fileAction(join(folder, `rows${rule}.ndjson`)) : { nop: {} }],
    },
  }));
}

/** How many records the stream has sent, and how many rows the rule has had. */
async function countsOf(
  served: Served,
  rule: number,
): Promise<{ readonly sent: number; readonly rows: number }> {
  const status = (await served.ask({ method: "GET", path: `/rules/rule${rule}/status` })) as Readonly<
    Record<string, unknown>
  >;
  const count = (name: RegExp): number =>
    Number(Object.entries(status).find(([key]) => name.test(key))?.[1] ?? 0);
  return { sent: count(/^source_.*_records_out_total$/), rows: count(/^sink_.*_records_in_total$/) };
}

async function measure(served: Served, rules: number, folder: string): Promise<KuiperFigures | string> {
  await served.ask(
    streamRequest({ stream: "CREATE STREAM records (temperature FLOAT, humidity FLOAT)", query: "" }, true),
  );
  for (const request of ruleRequests(rules, folder)) await served.ask(request);
  const last = rules - 1;
  const started = stopwatch();
  while ((await countsOf(served, last)).rows === 0) {
    if (stopwatch() - started > start_ms_max) return "no row of the last rule has come";
    await sleep(wallClock, sendInterval_ms);
  }
  const before = { ...(await countsOf(served, last)), cpu_s: served.processorSeconds() };
  await sleep(wallClock, measured_ms);
  const after = { ...(await countsOf(served, last)), cpu_s: served.processorSeconds() };
  if (before.cpu_s === null || after.cpu_s === null) return "this system does not tell processor time";
  const sent = after.sent - before.sent;
  const taken = (after.rows - before.rows) * passing;
  if (taken < sent * (1 - behindMax)) return `of ${sent} records, the last rule has had ${taken}`;
  return { records: sent, cpu_s_per_m_records: ((after.cpu_s - before.cpu_s) / sent) * 1e6 };
}

/** What it cost, or why nothing can be said. */
export async function kuiperRules(rules: number): Promise<KuiperFigures | string> {
  const path = findProgram(kuiper, process.env);
  if (path === null) return "no kuiperd";
  const folder = mkdtempSync(join(tmpdir(), "weir-ekuiper-rules-"));
  const lines = Array.from(
    { length: records },
    (_, place) => `{"temperature":${12 + (place % 10)},"humidity":90}\n`,
  );
  writeFileSync(join(folder, recordsName), lines.join(""));
  const served = await startKuiper(path, folder, sendInterval_ms);
  try {
    return await measure(served, rules, folder);
  } finally {
    served.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
