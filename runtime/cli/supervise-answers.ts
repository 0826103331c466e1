// What a supervisor answers: questions of its user on a socket file, probes and metrics on an address where one was asked
// for. Changes nothing but that a pipeline is released.

import { askSocket } from "../connect/socket-question.ts";
import type { Log } from "../log.ts";
import type { IngestUnit } from "../supervisor/ingest-unit.ts";
import { mergedMetrics } from "../supervisor/merged-metrics.ts";
import { unready } from "../supervisor/status.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { openAdmin, parseAddress } from "../worker/admin.ts";
import { type Answers, type Control, openControl, WrittenAnswer } from "../worker/control.ts";
import { probe } from "../worker/health.ts";
import { openMetricsType } from "../worker/open-metrics.ts";
import { runFolder } from "../worker/settings.ts";

export interface Supervised {
  readonly supervisor: Supervisor;
  readonly ingest: IngestUnit;
  readonly identity: string;
  /** Where a worker answers. */
  readonly socketOf: (worker: string) => string;
}

/** What this user may ask. */
function answersOf({ supervisor, ingest, socketOf }: Supervised): Answers {
  return async (path) => {
    if (path === "/supervisor") return { ...supervisor.status(), ingest: ingest.status() };
    if (path === "/metrics") return metricsOf(supervisor, socketOf);
    if (path === "/readyz") return readiness(unready(supervisor.status()));
    const [, named] = /^\/release\/([a-z0-9_-]{1,64})$/.exec(path) ?? [];
    if (named !== undefined) return supervisor.release(named) ?? undefined;
    const [, worker, lines] = /^\/logs\/([a-z0-9_-]{1,64})\/(\d{1,5})$/.exec(path) ?? [];
    if (worker === undefined) return undefined;
    const of = worker === "ingest" ? ingest.logs(Number(lines)) : supervisor.logs(worker, Number(lines));
    return (await of) ?? undefined;
  };
}

/** What all workers count, each with its name; those that do not answer are left out. */
async function metricsOf(supervisor: Supervisor, socketOf: Supervised["socketOf"]): Promise<WrittenAnswer> {
  const names = supervisor.status().workers.map(({ name }) => name);
  const answers = await Promise.all(names.map((name) => askSocket(socketOf(name), "/metrics")));
  const texts = new Map<string, string>();
  for (const [place, answer] of answers.entries())
    if (answer?.status === 200) texts.set(names[place]!, answer.text);
  return new WrittenAnswer(200, openMetricsType, mergedMetrics(texts));
}

/** What others than this user may ask, on an address. */
function openAnswers({ supervisor, socketOf }: Supervised): Answers {
  return (path) => {
    if (path === "/metrics") return metricsOf(supervisor, socketOf);
    if (path === "/healthz") return probe({ ok: true, reasons: [] });
    return path === "/readyz" ? readiness(unready(supervisor.status())) : undefined;
  };
}

function readiness(reasons: readonly string[]): WrittenAnswer {
  return probe({ ok: reasons.length === 0, reasons });
}

/** Opens those that were asked for, and the socket file of this user. */
export async function openDoors(started: Supervised, admin: string, log: Log): Promise<Control[]> {
  const address = parseAddress(admin);
  const own = `supervisor-${started.identity}`;
  const doors = [await openControl(runFolder(process.env), own, answersOf(started))];
  if (address !== null) {
    const door = await openAdmin(address, openAnswers(started));
    log.info(`answers http://${door.path}/healthz, /readyz and /metrics`);
    doors.push(door);
  }
  return doors;
}
