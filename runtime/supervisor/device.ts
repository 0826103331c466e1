// A device as the registry knows it: plain JSON that anybody can read with a NATS client. Data only.

import { z } from "zod";
import { isInstanceName } from "../instance.ts";
import { limits } from "../limits.ts";

export interface Device {
  /** The host's name; also its key. */
  readonly id: string;
  /** Where it stands, in words. */
  readonly location: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Processors, bytes for all workers, and workers. */
  readonly capacity: { readonly cpu: number; readonly memory: number; readonly workers: number };
  /** What is published there, with wildcards. */
  readonly subjects: readonly string[];
  /** What it runs now. */
  readonly runs: readonly string[];
  /** By pipeline, or partition of one, the newest turn that it had; absent of one that does not tell. */
  readonly terms?: Readonly<Record<string, number>> | undefined;
  /** The version of weir. */
  readonly revision: string;
  /** ISO 8601, by its own clock: since when its supervisor runs, and when it wrote this. */
  readonly since: string;
  readonly last_contact: string;
}

const name = z.string().regex(/^[a-z0-9_-]{1,64}$/);

const device: z.ZodType<Device> = z.object({
  id: name,
  location: z.string().max(256),
  labels: z.record(name, z.string().max(256)),
  capacity: z.object({
    cpu: z.number().nonnegative(),
    memory: z.number().nonnegative(),
    workers: z.number().nonnegative(),
  }),
  subjects: z.array(z.string().max(256)).max(limits.device_subjects_max),
  runs: z.array(z.string()),
  terms: z.record(z.string().refine(isInstanceName), z.int().positive()).optional(),
  revision: z.string(),
  since: z.string(),
  last_contact: z.string(),
});

/** Reads an entry of the registry; null for one that is none. */
export function parseDevice(value: unknown): Device | null {
  const read = device.safeParse(value);
  return read.success ? read.data : null;
}
