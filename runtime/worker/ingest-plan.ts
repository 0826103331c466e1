// Which journals pipelines need, as data that the processes which write them are given: one process for pipelines that share
// their sources, so that workers which share a state folder need not agree on anything. Pure.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Framing } from "../codec/framing.ts";
import type { Overflow } from "../connect/payload-queue.ts";
import { WeirError } from "../errors.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { subscriptionOf } from "../pipeline/subject.ts";
import type { ConnectionSettings } from "./settings-spec.ts";
import { homesOf, type StateFolder } from "./state-folders.ts";

/** One subscription and the folder of its journal. */
export interface IngestJob {
  readonly folder: string;
  /** A connection by name. */
  readonly to: string;
  readonly subject: string;
  readonly framing: Framing;
  readonly overflow: Overflow;
  readonly bytes: number;
  /** ms. */
  readonly age: number;
  /** The field by which publishers number their records; null where they do not. */
  readonly sequence: string | null;
}

export interface IngestPlan {
  /** Where its journals are, what its lock and its log stand in. */
  readonly folder: string;
  readonly jobs: readonly IngestJob[];
  readonly connections: Readonly<Record<string, ConnectionSettings>>;
  /** Ends by itself when nobody has read for long. */
  readonly attended: boolean;
}

/** Pipelines that share their sources, and how they are called together. */
export interface IngestGroup {
  readonly name: string;
  readonly plans: readonly PipelinePlan[];
}

/** The folder of the journals of one group. */
export function ingestFolder(state: string, group: string): string {
  return join(state, "ingest", group);
}

/** The folder of one source's journal. */
export function journalFolder(state: string, group: string, source: string): string {
  return join(ingestFolder(state, group), source);
}

/** By pipelines that can share their sources, those that do, as their state is kept. */
export function ingestGroups(
  groups: readonly (readonly PipelinePlan[])[],
  known: readonly StateFolder[],
): IngestGroup[] {
  return groups
    .flatMap((plans) => homesOf(plans, known))
    .map(({ folder, pipelines }) => ({ name: folder.name, plans: pipelines }));
}

function ingestJobs(state: string, { name, plans: [plan] }: IngestGroup): IngestJob[] {
  return (plan?.spec.inputs ?? []).flatMap(({ name: input, source, framing }) => {
    if (source.kind !== "nats" || source.journal === null) return [];
    const { to, subject, overflow, journal } = source;
    const folder = journalFolder(state, name, input);
    return [{ folder, to, subject: subscriptionOf(subject), framing, overflow, ...journal }];
  });
}

/** What the process of each group is to do that has a journal, with only those connections that it needs. */
export function ingestPlans(
  state: string,
  groups: readonly IngestGroup[],
  connections: IngestPlan["connections"],
  attended: boolean,
): IngestPlan[] {
  return groups.flatMap((group) => {
    const jobs = ingestJobs(state, group);
    if (jobs.length === 0) return [];
    const names = new Set(jobs.map(({ to }) => to));
    const needed = Object.entries(connections).filter(([name]) => names.has(name));
    const folder = ingestFolder(state, group.name);
    return [{ folder, jobs, connections: Object.fromEntries(needed), attended }];
  });
}

/** Differs where two plans do; who starts a process does not matter. */
export function planDigest({ jobs, connections }: IngestPlan): string {
  return createHash("sha256")
    .update(JSON.stringify([jobs, connections]))
    .digest("hex");
}

/** Reads a plan that another process wrote with JSON. */
export function readIngestPlan(text: string): IngestPlan {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    plan = null;
  }
  if (
    typeof plan === "object" &&
    plan !== null &&
    "folder" in plan &&
    "jobs" in plan &&
    Array.isArray(plan.jobs)
  )
    return plan as IngestPlan;
  throw new WeirError("WEIR_USAGE", "expected the plan of an ingest on standard input", {
    remedy:
      "this is how a worker starts its ingest; start one by hand with: weir ingest PIPELINE… --state FOLDER",
  });
}
