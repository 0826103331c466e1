// What a control centre allows: who may let which pipelines run on which devices, and how much one may take. Pure; where the
// rules come from is not known here.

import { limits } from "../limits.ts";
import type { Demand } from "./capacity.ts";
import { Load } from "./capacity.ts";
import type { Device } from "./device.ts";
import { hasLabels, type Labels, labelText } from "./labels.ts";

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

/** What somebody asks for. */
export interface Wish {
  readonly user: string;
  readonly pipeline: string;
  readonly demand: Demand;
  /** Labels that the pipeline wants of the device on which it runs. */
  readonly wants: Labels;
}

/** Why a pipeline may not run on a device; null where it may. */
export function refusal(
  { allow }: Policy,
  { user, pipeline, demand, wants }: Wish,
  { id, labels, capacity }: Device,
  taken: readonly Demand[],
): string | null {
  if (!hasLabels(labels, wants)) return `${pipeline} wants ${labelText(wants)}, which ${id} is not`;
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
