// What the kernel knows of a process: its memory, and the time that it had a processor. Linux only; reads, and nothing else.

import { readFileSync } from "node:fs";

const tick_ms = 10;

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

/** Time on a processor, all threads together, ms. Where the machine is busy with others it tells more than the clock. */
export function processorTime(pid: number): number {
  // The name of the program comes in brackets and may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tick_ms;
}
