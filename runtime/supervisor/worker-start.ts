// How the workers of a host are started: one command for all, with each one's name in it. Pure.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { UnlimitedWorker, WorkerLimits, WorkerSpec } from "./driver.ts";
import { limitedRevision } from "./worker-limits.ts";

export interface WorkerStart {
  /** Of this supervisor. */
  readonly supervisor: string;
  readonly host: string;
  /** Where a worker finds what it is to run. */
  readonly assignmentOf: (worker: string) => string;
  /** Where commit logs are kept: a pipeline's state goes with it from worker to worker. */
  readonly state: string;
  /** Further arguments: connections and settings, for whatever of weir runs here; then those of `weir worker` alone. */
  readonly settings: readonly string[];
  readonly further: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What workers are made of: weir's version, and what its driver starts them from. */
  readonly program: readonly string[];
  readonly folders: WorkerSpec["folders"];
}

/** What a shell, a session, npm or systemd sets anew with each start of the supervisor; it makes no other worker. */
const ofOneStart =
  /^(_|SHLVL|PWD|OLDPWD|INIT_CWD|TERM|COLORTERM|COLUMNS|LINES|WINDOWID|DISPLAY|TMUX.*|SSH_.*|XDG_SESSION_.*|npm_.*|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MAINPID|MANAGERPID|NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_.*|MEMORY_PRESSURE_.*)$/;

/** Letters of a worker's name that its socket file's name keeps: the whole path has to be short. */
const shownLetters = 32;

/** Names a worker's socket file, unlike that of any other worker of this user. */
export function workerIdentity(supervisor: string, worker: string): string {
  if (worker.length <= shownLetters) return `${supervisor}-${worker}`;
  const digest = createHash("sha256").update(worker).digest("hex").slice(0, 8);
  return `${supervisor}-${worker.slice(0, shownLetters - digest.length - 1)}-${digest}`;
}

/** The socket file of a worker. */
export function workerSocket(runFolder: string, supervisor: string, worker: string): string {
  return join(runFolder, `${workerIdentity(supervisor, worker)}.sock`);
}

/**
 * Tells one way of starting workers from another, but for their limits: where it differs, those that run are started anew. A
 * digest, for there may be secrets in the environment.
 */
export function startRevision(start: WorkerStart): string {
  return revisionOf(start, commandOf(start, "worker"));
}

function revisionOf({ folders, program, environment }: WorkerStart, command: readonly string[]): string {
  const lasting = Object.entries(environment).filter(([name]) => !ofOneStart.test(name));
  const sorted = lasting.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([program, command, folders, sorted]))
    .digest("hex")
    .slice(0, 12);
}

function commandOf(
  { supervisor, host, assignmentOf, state, settings, further }: WorkerStart,
  worker: string,
): string[] {
  return [
    "worker",
    assignmentOf(worker),
    "--name",
    worker,
    "--host",
    host,
    "--identity",
    workerIdentity(supervisor, worker),
    "--state",
    state,
    "--log",
    "json",
    ...settings,
    ...further,
  ];
}

/** The ingest of all workers here: what they ask for in their state folder. */
export function ingestSpec(start: WorkerStart, limits: WorkerLimits): WorkerSpec {
  const { state, settings, environment, folders } = start;
  const command = ["ingest", "--asked", "--state", state, "--log", "json", ...settings];
  const revision = limitedRevision(revisionOf(start, command), limits);
  return { name: "ingest", revision, command, environment, folders, limits };
}

export function workerSpec(start: WorkerStart, worker: string): UnlimitedWorker {
  const { environment, folders } = start;
  return { name: worker, command: commandOf(start, worker), environment, folders };
}
