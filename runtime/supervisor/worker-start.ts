// How the workers of a host are started: one command for all, with each one's name in it. Pure.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { WorkerLimits, WorkerSpec } from "./driver.ts";

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
  readonly folders: WorkerSpec["folders"];
  readonly limits: WorkerLimits;
}

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

/** Tells one way of starting workers from another: where it differs, those that run are started anew. */
export function startRevision(start: WorkerStart): string {
  return revisionOf(start, commandOf(start, "worker"));
}

function revisionOf({ limits, folders }: WorkerStart, command: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([command, limits, folders]))
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
export function ingestSpec(start: WorkerStart): WorkerSpec {
  const { state, settings, environment, folders, limits } = start;
  const command = ["ingest", "--asked", "--state", state, "--log", "json", ...settings];
  return { name: "ingest", revision: revisionOf(start, command), command, environment, folders, limits };
}

export function workerSpec(start: WorkerStart, worker: string): WorkerSpec {
  const { environment, folders, limits } = start;
  return {
    name: worker,
    revision: startRevision(start),
    command: commandOf(start, worker),
    environment,
    folders,
    limits,
  };
}
