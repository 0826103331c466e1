// Limits that the kernel holds for a group of processes: control groups, the older kind and the newer, where this
// user may make them. Where not, the answer is null and the limits are somebody else's to watch.

import { existsSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../folder.ts";
import type { WorkerLimits } from "../driver.ts";

const root = "/sys/fs/cgroup";
/** Processors are shared out in periods of so long, µs. */
const period_us = 100_000;

export interface ControlGroup {
  /** Folders; whoever writes its process number into `cgroup.procs` of each is in the group, and its children are. */
  readonly folders: readonly string[];
}

/** By controller of the older kind, the files that hold a limit. */
function olderFiles({
  memory_bytes,
  processors,
  pids,
}: WorkerLimits): Readonly<Record<string, [string, string][]>> {
  return {
    ...(memory_bytes === undefined ? {} : { memory: [["memory.limit_in_bytes", String(memory_bytes)]] }),
    ...(processors === undefined
      ? {}
      : {
          cpu: [
            ["cpu.cfs_period_us", String(period_us)],
            ["cpu.cfs_quota_us", String(Math.round(processors * period_us))],
          ],
        }),
    ...(pids === undefined ? {} : { pids: [["pids.max", String(pids)]] }),
  };
}

function newerFiles({ memory_bytes, processors, pids }: WorkerLimits): [string, string][] {
  return [
    ...(memory_bytes === undefined ? [] : [["memory.max", String(memory_bytes)] as [string, string]]),
    ...(processors === undefined
      ? []
      : [["cpu.max", `${Math.round(processors * period_us)} ${period_us}`] as [string, string]]),
    ...(pids === undefined ? [] : [["pids.max", String(pids)] as [string, string]]),
  ];
}

/** A group with these limits; null where none can be made here. `name` is safe to be a folder's. */
export function makeControlGroup(name: string, limits: WorkerLimits): ControlGroup | null {
  const made: string[] = [];
  try {
    if (existsSync(join(root, "cgroup.controllers"))) {
      made.push(makeGroup(join(root, name), newerFiles(limits)));
    } else {
      for (const [controller, files] of Object.entries(olderFiles(limits)))
        made.push(makeGroup(join(root, controller, name), files));
    }
    return made.length === 0 ? null : { folders: made };
  } catch {
    removeControlGroup({ folders: made });
    return null;
  }
}

function makeGroup(folder: string, files: readonly (readonly [string, string])[]): string {
  makeFolder(folder);
  try {
    for (const [file, value] of files) writeFileSync(join(folder, file), value);
  } catch (error) {
    removeControlGroup({ folders: [folder] });
    throw error;
  }
  return folder;
}

/** Whether the kernel ended something in the group because it took too much memory. */
export function wasOutOfMemory({ folders }: ControlGroup): boolean {
  return folders.some((folder) =>
    ["memory.oom_control", "memory.events"].some((file) => {
      try {
        const count = /^oom_kill (\d+)$/m.exec(readFileSync(join(folder, file), "latin1"))?.[1];
        return count !== undefined && Number(count) > 0;
      } catch {
        return false;
      }
    }),
  );
}

/** Ends everything in the group but `spared`: what a worker started does not outlive it. */
export function endMembers({ folders }: ControlGroup, spared: readonly number[]): void {
  for (const folder of folders) {
    for (const pid of membersOf(folder)) {
      if (spared.includes(pid)) continue;
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

function membersOf(folder: string): readonly number[] {
  try {
    const text = readFileSync(join(folder, "cgroup.procs"), "latin1");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  } catch {
    return [];
  }
}

/** Removes a group in which nothing runs any more; false where something still does. */
export function removeControlGroup({ folders }: ControlGroup): boolean {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      if (existsSync(folder)) return false;
    }
  }
  return true;
}
