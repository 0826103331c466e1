// What this machine has for causing faults beside signals and files: loop mounts, strace, libfaketime. Probes by using each once;
// what is not there is named, and scenarios that need it are skipped by their names.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeirError } from "../../errors.ts";

export type Tool = "loop_mount" | "strace" | "faketime";

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
  faketime: () => faketimeLibrary() !== null,
};

/** What is missing here. */
export function missingTools(): ReadonlySet<Tool> {
  return new Set((Object.keys(probes) as Tool[]).filter((tool) => !probes[tool]()));
}

/** An empty ext4 disk of so many MiB in a file. */
export function makeImage(image: string, mebibytes: number): void {
  runTool("truncate", "-s", `${mebibytes}M`, image);
  runTool("mkfs.ext4", "-q", "-F", "-m", "0", image);
}

export function mountImage(image: string, point: string): void {
  runTool("mount", "-o", "loop", image, point);
}

/** A copy as of this moment: shares blocks where the file system can. */
export function copyImage(image: string, copy: string): void {
  runTool("cp", "--reflink=auto", "--sparse=always", image, copy);
}

/** Where a mount is used to the last, it goes as soon as it is not any more. */
export function unmount(point: string): void {
  if (!works(() => runTool("umount", point))) runTool("umount", "-l", point);
}
