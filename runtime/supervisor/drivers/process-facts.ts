// What the system knows of a process: when it began, so that a number used again is not taken for it, and what it
// takes. Linux tells by /proc; elsewhere `ps` is asked. Reads only.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Bytes of a page and ticks of a second on the systems that have /proc. */
const page = 4_096;
export const ticksPerSecond = 100;

/** A file of /proc; null where there is none. */
export function fileText(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

/** The fields of /proc/PID/stat behind the program's name, which may hold anything. */
export function statFields(pid: number): readonly string[] | null {
  const text = fileText(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function ps(pid: number, what: string): string | null {
  try {
    const text = execFileSync("ps", ["-p", String(pid), "-o", `${what}=`], {
      encoding: "latin1",
      stdio: "pipe",
    });
    return text.trim() === "" ? null : text.trim();
  } catch {
    return null;
  }
}

const hasProc: boolean = fileText("/proc/self/stat") !== null;

/** When a process began, in whatever unit; null where there is none, or only what is left of one that ended. */
export function processBegan(pid: number): string | null {
  if (!hasProc) return ps(pid, "lstart");
  const fields = statFields(pid);
  if (fields === null || fields[0] === "Z" || fields[0] === "X") return null;
  return fields[19] ?? null;
}

/** Whether there is a process of this user's that /proc does not show, as one of another user namespace where it hides what others do. */
export function isHidden(pid: number): boolean {
  if (!hasProc || statFields(pid) !== null) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Tells one start of the machine from another: process numbers and times mean nothing beyond it. */
export function bootMark(): string {
  return fileText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

export interface ProcessUse {
  readonly processor_s: number;
  readonly memory_bytes: number;
  readonly pids: number;
}

/** What a process has used and uses; null where there is none. */
export function processUse(pid: number): ProcessUse | null {
  if (!hasProc) {
    const kibibytes = ps(pid, "rss");
    return kibibytes === null ? null : { processor_s: 0, memory_bytes: Number(kibibytes) * 1024, pids: 1 };
  }
  const fields = statFields(pid);
  const resident = fileText(`/proc/${pid}/statm`)?.split(" ")[1];
  if (fields === null || resident === undefined) return null;
  const processor_s = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { processor_s, memory_bytes: Number(resident) * page, pids: threadsOf(pid) };
}

function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}
