// What the supervisor remembers from one look to the next, as plain data that outlives it in a file. All of it
// can be lost: then what runs is adopted, and only old failures and good revisions are forgotten.

import { z } from "zod";
import { neverFailed, type RestartRecord } from "./restart.ts";
import { beginScale, type ScaleDecision, type ScaleState } from "./scale.ts";

export interface PipelineMemory {
  /** The revision that was wanted last. */
  readonly wanted: string;
  /** Which turn of it that was. */
  readonly term?: number | undefined;
  /** The last revision that ran well; null when none did. */
  readonly good: string | null;
  /** Revisions that are not run any more, and why. */
  readonly refused: Readonly<Record<string, string>>;
  readonly restart: RestartRecord;
  /** The start of it that is wanted, and the last one whose failure was counted. */
  readonly attempt: number;
  readonly judged: number;
  /** It has a worker of its own for the time being, because one that it shared failed too often. */
  readonly apart: boolean;
  /** Where it was placed last; null for nowhere. */
  readonly worker: string | null;
  /** The worker that was last told to run it: no other may until that one is known not to. */
  readonly holder: string | null;
}

export interface WorkerMemory {
  readonly restart: RestartRecord;
  /** The driver's handle that was last seen to live; null when there was none. */
  readonly living: string | null;
  /** Handles whose end is no failure any more: it was asked for, or has been counted. */
  readonly settled: readonly string[];
  /** Handles that are to be killed, because they hang or are one too many, and why. */
  readonly doomed: Readonly<Record<string, string>>;
  /** Wall clock ms at which it was first seen without life; null while it lives. */
  readonly lifeless: number | null;
  /** Not started any more, and for which pipelines that holds. */
  readonly quarantine: { readonly mark: string; readonly reason: string } | null;
}

/** Of a pipeline whose partitions share workers. */
export interface ScaleMemory {
  readonly state: ScaleState;
  /** By partition, what it had counted at the last sample, and since when it ran. */
  readonly counted: Readonly<Record<string, { readonly since: number; readonly records: number }>>;
  /** Records of all partitions, whoever ran them. */
  readonly settled: number;
  /** How many workers it might have at the last look. */
  readonly most: number;
  /** What keeps it from more where it would need more; null where it needs no more. */
  readonly limit: string | null;
  /** The last change, when it was decided; null before the first. */
  readonly decision: (ScaleDecision & { readonly at: number }) | null;
}

export interface Memory {
  /** By name; a partition is a pipeline of its own here. */
  readonly pipelines: Readonly<Record<string, PipelineMemory>>;
  readonly workers: Readonly<Record<string, WorkerMemory>>;
  /** By pipeline. */
  readonly scales: Readonly<Record<string, ScaleMemory>>;
}

export const noMemory: Memory = { pipelines: {}, workers: {}, scales: {} };

/** What is known before the first sample. */
export function beginScaleMemory(workers: number): ScaleMemory {
  return { state: beginScale(workers), counted: {}, settled: 0, most: workers, limit: null, decision: null };
}

const restart: z.ZodType<RestartRecord> = z.strictObject({
  failures: z.array(z.number()),
  attempt: z.int(),
  notBefore: z.number(),
});

/** Samples are taken anew, so that the file does not change with each of them. */
const scaled = z
  .strictObject({
    workers: z.int().min(1),
    blockedUntil: z.number(),
    decision: z
      .strictObject({ workers: z.int(), reason: z.string(), saturated: z.boolean(), at: z.number() })
      .nullable(),
  })
  .transform(({ workers, blockedUntil, decision }): ScaleMemory => {
    const begun = beginScaleMemory(workers);
    return { ...begun, state: { ...begun.state, blockedUntil }, decision };
  });

const memory: z.ZodType<Memory> = z.strictObject({
  pipelines: z.record(
    z.string(),
    z.strictObject({
      wanted: z.string(),
      term: z.int().optional(),
      good: z.string().nullable(),
      refused: z.record(z.string(), z.string()),
      restart,
      attempt: z.int(),
      judged: z.int(),
      apart: z.boolean(),
      worker: z.string().nullable(),
      holder: z.string().nullable(),
    }),
  ),
  workers: z.record(
    z.string(),
    z.strictObject({
      restart,
      living: z.string().nullable(),
      settled: z.array(z.string()),
      doomed: z.record(z.string(), z.string()),
      lifeless: z.number().nullable(),
      quarantine: z.strictObject({ mark: z.string(), reason: z.string() }).nullable(),
    }),
  ),
  scales: z.record(z.string(), scaled).default({}),
});

/** What of it is worth to outlive the supervisor. */
export function memoryText({ pipelines, workers, scales }: Memory): string {
  const kept = Object.entries(scales).map(([name, { state, decision }]) => {
    return [name, { workers: state.workers, blockedUntil: state.blockedUntil, decision }] as const;
  });
  return JSON.stringify({ pipelines, workers, scales: Object.fromEntries(kept) });
}

/** Reads what `memoryText` made of a memory; null when it is none, or of another version. */
export function parseMemory(text: string): Memory | null {
  try {
    return memory.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether a failure of that pipeline, or of that worker, is remembered: it is put aside, runs apart, or waits for its next start. */
export function hasFailed({ pipelines, workers }: Memory, name: string): boolean {
  const pipeline = pipelines[name];
  const worker = workers[name] ?? workers[pipeline?.worker ?? ""];
  const isAside = Object.keys(pipeline?.refused ?? {}).length > 0 || pipeline?.apart === true;
  const records = [pipeline?.restart, worker?.restart];
  const isCounted = records.some((each) => each !== undefined && each.attempt + each.failures.length > 0);
  return isAside || isCounted || (worker?.quarantine ?? null) !== null;
}

/** The memory as if that pipeline, or that worker, had never failed: it is started again. */
export function released(memory: Memory, name: string): Memory {
  const pipeline = memory.pipelines[name];
  const worker = memory.workers[name] ?? memory.workers[pipeline?.worker ?? ""];
  const pipelines = { ...memory.pipelines };
  if (pipeline !== undefined) {
    const attempt = pipeline.attempt + 1;
    pipelines[name] = { ...pipeline, refused: {}, restart: neverFailed, apart: false, attempt };
  }
  const workers = { ...memory.workers };
  for (const [key, each] of Object.entries(workers)) {
    if (each === worker) workers[key] = { ...each, quarantine: null, restart: neverFailed };
  }
  return { pipelines, workers, scales: memory.scales };
}
