// The shapes of a container engine's answers, as far as weir reads them. What does not fit is no answer.

import { z } from "zod";
import { limits } from "../../limits.ts";
import { type EngineAnswer, type EngineCall, nonsense } from "./engine-request.ts";

/** An id that can stand in a path, whatever the engine says. */
const containerId = z.string().regex(/^[0-9a-f]{12,64}$/);

/** True for what may be asked about: anything else is no container of anybody's. */
export function isContainerId(id: string): boolean {
  return containerId.safeParse(id).success;
}

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((found) => found ?? {});

const time = z
  .string()
  .transform((text) => Date.parse(text))
  .refine(Number.isFinite, "no time");

export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
}

export const version: z.ZodType<EngineVersion> = z.object({
  Version: z.string(),
  ApiVersion: z.string().regex(/^\d+\.\d+$/),
});

export const image: z.ZodType<{ readonly Id: string }> = z.object({ Id: z.string().min(1).max(256) });

export const created: z.ZodType<{ readonly Id: string }> = z.object({ Id: containerId });

export interface ListedContainer {
  readonly Id: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export const listed: z.ZodType<readonly ListedContainer[]> = z
  .array(z.object({ Id: containerId, State: z.string(), Labels: labels }))
  .max(limits.engine_containers_max);

export interface InspectedContainer {
  readonly Id: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: number;
  };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: { readonly Memory: number };
}

export const inspected: z.ZodType<InspectedContainer> = z.object({
  Id: containerId,
  State: z.object({
    Status: z.string(),
    ExitCode: z.number().int(),
    OOMKilled: z.boolean().default(false),
    StartedAt: time,
  }),
  Config: z.object({ Labels: labels }),
  HostConfig: z.object({ Memory: z.number().default(0) }),
});

/** What a container sees of this host: a place of this host, and where that is inside. */
export interface ContainerMount {
  readonly Source: string;
  readonly Destination: string;
}

export const mounted: z.ZodType<{ readonly Mounts: readonly ContainerMount[] }> = z.object({
  Mounts: z.array(z.object({ Source: z.string(), Destination: z.string() })),
});

export interface ContainerStats {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage: number; readonly stats: Readonly<Record<string, unknown>> };
  readonly pids_stats: { readonly current: number };
}

export const stats: z.ZodType<ContainerStats> = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number().min(0) }) }),
  memory_stats: z.object({
    usage: z.number().min(0).default(0),
    stats: z
      .record(z.string(), z.unknown())
      .nullish()
      .transform((found) => found ?? {}),
  }),
  pids_stats: z.object({ current: z.number().min(0).default(0) }),
});

/** An answer as data of the shape. */
export function parsed<Shape>(shape: z.ZodType<Shape>, call: EngineCall, { body }: EngineAnswer): Shape {
  let data: unknown;
  try {
    data = JSON.parse(body.toString());
  } catch {
    throw nonsense(call, "it is no JSON");
  }
  const found = shape.safeParse(data);
  if (found.success) return found.data;
  const issue = found.error.issues[0];
  throw nonsense(call, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "another shape"}`);
}
