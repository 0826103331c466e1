// What a control centre allows: who may let which pipelines run on which devices, and how much one may take. Read from a small
// YAML file, with every mistake in it; the decision is a pure function.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { readDocument } from "../pipeline/document.ts";
import { diagnosticsOf } from "../pipeline/issue.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import type { Demand } from "./capacity.ts";
import { Load } from "./capacity.ts";
import type { Device } from "./device.ts";

export interface Rule {
  /** Without it: everybody. */
  readonly users?: readonly string[] | undefined;
  /** Names of pipelines; `*` stands for any letters. Without it: all. */
  readonly pipelines?: readonly string[] | undefined;
  /** Labels of the device. Without it: all devices. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** What one pipeline may take at most. */
  readonly processors?: number | undefined;
  readonly memory?: number | undefined;
}

export interface Policy {
  /** How long a device is silent before its pipelines run elsewhere, ms. */
  readonly lost_after: number;
  /** One that fits is enough. */
  readonly allow: readonly Rule[];
}

/** Everybody may do everything, as far as there is room. */
export const openPolicy: Policy = { lost_after: limits.host_lost_ms, allow: [{}] };

const rule = z.strictObject({
  users: z.array(z.string().min(1)).optional(),
  pipelines: z
    .array(z.string().regex(/^[a-z0-9_*-]+$/, "expected a name, or a pattern such as climate-*"))
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
  processors: z.number().positive().optional(),
  memory: field.size("What one pipeline may take at most.").optional(),
});

const policy = z.strictObject({
  lost_after: field
    .duration("How long a device is silent before its pipelines run elsewhere.")
    .refine(
      (after) => after >= limits.device_silent_ms,
      `expected ${limits.device_silent_ms / 1_000}s at least: devices say every ${limits.device_contact_ms / 1_000}s that they are there`,
    )
    .optional(),
  allow: z.array(rule).max(limits.control_rules_max).optional(),
});

export function readPolicy(
  file: string,
  text: string,
): { readonly policy: Policy; readonly diagnostics: readonly Diagnostic[] } {
  const { document, diagnostics } = readDocument(file, text);
  if (document === null) return { policy: openPolicy, diagnostics };
  const parsed = policy.safeParse(document.value ?? {});
  if (!parsed.success)
    return {
      policy: openPolicy,
      diagnostics: [...diagnostics, ...diagnosticsOf(parsed.error.issues, [], policy, document)],
    };
  const { lost_after = openPolicy.lost_after, allow = openPolicy.allow } = parsed.data;
  return { policy: { lost_after, allow }, diagnostics };
}

/** What somebody asks for. */
export interface Wish {
  readonly user: string;
  readonly pipeline: string;
  readonly demand: Demand;
}

/** Why a pipeline may not run on a device; null where it may. */
export function refusal(
  { allow }: Policy,
  { user, pipeline, demand }: Wish,
  { id, labels, capacity }: Device,
  taken: readonly Demand[],
): string | null {
  const mine = allow.filter(({ users }) => users === undefined || users.includes(user));
  if (mine.length === 0) return `user ${user} may deploy nothing`;
  const named = mine.filter(
    ({ pipelines }) => pipelines === undefined || pipelines.some((each) => isNamed(pipeline, each)),
  );
  if (named.length === 0) return `user ${user} may not deploy a pipeline called ${pipeline}`;
  const here = named.filter((each) => hasLabels(labels, each.labels ?? {}));
  if (here.length === 0) return `user ${user} may not deploy ${pipeline} to ${id}, because of its labels`;
  const fits = here.some(
    ({ processors = Number.POSITIVE_INFINITY, memory = Number.POSITIVE_INFINITY }) =>
      demand.processors <= processors && demand.memory_bytes <= memory,
  );
  if (!fits) return `${pipeline} asks for more than user ${user} may give one pipeline`;
  const load = new Load({
    processors: capacity.cpu,
    memory_bytes: capacity.memory,
    count: capacity.workers * limits.worker_pipelines_max,
  });
  for (const each of taken) load.add(each);
  return load.fits(demand) ? null : `${id} has no room for ${pipeline}`;
}

function isNamed(name: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const [place, part] of rest.entries()) {
    if (place === rest.length - 1) return name.length - part.length >= at && name.endsWith(part);
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
