// What this machine has for causing faults beside signals and files: loop mounts, strace, libfaketime, a C compiler. Probes by using each once;
// what is not there is named, and scenarios that need it are skipped by their names.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeirError } from "../../errors.ts";

export type Tool =
  | "loop_mount"
  | "strace"
  | "faketime"
  | "iptables"
  | "cpu_group"
  | "open_files"
  | "compiler";

const libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map((machine) =>
  join("/usr/lib", machine, "faketime/libfaketimeMT.so.1"),
);

/** The library that gives a process another time; null where there is none. */
export function faketimeLibrary(): string | null {
  return libraries.find((path) => existsSync(path)) ?? null;
}

/** Runs a program to its end. Throws what it said where it fails. */
export function runTool(program: string, ...parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status === 0) return;
  throw new WeirError(
    "WEIR_INTERNAL",
    `${program} ${parameters.join(" ")}: ${error?.message ?? stderr.trim()}`,
  );
}

function works(task: () => void): boolean {
  try {
    task();
    return true;
  } catch {
    return false;
  }
}

const probes: Readonly<Record<Tool, () => boolean>> = {
  loop_mount() {
    const folder = mkdtempSync(join(tmpdir(), "weir-faults-probe-"));
    const image = join(folder, "image");
    const point = mkdtempSync(join(tmpdir(), "weir-faults-probe-"));
    try {
      return works(() => {
        makeImage(image, 8);
        mountImage(image, point);
        unmount(point);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmdirSync(point);
    }
  },
  strace: () =>
    works(() =>
      runTool(
        "strace",
        "-f",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        "inject=fdatasync:error=EIO:when=1",
        "true",
      ),
    ),
  compiler: () => works(() => runTool("cc", "--version")),
  faketime: () => faketimeLibrary() !== null,
  iptables: () =>
    works(() => {
      // A port that nobody has.
      losing(0.5, 1);
      notLosing(0.5, 1);
    }),
  open_files: () => works(() => runTool("prlimit", `--nofile=64:${filesMax}`, "true")),
  cpu_group: () =>
    works(() => {
      const group = makeCpuGroup("weir-faults-probe", 0.5);
      rmdirSync(group);
    }),
};

/** What is missing here. */
export function missingTools(): ReadonlySet<Tool> {
  return new Set((Object.keys(probes) as Tool[]).filter((tool) => !probes[tool]()));
}

/** An empty ext4 disk of so many MiB in a file, with room for so many files where that is said. */
export function makeImage(image: string, mebibytes: number, files: number | null = null): void {
  runTool("truncate", "-s", `${mebibytes}M`, image);
  runTool("mkfs.ext4", "-q", "-F", "-m", "0", ...(files === null ? [] : ["-N", `${files}`]), image);
}

function lossRule(share: number, port: number): string[] {
  const which = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", `${port}`];
  const how = ["-m", "statistic", "--mode", "random", "--probability", `${share}`, "-j", "DROP"];
  return [...which, ...how];
}

/** So many of the packets to a port of this machine are lost. */
export function losing(share: number, port: number): void {
  runTool("iptables", "-A", ...lossRule(share, port));
}

export function notLosing(share: number, port: number): void {
  runTool("iptables", "-D", ...lossRule(share, port));
}

/** What a process may have open where nothing is the matter. */
export const filesMax = 4_096;

/** From here on the process opens nothing beyond so many files and connections; those that it has stay. */
export function limitFiles(pid: number, most: number): void {
  runTool("prlimit", "--pid", `${pid}`, `--nofile=${most}:${filesMax}`);
}

/** How many it has open, where the system tells. */
export function filesOpen(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** A group of processes that may take so much of one processor; its folder. */
export function makeCpuGroup(name: string, share: number): string {
  const group = join("/sys/fs/cgroup/cpu", name);
  mkdirSync(group);
  try {
    writeFileSync(join(group, "cpu.cfs_quota_us"), `${Math.round(share * 100_000)}`);
  } catch (error) {
    rmdirSync(group);
    throw error;
  }
  return group;
}

export function mountImage(image: string, point: string): void {
  runTool("mount", "-o", "loop", image, point);
}

/** A copy as of this moment: shares blocks where the file system can. */
export function copyImage(image: string, copy: string): void {
  runTool("cp", "--reflink=auto", "--sparse=always", image, copy);
}

/** False where somebody still uses it. */
export function tryUnmount(point: string): boolean {
  return works(() => runTool("umount", point));
}

/** Where a mount is used to the last, it goes as soon as it is not any more. */
export function unmount(point: string): void {
  if (!tryUnmount(point)) runTool("umount", "-l", point);
}
