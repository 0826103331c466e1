// What a process and all that it started have used, as Linux tells it. On other systems nothing is known.

import { readdirSync } from "node:fs";
import { fileText, statFields, ticksPerSecond } from "../../runtime/supervisor/drivers/process-facts.ts";

/** The process and those below it. */
export function treeOf(root: number): readonly number[] {
  const parents = new Map<number, number[]>();
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [root];
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))?.[1] ?? Number.NaN);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(parents.get(pid) ?? []));
  return tree;
}

/** Seconds of processor time that processes and their ended children have taken; null where that is not told. */
export function processorSeconds(pids: readonly number[]): number | null {
  let ticks = 0;
  for (const pid of pids) {
    const stat = statFields(pid);
    if (stat === null) return null;
    // user, system, and both of children that were waited for
    for (const place of [11, 12, 13, 14]) ticks += Number(stat[place]);
  }
  return ticks / ticksPerSecond;
}

/** The most memory that processes have had resident, added up, MB; null where that is not told. */
export function peakResident_mb(pids: readonly number[]): number | null {
  let total = 0;
  for (const pid of pids) {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(fileText(`/proc/${pid}/status`) ?? "");
    if (peak === null) return null;
    total += Number(peak[1]);
  }
  return total / 1024;
}
