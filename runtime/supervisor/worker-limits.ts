// What one worker may take: how much of it is for pipelines that share one, and what one gets that has a pipeline of
// its own. Pure; to hold it is a driver's part.

import { limits } from "../limits.ts";
import type { Capacity, Demand } from "./capacity.ts";
import type { WorkerLimits } from "./driver.ts";

/** All steps of a worker's pipelines run in its one thread: further processors are no room for further pipelines. */
const processorsOfSteps = 1;

/** What pipelines that share a worker with these limits may take together; without one of memory, as with the usual one. */
export function sharedCapacity({ memory_bytes, processors }: WorkerLimits): Capacity {
  const memory = memory_bytes ?? limits.worker_memory_bytes_default;
  return {
    processors: Math.min(processorsOfSteps, processors ?? processorsOfSteps),
    memory_bytes: Math.max(0, memory - limits.worker_base_bytes),
    count: limits.worker_pipelines_max,
  };
}

/** Of a worker with one pipeline of its own: what that is expected to take, where it is more than the usual and there is a limit. */
export function ownLimits(usual: WorkerLimits, { processors, memory_bytes }: Demand): WorkerLimits {
  const memory = limits.worker_base_bytes + Math.ceil(memory_bytes);
  return {
    ...usual,
    ...(usual.memory_bytes === undefined ? {} : { memory_bytes: Math.max(usual.memory_bytes, memory) }),
    ...(usual.processors === undefined ? {} : { processors: Math.max(usual.processors, processors) }),
  };
}

/** The revision of a worker that is started as `start` tells, with these limits: `1a2b3c4d5e6f-m268435456-p256`. */
export function limitedRevision(start: string, { memory_bytes, processors, pids }: WorkerLimits): string {
  const marks = Object.entries({ m: memory_bytes, c: processors, p: pids });
  return [start, ...marks.flatMap(([mark, value]) => (value === undefined ? [] : [`${mark}${value}`]))].join(
    "-",
  );
}

/** Whether a worker of that revision is started as `start` tells, whatever its limits. */
export function isStartedAs(revision: string, start: string): boolean {
  return revision === start || revision.startsWith(`${start}-`);
}
