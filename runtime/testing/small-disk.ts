// A small disk of memory for tests, and one way to have no room on it. Where none can be mounted, it is said why.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { runTool, unmount } from "./faults/tools.ts";

export interface SmallDisk {
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  remove(): void;
}

const piece = Buffer.alloc(65_536);

/** Mounts a disk with room for so many MiB on a folder that is there; why not, where it cannot be. */
export function smallDisk(folder: string, mebibytes: number): SmallDisk | string {
  try {
    runTool("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "weir-small-disk", folder);
  } catch (error) {
    return messageOf(error);
  }
  const ballast = join(folder, "ballast");
  return {
    fill: () => writeAll(ballast),
    free: () => rmSync(ballast, { force: true }),
    remove: () => unmount(folder),
  };
}

function writeAll(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let size = piece.length; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeSync(file, piece, 0, size);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}
