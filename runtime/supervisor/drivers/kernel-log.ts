// Whether the kernel has written that it killed something of a container for its memory. Linux only, and only
// where the log may be read (root, usually). Reads, and never waits.

import { closeSync, constants, openSync, readSync } from "node:fs";
import { limits } from "../../limits.ts";

/** True when a line of the kernel's says so: `oom-kill:… oom_memcg=/…/ID,…`. */
export function tellsOfMemory(line: string, containerId: string): boolean {
  return line.includes("oom-kill:") && line.includes(containerId);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** What the kernel's log says of a container; null where it may not be read. */
export function killedForMemory(containerId: string, path: string = "/dev/kmsg"): boolean | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const record = Buffer.alloc(8_192);
  try {
    for (let n = 0; n < limits.kernel_log_records_max; n++) {
      let length = 0;
      try {
        length = readSync(file, record);
      } catch (error) {
        // A record that was overwritten while it was read; the next one is there.
        if (codeOf(error) === "EPIPE") continue;
        // No more for now, or not for us.
        return codeOf(error) === "EAGAIN" ? false : null;
      }
      if (length === 0) return false;
      if (tellsOfMemory(record.toString("utf8", 0, length), containerId)) return true;
    }
    return false;
  } finally {
    closeSync(file);
  }
}
